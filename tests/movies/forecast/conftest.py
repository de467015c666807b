"""One training for all tests that look at what comes of it."""

from __future__ import annotations

import pandas as pd
import pytest

from movies.forecast.silver_movies import load_movies
from movies.forecast.training import Training, train
from tests.movies.forecast.movies import generate, movie, silver

# Behind the last held-back year, with a budget alone.
TO_COME = movie(900, "2013-06-01", title="To come", budget_musd=50.0, genres="Action", director="Director 3")


@pytest.fixture(scope="session")
def movies() -> pd.DataFrame:
    return load_movies(silver([*generate(), TO_COME]))


@pytest.fixture(scope="session")
def training(movies: pd.DataFrame) -> Training:
    return train(movies, holdout_years=3)
