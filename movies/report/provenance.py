"""Where the data comes from, in the words that TMDB asks for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from movies.report.formats import counted
from movies.settings import SANDBOX_SOURCE

TMDB, SANDBOX = "TMDB", "the bundled sandbox, not TMDB"
# https://developer.themoviedb.org/docs/faq: an application that uses the API shows this notice.
ATTRIBUTION = (
    "This product uses TMDB and the TMDB APIs but is not endorsed, certified, or otherwise approved by TMDB."
)
# Of a run's id, or of a code version: enough to find it by.
SHOWN_DIGITS = 8


@dataclass(frozen=True)
class Provenance:
    """Which data a report or a plot was made from; what is None is left out of the caption."""

    movies: int
    raw_version: int | None = None
    silver_version: int | None = None
    code_version: str | None = None
    run_id: str | None = None
    fetched_until: datetime | None = None
    source: str = TMDB

    @property
    def data(self) -> str:
        """The source, as everything that shows figures has it."""
        return describe_data(self.source)

    @property
    def notice(self) -> str:
        """The source and what TMDB asks for, as a picture's metadata have it."""
        return f"{self.data}. {ATTRIBUTION}"

    @property
    def caption(self) -> str:
        """The source, the number of movies and what else is known, in one line without the notice."""
        facts = [self.data, counted(self.movies, "movie")]
        if self.fetched_until is not None:
            facts.append(f"fetched until {_minute(self.fetched_until)}")
        made_from = {
            "raw v": self.raw_version,
            "silver v": self.silver_version,
            "code ": self.code_version,
            "run ": self.run_id,
        }
        facts += [f"{name}{value}" for name, value in made_from.items() if value is not None]
        return " · ".join(facts)


def name_source(sources: Collection[str]) -> str:
    """Name what movies come from, as people read it; `raw/movies` has the names that programs need."""
    return SANDBOX if SANDBOX_SOURCE in sources else TMDB


def describe_data(source: str) -> str:
    """Say what figures are made from."""
    return f"Data: {source}"


def _minute(moment: datetime) -> str:
    """A moment to the minute in UTC; one without a time zone is taken to be in UTC."""
    utc = moment.astimezone(UTC) if moment.tzinfo else moment
    return f"{utc:%Y-%m-%d %H:%M} UTC"
