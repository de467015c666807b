"""A model file is used where it fits, and refused in one sentence where it does not."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from movies.forecast.features import build_features
from movies.forecast.forecast_errors import ModelFileError, NoForecastError
from movies.forecast.model import dump_model, load_model
from movies.forecast.training import Training

MADE_FROM = {"silver_version": 3, "code_version": "c0de"}


@pytest.fixture
def path(training: Training, tmp_path: Path) -> Path:
    path = tmp_path / "model.json"
    path.write_bytes(dump_model(training.model, MADE_FROM))
    return path


def test_a_saved_model_forecasts_what_was_published(
    path: Path, training: Training, movies: pd.DataFrame
) -> None:
    model = load_model(path, MADE_FROM)
    features = build_features(movies)

    for row in training.predictions:
        found = model.forecast_movie(movies, features, row["id"])
        ends = [float(10 ** end[0]) for end in (found.predicted, found.low, found.high)]
        assert ends == pytest.approx([row["predicted_musd"], row["low_musd"], row["high_musd"]], rel=1e-12)


def test_it_says_what_it_was_made_from_and_is_text(path: Path) -> None:
    told = json.loads(path.read_text())

    assert told["made_from"] == MADE_FROM
    assert told["library"] == {"name": "scikit-learn", "version": version("scikit-learn")}
    assert path.stat().st_size < 1_000_000


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"library": {"version": "0.9"}}, r"is of another scikit-learn \(0\.9, and not [\d.]+\)"),
        ({"format": 0}, r"is of another format \(0, and not 2\)"),
        ({"made_from": {}}, r"is of another silver version \(None, and not 3\)"),
        (
            {"made_from": MADE_FROM | {"code_version": "old"}},
            r"is of another code version \(old, and not c0de\)",
        ),
        ({"trees": {"features": ["popularity"]}}, "is of another list of features"),
    ],
)
def test_a_model_of_other_versions_is_refused(path: Path, change: dict[str, Any], reason: str) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | change))

    with pytest.raises(ModelFileError, match=reason) as refused:
        load_model(path, MADE_FROM)

    assert str(refused.value).endswith("Run `movies forecast` to rebuild it.")
    assert "\n" not in str(refused.value)


def damage_trees(told: dict[str, Any]) -> None:
    told["trees"]["regressor"] = told["trees"]["regressor"][:1000]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda told: told.pop("trees"), id="no-trees"),
        pytest.param(lambda told: told.pop("made_from"), id="of-nothing"),
        pytest.param(lambda told: told["interval"].update(below=[0.0]), id="an-interval-that-lacks-tiers"),
        pytest.param(damage_trees, id="a-torn-regressor"),
    ],
)
def test_a_damaged_model_is_refused(path: Path, damage: Any) -> None:
    told = json.loads(path.read_text())
    damage(told)
    path.write_text(json.dumps(told))

    with pytest.raises(ModelFileError, match="is not a model of this project, or is damaged"):
        load_model(path, MADE_FROM)


@pytest.mark.parametrize("content", [b"", b"\x80\x04\x95", b"[]", b"{}", b"null"])
def test_what_is_no_model_is_refused_and_never_run(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(ModelFileError, match="is not a model of this project, or is damaged"):
        load_model(path, MADE_FROM)


def test_a_model_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="cannot be read: No such file or directory"):
        load_model(tmp_path / "none.json", MADE_FROM)


@pytest.mark.parametrize(
    ("movie_id", "reason"),
    [
        (12345, "Movie 12345 is not in silver, or has no known budget"),
        (
            1,
            "Movie 1 (Movie 1) was released in 2000, and the model knows what those before 2009 earned: that "
            "would be memory, and no forecast",
        ),
    ],
)
def test_what_cannot_be_forecast_is_refused_with_the_reason(
    training: Training, movies: pd.DataFrame, movie_id: int, reason: str
) -> None:
    with pytest.raises(NoForecastError) as refused:
        training.model.forecast_movie(movies, build_features(movies), movie_id)

    assert str(refused.value) == reason


def test_a_movie_without_a_budget_is_refused(training: Training, movies: pd.DataFrame) -> None:
    poor = movies.assign(budget_musd=np.nan)

    with pytest.raises(NoForecastError, match=r"Movie 900 \(To come\) has no known budget, which a forecast"):
        training.model.forecast_movie(poor, build_features(poor), 900)
