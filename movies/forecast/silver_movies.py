"""Load the movies of silver for the forecast, only with columns that it may use."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

# All columns that are read. Popularity, votes and ratings are left out because they come after a release, and
# the sizes of cast and crew because people add to the credits of successful movies.
COLUMNS = (
    "id",
    "title",
    "release_date",
    "release_year",
    "genres",
    "belongs_to_collection",
    "original_language",
    "budget_musd",
    "revenue_musd",
    "production_companies",
    "runtime",
    "cast",
    "director",
)
# Smaller amounts are usually in millions instead of dollars (`gold/suspicious_money`); larger ones are typos.
LEAST_MUSD, MOST_MUSD = 1e-3, 1e5
# A release this many years before or after the median is a typo. Such movies' revenues are left out, because
# they would decide which years are held back.
YEARS_BEFORE, YEARS_AFTER = 150, 50


def load_movies(silver: pa.Table) -> pd.DataFrame:
    """Return the movies in order of release, with impossible amounts as NaN.

    The order of the input does not matter. Dates are in seconds, since nanoseconds cannot represent dates
    before 1677 or after 2262.
    """
    movies = silver.select(list(COLUMNS)).to_pandas(date_as_object=False)
    movies["release_date"] = movies["release_date"].astype("datetime64[s]")
    for column in ("budget_musd", "revenue_musd", "runtime"):
        movies[column] = movies[column].astype("float64")
    for column in ("budget_musd", "revenue_musd"):
        movies[column] = movies[column].where(movies[column].between(LEAST_MUSD, MOST_MUSD))
    years = movies["release_date"].dt.year
    middle = years.median()
    movies["revenue_musd"] = movies["revenue_musd"].where(
        years.between(middle - YEARS_BEFORE, middle + YEARS_AFTER)
    )
    return movies.sort_values(["release_date", "id"], kind="stable").reset_index(drop=True)


def has_money(movies: pd.DataFrame) -> pd.Series:
    """Return for each movie whether both budget and revenue are known."""
    return movies["budget_musd"].notna() & movies["revenue_musd"].notna()
