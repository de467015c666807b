"""The report of a forecast on the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from movies.report.forecast_text import NAMES, ForecastTables, held_back
from movies.report.formats import short_money

Row = dict[str, Any]


@dataclass
class ForecastReport:
    """The scores of a forecast and the requested movies, or the reason why there is no forecast."""

    scores: Sequence[Row]
    shortage: str = ""
    shortage_headline: str = ""
    is_unchanged: bool = False
    files: list[str] = field(default_factory=list)
    forecasts: list[Row] = field(default_factory=list)

    def headline(self) -> str:
        """Return the message of the run's state."""
        return self.shortage_headline or self.sentence() + (", nothing changed" if self.is_unchanged else "")

    def sentence(self) -> str:
        """Return the main scores in one line."""
        one = self._tables.overall
        return (
            f"forecast of {one['movies']:,} held-back movies: median error factor "
            f"{one['median_error_factor']:.2f}, coverage {one['coverage']:.0%}"
        )

    def lines(self) -> Iterator[str]:
        """List the scores beside the baselines, then each requested movie."""
        tables = self._tables
        one, *baselines = (tables.score(model) for model in NAMES)
        names = [name[:1].lower() + name[1:] for name in list(NAMES.values())[1:]]

        def beside(figure: str) -> str:
            told = zip(names, (_figure(row, figure) for row in baselines), strict=True)
            return ", ".join(f"{name} {value}" for name, value in told)

        yield from (
            _line(
                "trained on", f"{one['movies_learnt_from']:,}", f"movies from before {one['held_back_from']}"
            ),
            _line("held back", f"{one['movies']:,}", f"movies of {held_back(one)}"),
            _line("median factor", _figure(one, "median_error_factor"), beside("median_error_factor")),
            _line("log R²", _figure(one, "log_r2"), beside("log_r2")),
            _line(
                "in interval",
                f"{one['coverage']:.0%}",
                f"{one['interval_level']:.0%} wanted; high end / low end "
                f"{one['median_interval_factor']:.1f} in the middle",
            ),
        )
        if tables.warning:
            yield f"WARNING: {tables.warning}."
        for row in self.forecasts:
            ends = f"{short_money(row['low_musd'])} and {short_money(row['high_musd'])}"
            came = "" if row["revenue_musd"] is None else f"; it earned {short_money(row['revenue_musd'])}"
            yield (
                f"{row['movie']}: {short_money(row['predicted_musd'])}, with {one['interval_level']:.0%} "
                f"between {ends}{came}"
            )
        if self.is_unchanged:
            yield "Nothing has changed since the last training, so the model was not trained again."

    @property
    def _tables(self) -> ForecastTables:
        return ForecastTables(self.scores, [], [])


def _line(name: str, value: str, detail: str) -> str:
    return f"  {name + ' ':.<18} {value:>9}  ({detail})"


def _figure(row: Row, name: str) -> str:
    return "–" if row[name] is None else f"{row[name]:.2f}"  # noqa: RUF001
