"""Provenance of the data, with the notice that TMDB requires."""

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
# Shown digits of run ids and code versions, enough to find them.
SHOWN_DIGITS = 8


@dataclass(frozen=True)
class Provenance:
    """The data that a report or a plot was made from; None is left out of the caption."""

    movies: int
    raw_version: int | None = None
    silver_version: int | None = None
    code_version: str | None = None
    run_id: str | None = None
    fetched_until: datetime | None = None
    source: str = TMDB

    @property
    def data(self) -> str:
        """The source, for everything that shows figures."""
        return describe_data(self.source)

    @property
    def notice(self) -> str:
        """The source and TMDB's notice, for the metadata of a picture."""
        return f"{self.data}. {ATTRIBUTION}"

    @property
    def caption(self) -> str:
        """A line with the source, the number of movies and the other facts, without the notice."""
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
    """Name the source of movies for readers; `raw/movies` has other names."""
    return SANDBOX if SANDBOX_SOURCE in sources else TMDB


def describe_data(source: str) -> str:
    """Describe the source of figures."""
    return f"Data: {source}"


def _minute(moment: datetime) -> str:
    """Format a moment in UTC to the minute; without a time zone it is taken as UTC."""
    utc = moment.astimezone(UTC) if moment.tzinfo else moment
    return f"{utc:%Y-%m-%d %H:%M} UTC"
