"""Where the data comes from, in the words that TMDB asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from report.formats import counted

SOURCE = "Data: TMDB"
# https://developer.themoviedb.org/docs/faq: an application that uses the API shows this notice.
ATTRIBUTION = (
    "This product uses TMDB and the TMDB APIs but is not endorsed, certified, or otherwise approved by TMDB."
)


@dataclass(frozen=True)
class Provenance:
    """Which data a report or a plot was made from; what is None is left out of the caption."""

    movies: int
    silver_version: int | None = None
    run_id: str | None = None
    fetched_until: datetime | None = None

    @property
    def caption(self) -> str:
        """The source, the number of movies and what else is known, in one line without the notice."""
        facts = [SOURCE, counted(self.movies, "movie")]
        if self.fetched_until is not None:
            facts.append(f"fetched until {_minute(self.fetched_until)}")
        if self.silver_version is not None:
            facts.append(f"silver version {self.silver_version}")
        if self.run_id is not None:
            facts.append(f"run {self.run_id}")
        return " · ".join(facts)


def _minute(moment: datetime) -> str:
    """A moment to the minute in UTC; one without a time zone is taken to be in UTC."""
    utc = moment.astimezone(UTC) if moment.tzinfo else moment
    return f"{utc:%Y-%m-%d %H:%M} UTC"
