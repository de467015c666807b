"""Split movies by release year into those to train on and later ones to score on."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from movies.forecast.forecast_errors import ShortageError
from movies.forecast.histories import SETTLED
from movies.forecast.interval import LEVEL, least_errors
from movies.forecast.silver_movies import has_money

LEAST_MOVIES = 200
# Share of the training movies, the latest ones, whose errors make the intervals.
CALIBRATION_SHARE = 0.3


@dataclass(frozen=True)
class Split:
    """Release years: those that calibrate the interval, and after them the first and last held back."""

    calibration_years: tuple[int, ...]
    held_back_from: int
    held_back_until: int


def learnable(movies: pd.DataFrame, year: int) -> pd.Series:
    """Select the movies whose budget and revenue were known when a year began."""
    return has_money(movies) & (movies["release_date"] + SETTLED <= pd.Timestamp(year, 1, 1).as_unit("s"))


def split_by_year(movies: pd.DataFrame, holdout_years: int) -> Split:
    """Hold back the last years with known budgets and revenues, and calibrate on the last ones before.

    Raises:
        ShortageError: too few movies are left to learn from.
    """
    years = movies.loc[has_money(movies), "release_date"].dt.year
    if years.empty:
        raise ShortageError(describe_shortage(0, 0, None), name_shortage(0))
    last = int(years.max())
    first = last - holdout_years + 1
    to_learn = movies.loc[learnable(movies, first), "release_date"].dt.year
    if len(to_learn) < LEAST_MOVIES:
        known = len(years) if len(years) < LEAST_MOVIES else len(to_learn)
        raise ShortageError(describe_shortage(len(years), len(to_learn), first), name_shortage(known))
    chosen: list[int] = []
    for year in sorted(to_learn.unique(), reverse=True)[:-1]:
        if to_learn.isin(chosen).sum() >= CALIBRATION_SHARE * len(to_learn):
            break
        chosen.append(int(year))
    if to_learn.isin(chosen).sum() < least_errors(LEVEL):
        crowding = describe_crowding(len(to_learn), int(to_learn.min()))
        raise ShortageError(crowding, crowding)
    return Split(tuple(sorted(chosen)), first, last)


def name_shortage(movies: int) -> str:
    """Describe how many movies there are to train on."""
    return f"{movies:,} of the {LEAST_MOVIES} movies it needs"


def describe_shortage(known: int, before: int, held_back_from: int | None) -> str:
    """Describe the shortage: how many movies have budget and revenue, and how many are early enough."""
    have = "1 movie has" if known == 1 else f"{known:,} movies have"
    need = f"A forecast learns from at least {LEAST_MOVIES} movies with a known budget and revenue"
    sentence = f"{need}: here {have} both"
    if held_back_from is None or known == before:
        return sentence
    return (
        f"{sentence}, {before:,} of them from before the held-back years, which begin with {held_back_from}"
    )


def describe_crowding(movies: int, year: int) -> str:
    """Describe that nearly all movies are of one year, so a model cannot be scored on later ones."""
    return (
        f"Of the {movies:,} movies to learn from nearly all are of {year}: a forecast needs several years, "
        "to see how it fares on movies that are later than those it knows"
    )
