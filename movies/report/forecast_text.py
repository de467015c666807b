"""The revenue forecast as a report: scores on held-back movies, and its drivers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from movies.report.formats import counted, money, movie_name
from movies.report.markdown import escape
from movies.report.provenance import ATTRIBUTION, Provenance

Row = dict[str, Any]

ALL = "all"
MODEL = "forecast"
NAMES = {
    MODEL: "Forecast",
    "budget_times_median_roi": "Budget × median ROI",  # noqa: RUF001
    "genre_median": "Median of the genre",
}
# Quantile of the normal distribution: 19 of 20 values are within this many standard deviations.
_TWO_SIDED_95 = 1.96
_MISSED_SHOWN = 5


@dataclass(frozen=True)
class ForecastTables:
    """The rows of the forecast's tables, in their order."""

    scores: Sequence[Row]
    predictions: Sequence[Row]
    drivers: Sequence[Row]

    @property
    def overall(self) -> Row:
        """The model's score on all held-back movies."""
        return self.score(MODEL)

    @property
    def warning(self) -> str | None:
        """Why the scores should not be believed; None if they may be."""
        warning: str | None = self.overall["warning"]
        return warning

    def score(self, model: str, segment: str = ALL) -> Row:
        """Return the score of a model on a segment."""
        return next(row for row in self.scores if (row["model"], row["segment"]) == (model, segment))

    @property
    def by_segment(self) -> list[Row]:
        """The model's scores on parts of the held-back movies."""
        return [row for row in self.scores if row["model"] == MODEL and row["segment"] != ALL]

    @property
    def judged(self) -> list[Row]:
        """The forecasts of movies whose revenue is known."""
        return [row for row in self.predictions if row["revenue_musd"] is not None]


def finding(tables: ForecastTables) -> str:
    """Describe how good the forecast is, in one line."""
    one = tables.overall
    return (
        f"Half of the forecasts were within a factor of {one['median_error_factor']:.1f}, and "
        f"{one['coverage']:.0%} of {counted(one['movies'], 'movie')} within the "
        f"{one['interval_level']:.0%} interval"
    )


def held_back(one: Row) -> str:
    """Format the held-back years."""
    first, last = one["held_back_from"], one["held_back_until"]
    return str(first) if first == last else f"{first} to {last}"


def sentence_case(text: str) -> str:
    """Capitalise the first letter, and leave all others unchanged."""
    return text[:1].upper() + text[1:]


def chance_range(level: float, movies: int) -> tuple[float, float]:
    """Return the range of the coverage that chance explains in 19 of 20 cases, if the interval is right."""
    reach = _TWO_SIDED_95 * math.sqrt(level * (1 - level) / movies)
    return max(0.0, level - reach), min(1.0, level + reach)


def markdown_forecast(tables: ForecastTables, provenance: Provenance) -> str:
    """Render scores beside the baselines, drivers, and the largest errors as Markdown."""
    one = tables.overall
    low, high = chance_range(one["interval_level"], one["movies"])
    warning = [f"> **Not to be believed.** {escape(tables.warning)}."] if tables.warning else []
    blocks = [
        "# Revenue forecast",
        *warning,
        f"{finding(tables)}. Trained on {counted(one['movies_learnt_from'], 'movie')} released before "
        f"{one['held_back_from']}, scored on those of {held_back(one)}, which it has not seen.",
        "## Compared with plain guesses",
        _scores([tables.score(model) for model in NAMES], "model"),
        "A factor of 2 is twice too high or too low. If the interval is exact, chance alone puts its "
        f"coverage of this many movies between {low:.0%} and {high:.0%}. A log R² below 0 is worse than one "
        "number for all.",
        "## By year and budget",
        _scores(tables.by_segment, "segment"),
        "## Drivers",
        _drivers(tables.drivers),
        "The loss of log R² if only this property is shuffled among the held-back movies.",
        "## Largest errors",
        _missed(tables.judged),
        "---",
        escape(provenance.caption),
        ATTRIBUTION,
    ]
    return "\n\n".join(blocks) + "\n"


def _scores(rows: Sequence[Row], name: str) -> str:
    lines = [
        (
            escape(NAMES.get(row[name], sentence_case(row[name]))),
            f"{row['movies']:,}",
            f"{row['median_error_factor']:.2f}",
            f"{row['share_within_factor_2']:.0%}",
            "–" if row["log_r2"] is None else f"{row['log_r2']:.2f}",  # noqa: RUF001
            f"{row['coverage']:.0%}",
            f"{row['median_interval_factor']:,.1f}",
        )
        for row in rows
    ]
    level = f"{rows[0]['interval_level']:.0%}" if rows else ""
    headings = (
        "",
        "movies",
        "median error, factor",
        "within factor 2",
        "log R²",
        f"in {level} interval",
        "its high / low",
    )
    return _table(headings, lines)


def _drivers(rows: Sequence[Row]) -> str:
    return _table(
        ("", "log R² lost", "±"),
        [
            (sentence_case(row["driver"]), f"{row['log_r2_drop']:.3f}", f"{row['log_r2_drop_std']:.3f}")
            for row in rows
        ],
    )


def _missed(rows: Sequence[Row]) -> str:
    worst = sorted(
        rows, key=lambda row: (-abs(math.log(row["predicted_musd"] / row["revenue_musd"])), row["id"])
    )
    return _table(
        ("", "forecast", "interval", "earned"),
        [
            (
                escape(movie_name(row["title"], row["release_date"].year)),
                money(row["predicted_musd"]),
                f"{money(row['low_musd'])} to {money(row['high_musd'])}",
                money(row["revenue_musd"]),
            )
            for row in worst[:_MISSED_SHOWN]
        ],
    )


def _table(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = [":---", *["---:"] * (len(headings) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (headings, rule, *lines))
