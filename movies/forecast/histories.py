"""Revenues of earlier films of a movie's people, companies and collection."""

from __future__ import annotations

import numpy as np
import pandas as pd

# Only the total of a film's revenue is known, and most of it comes in within three months of its release.
# Later movies may use it only after that time.
SETTLED = pd.Timedelta(days=90).as_unit("s")
MEASURES = ("films", "mean_log_revenue", "best_log_revenue")


def list_names(joined: pd.Series, first: int | None = None) -> pd.Series:
    """Split `|`-joined lists into distinct names, or the `first` ones of each; null gives an empty list."""
    return joined.map(
        lambda text: list(dict.fromkeys(text.split("|")[:first])) if isinstance(text, str) else []
    )


def measure_history(movies: pd.DataFrame, names: pd.Series, prefix: str) -> pd.DataFrame:
    """Measure earlier films of each movie's names: number, and mean and best log10 of their revenues in MUSD.

    A film counts if its revenue is known and it was released at least `SETTLED` before the movie. It counts
    once for each name that it shares with the movie. Names of columns begin with the prefix; the mean and the
    best are NaN if there is no film.
    """
    credits = pd.DataFrame({"row": np.arange(len(movies)), "name": names.to_numpy()}).explode("name").dropna()
    credits["row"] = credits["row"].astype(int)
    credits["released"] = movies["release_date"].to_numpy()[credits["row"]]
    credits["log_revenue"] = np.log10(movies["revenue_musd"].to_numpy()[credits["row"]])
    found = pd.merge_asof(
        credits.assign(until=credits["released"] - SETTLED).sort_values(["until", "row"], kind="stable"),
        _running_totals(credits),
        left_on="until",
        right_on="known_from",
        by="name",
    )
    by_movie = found.dropna(subset=["films"]).groupby("row")
    films = by_movie["films"].sum()
    history = pd.DataFrame(
        {
            "films": films,
            "mean_log_revenue": by_movie["total"].sum() / films,
            "best_log_revenue": by_movie["best"].max(),
        }
    ).reindex(np.arange(len(movies)))
    history["films"] = history["films"].fillna(0.0)
    return history.add_prefix(f"{prefix}_").set_index(movies.index)


def _running_totals(credits: pd.DataFrame) -> pd.DataFrame:
    """Return for each name and film the number, sum and best of the films with a revenue up to it."""
    films = credits.dropna(subset=["log_revenue"]).sort_values(["released", "row"], kind="stable")
    by_name = films.groupby("name", sort=False)["log_revenue"]
    return pd.DataFrame(
        {
            "name": films["name"],
            "known_from": films["released"],
            "films": by_name.cumcount() + 1.0,
            "total": by_name.cumsum(),
            "best": by_name.cummax(),
        }
    )
