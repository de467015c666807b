"""Golden pictures of the plots; `uv run python -m tests.movies.report.golden_plots` renews them."""

from __future__ import annotations

import datetime as dt
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from movies.report.gold import Gold
from movies.report.plots import PLOTS, render
from movies.report.provenance import Provenance
from movies.report.themes import Theme
from tests.movies.report.gold_tables import gold_from_silver, movie, silver_rows

FOLDER = Path(__file__).parent / "golden"
SILVER_18 = Path(__file__).parents[3] / "shared" / "reference" / "expected_silver_18.ndjson.gz"
PROVENANCE = Provenance(18, 2, 3, "c0de1234", "a1b2c3d4", dt.datetime(2026, 11, 20, 14, 3, tzinfo=dt.UTC))
# A third of the size keeps every letter's place and every mark's colour.
REDUCED_BY = 3
# What rounding makes of the same picture is far below; another hue, or a letter elsewhere, far above.
SAME_WITHIN = 12
MOST_PIXELS_OFF = 8


class Sample(NamedTuple):
    """Which movies are drawn on which sheet."""

    name: str
    theme: Theme


SAMPLES = (Sample("18", "light"), Sample("18", "dark"), Sample("few", "light"))


def few_movies() -> Gold:
    """Hardly any movies, one of them without money: what plots have to bear on a first day."""
    return gold_from_silver(
        [
            movie(1, title="One", genres="Drama|War", belongs_to_collection="Pair Collection"),
            movie(2, title="Two", release_year=2003, revenue_musd=7.5, vote_average=7.5, popularity=9.0),
            movie(3, title="Three", release_year=2001, budget_musd=None, revenue_musd=None, vote_count=40),
        ]
    )


def path_of(plot: str, sample: Sample) -> Path:
    return FOLDER / f"{plot}_{sample.name}_{sample.theme}.png"


def draw(plot: str, gold: Gold, theme: Theme) -> Image.Image:
    """A plot as its golden picture has it."""
    picture = Image.open(io.BytesIO(render(plot, gold, PROVENANCE, theme)))
    return picture.convert("RGB").reduce(REDUCED_BY)


def pixels_off(one: Image.Image, other: Image.Image) -> int:
    """How many pixels differ by more than rounding does; all of them where the sizes differ."""
    if one.size != other.size:
        return max(one.width * one.height, other.width * other.height)
    apart = np.abs(np.asarray(one, dtype=np.int16) - np.asarray(other, dtype=np.int16)).max(axis=2)
    return int(np.count_nonzero(apart > SAME_WITHIN))


def renew() -> Iterator[Path]:
    """Draw all golden pictures anew, and give those that have changed."""
    golds = {"18": gold_from_silver(silver_rows(SILVER_18)), "few": few_movies()}
    FOLDER.mkdir(exist_ok=True)
    for sample in SAMPLES:
        for plot in PLOTS:
            path, drawn = path_of(plot, sample), draw(plot, golds[sample.name], sample.theme)
            if path.exists() and pixels_off(drawn, Image.open(path).convert("RGB")) <= MOST_PIXELS_OFF:
                continue
            drawn.save(path, optimize=True)
            yield path


if __name__ == "__main__":
    for changed in renew():
        sys.stdout.write(f"{changed.relative_to(Path.cwd())}\n")
