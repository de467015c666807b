"""`movies forecast` as a user has it: trained once, found again, rejected in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from movies.lake.commits import replace
from movies.lake.delta import TableVersion, origin_of, read
from movies.lake.forecast_tables import DRIVERS, PREDICTIONS, SCORES
from movies.lake.publications import Publication, publish
from movies.lake.tables import FETCH_FAILURES, RAW_MOVIES, SILVER_MOVIES
from stages.names import StageName
from tests.movies.forecast.conftest import TO_COME
from tests.movies.forecast.movies import Row, generate, silver
from tests.places import Place


def publish_silver(lake: str, rows: list[Row]) -> None:
    """Leave silver as a transform would have."""
    content = replace(SILVER_MOVIES, lake, silver(rows))
    inputs = {table.name: TableVersion("none", 0) for table in (RAW_MOVIES, FETCH_FAILURES)}
    publish(lake, Publication(StageName.TRANSFORM, inputs, {SILVER_MOVIES.name: content}, "test"))


def forecast(place: Place, *arguments: str) -> tuple[int, str, str]:
    done = place.python("-m", "cli", "forecast", *arguments)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
def test_a_forecast_is_learnt_once_and_comes_back_where_its_model_is_damaged(place: Place) -> None:
    publish_silver(place.lake, [*generate(), TO_COME])
    model = Path(place.folder, "output", "forecast", "revenue_model.json")

    status, said, errors = forecast(place, "--movie", "900")

    assert (status, errors) == (0, "")
    assert "trained on" in said
    assert "To come (2013): $" in said
    assert "Nothing has changed" not in said
    saved = json.loads(model.read_bytes())
    found = {table.name: read(table, place.lake).to_pylist() for table in (SCORES, PREDICTIONS, DRIVERS)}
    assert {row["model"] for row in found[SCORES.name]} == {
        *("forecast", "budget_times_median_roi", "genre_median")
    }
    silver_version = str(saved["made_from"]["silver_version"])
    assert origin_of(PREDICTIONS, place.lake)["silver_movies_version"] == silver_version
    assert sorted(path.name for path in model.parent.iterdir()) == [
        *("forecast.md", "forecast_calibration.png", "forecast_drivers.png", "revenue_model.json")
    ]

    status, said, errors = forecast(place)

    assert (status, errors) == (0, "")
    assert "Nothing has changed since the last training, so the model was not trained again." in said

    pictures = [picture.read_bytes() for picture in sorted(model.parent.glob("*.png"))]
    place.environment["PLOT_THEME"] = "dark"
    status, said, errors = forecast(place)

    assert (status, errors) == (0, "")
    assert "the model was not trained again" in said
    drawn = [picture.read_bytes() for picture in sorted(model.parent.glob("*.png"))]
    assert [one == other for one, other in zip(pictures, drawn, strict=True)] == [False, False]

    model.write_text("{}")
    status, said, errors = forecast(place)

    assert (status, errors) == (0, "")
    assert "Nothing has changed" not in said
    again = json.loads(model.read_bytes())
    # The library's archive of the trees has times and addresses in it, so its bytes differ.
    for one in (saved, again):
        assert one["trees"].pop("regressor")
    assert again == saved
    assert {
        table.name: read(table, place.lake).to_pylist() for table in (SCORES, PREDICTIONS, DRIVERS)
    } == found


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        pytest.param(
            generate(18),
            "A forecast learns from at least 200 movies with a known budget and revenue: here 15 movies have",
            id="too-few",
        ),
        pytest.param(
            [row | {"revenue_musd": 3 * row["budget_musd"]} for row in generate()],
            "A log R² of 1.00 on held-back movies is more than what is known before a release can explain",
            marks=pytest.mark.slow,
            id="a-leak",
        ),
    ],
)
def test_what_is_not_to_be_published_is_one_sentence_and_leaves_nothing(
    place: Place, rows: list[Row], sentence: str
) -> None:
    publish_silver(place.lake, rows)

    status, _, errors = forecast(place)

    assert status == 1
    assert errors.startswith(f"Error: {sentence}")
    assert errors.count("\n") == 1
    assert read(SCORES, place.lake) is None
    assert not Path(place.folder, "output", "forecast").exists()
