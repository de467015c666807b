"""The plots look as they did when somebody last looked at them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from movies.report.gold import Gold
from movies.report.plots import PLOTS, palettes
from tests.movies.report.golden_plots import (
    MOST_PIXELS_OFF,
    SAMPLES,
    Sample,
    draw,
    few_movies,
    path_of,
    pixels_off,
)

RENEW = "look at it; where it is meant: uv run python -m tests.movies.report.golden_plots"


@pytest.fixture(scope="module")
def few() -> Gold:
    return few_movies()


@pytest.mark.parametrize("plot", PLOTS)
@pytest.mark.parametrize("sample", SAMPLES, ids="-".join)
def test_a_plot_looks_as_it_did(
    plot: str, sample: Sample, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    gold: Gold = request.getfixturevalue({"18": "gold_18", "few": "few"}[sample.name])
    drawn = draw(plot, gold, sample.theme)
    off = pixels_off(drawn, Image.open(path_of(plot, sample)).convert("RGB"))
    if off > MOST_PIXELS_OFF:
        drawn.save(tmp_path / "drawn.png")
        pytest.fail(f"{off} pixels differ in {tmp_path / 'drawn.png'}: {RENEW}")


def test_no_golden_picture_is_left_over() -> None:
    expected = {path_of(plot, sample) for plot in PLOTS for sample in SAMPLES}
    assert set(path_of("", SAMPLES[0]).parent.glob("*.png")) == expected


def test_a_label_that_moves_is_seen(few: Gold) -> None:
    picture = draw("top_directors", few, "light")
    label = (0, 70, 100, 140)
    moved = picture.copy()
    moved.paste(ImageChops.offset(picture.crop(label), 2, 0), label[:2])
    assert pixels_off(picture, moved) > MOST_PIXELS_OFF


def test_a_colour_that_changes_is_seen(few: Gold, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = draw("top_directors", few, "light")
    other = replace(palettes.LIGHT, vermillion="#E07400")
    monkeypatch.setattr("movies.report.plots.all_plots.PALETTES", {"light": other})
    assert pixels_off(picture, draw("top_directors", few, "light")) > MOST_PIXELS_OFF
