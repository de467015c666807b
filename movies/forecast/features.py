"""Features of a movie: numbers that were known before its release."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from movies.forecast.histories import MEASURES, list_names, measure_history

# Names on a poster.
TOP_BILLED = 5
# https://developer.themoviedb.org/reference/genre-movie-list
GENRES = (
    "Action", "Adventure", "Animation", "Comedy", "Crime", "Documentary", "Drama", "Family", "Fantasy",
    "History", "Horror", "Music", "Mystery", "Romance", "Science Fiction", "TV Movie", "Thriller", "War",
    "Western",
)  # fmt: skip
# Languages with the most movies of known revenue. Other languages have no flag.
LANGUAGES = ("en", "fr", "hi", "ja", "ko", "zh", "cn", "es", "ru", "it", "de", "ta", "te")
# Column of silver with the names whose earlier films count, and how many of them. Being in a collection is
# not a feature, because a first part is in one only if it earned well.
HISTORIES: Mapping[str, tuple[str, int | None]] = MappingProxyType(
    {
        "collection": ("belongs_to_collection", None),
        "director": ("director", None),
        "cast": ("cast", TOP_BILLED),
        "company": ("production_companies", None),
    }
)
# Properties of movies by the words of the report, with their features.
DRIVERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "budget": ("log_budget",),
        "runtime": ("runtime",),
        "release month": ("release_month",),
        "release year": ("release_year",),
        "genres": tuple(f"genre_{_word}" for _word in GENRES),
        "language": tuple(f"language_{_word}" for _word in LANGUAGES),
        **{
            f"earlier {_who} films": tuple(f"{_who}_{_measure}" for _measure in MEASURES)
            for _who in HISTORIES
        },
    }
)
FEATURES = tuple(_feature for _features in DRIVERS.values() for _feature in _features)


def build_features(movies: pd.DataFrame) -> pd.DataFrame:
    """Return the features of movies in the order of `FEATURES`, all doubles; NaN is unknown.

    Amounts are log10 of millions of dollars. No feature uses the movie's own revenue.
    """
    columns: dict[str, pd.Series] = {
        "log_budget": np.log10(movies["budget_musd"]),
        "runtime": movies["runtime"],
        "release_month": movies["release_date"].dt.month,
        "release_year": movies["release_date"].dt.year,
    }
    genres = list_names(movies["genres"])
    columns |= {f"genre_{genre}": genres.map(lambda names, genre=genre: genre in names) for genre in GENRES}
    columns |= {f"language_{code}": movies["original_language"] == code for code in LANGUAGES}
    for who, (column, first) in HISTORIES.items():
        history = measure_history(movies, list_names(movies[column], first), who)
        columns |= {name: history[name] for name in history}
    return pd.DataFrame(columns, index=movies.index)[list(FEATURES)].astype("float64")
