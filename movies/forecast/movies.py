"""The movies of silver that a forecast works on, and which of their columns it may see."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

# All that is read of silver. Popularity, votes and ratings are not: they come after a release. Nor are the
# sizes of cast and crew: people add to the credits of movies that did well.
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
# Less is an amount in another unit, as a rule in millions (`gold/suspicious_money`); more was mistyped.
LEAST_MUSD, MOST_MUSD = 1e-3, 1e5
# A movie released this many years before or after the middle one has a date that was mistyped: what it earned
# would decide which years are held back.
YEARS_BEFORE, YEARS_AFTER = 150, 50


def load_movies(silver: pa.Table) -> pd.DataFrame:
    """Take the columns above, in order of release, amounts that cannot be right made unknown.

    The order of the rows that come in has no say in what becomes of them. Dates are in seconds, since
    nanoseconds hold no date before 1677 or after 2262.
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
    """Whether both budget and revenue are known."""
    return movies["budget_musd"].notna() & movies["revenue_musd"].notna()
