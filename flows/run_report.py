"""Reports of what a run did, for its summary on the terminal and its table in Prefect's UI."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Any

from movies.lake.publications import Publication
from movies.report.formats import counted
from movies.report.provenance import describe_data
from movies.tmdb.client import tally
from stages.names import StageName

if TYPE_CHECKING:
    # It imports Prefect, which must not be imported before its settings are known.
    from tasks.imdb_ratings import RatingsCounts


NOTHING_CHANGED = "nothing changed"


@dataclass
class IngestionReport:
    """Counts of what became of the requested ids."""

    asked: int = 0
    fetched: int = 0
    present: int = 0
    absent: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    requests: int = 0
    retries: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    commits: int = 0
    has_gone: bool = False
    left: int = 0
    refused_lines: int = 0
    stopped: str = ""
    outage: str = ""
    held_back: str = ""
    followed: datetime | None = None
    not_followed: int = 0
    ratings: RatingsCounts | None = None
    ratings_error: str = ""

    def add(self, fetched: int, failed: Mapping[str, int]) -> None:
        """Count the movies of one task."""
        self.fetched += fetched
        for reason, count in failed.items():
            self.failed[reason] = self.failed.get(reason, 0) + count

    @property
    def not_found(self) -> int:
        """Count the movies that TMDB does not have, whether that was known before or not."""
        return self.absent + self.failed.get("not_found", 0)

    @property
    def lost(self) -> dict[str, int]:
        """Count the movies that are still missing, by the reason they could not be fetched."""
        return {reason: count for reason, count in self.failed.items() if reason != "not_found"}

    @property
    def is_complete(self) -> bool:
        """Whether all requested movies and ratings could be fetched."""
        return not (self.lost or self.outage or self.ratings_error)

    def rows(self) -> list[dict[str, Any]]:
        """List the counts as rows of a table, with the reasons."""
        effort = f"{self.requests:,} requests, {self.retries:,} retries"
        if self.errors:
            effort += f" after {tally(self.errors)}"
        if self.held_back:
            effort += f"; {self.held_back}"
        rows = [
            ("requested", self.asked, ""),
            ("fetched", self.fetched, effort),
            ("already there", self.present, ""),
            ("not found", self.not_found, "TMDB has no such movie" if self.not_found else ""),
            ("failed", sum(self.lost.values()), reasons(self.lost)),
        ]
        if self.not_followed:
            why = "a cache had content from before the change; the next run requests them again"
            rows.append(("still outdated", self.not_followed, why))
        if self.refused_lines:
            rows.append(("lines rejected", self.refused_lines, "of the list of ids; the log shows the first"))
        if self.stopped:
            rows.append(("left", self.left, self.stopped))
        if self.ratings is not None:
            rows.append(("in IMDb's file", self.ratings.rows, self._describe_ratings(self.ratings)))
        return [{"movies": name, "count": count, "detail": detail} for name, count, detail in rows]

    def _describe_ratings(self, ratings: RatingsCounts) -> str:
        state = "from an earlier run" if self.ratings_error else "new" if ratings.is_new else "unchanged"
        rejected = reasons(ratings.refused)
        return f"{state}; {sum(ratings.refused.values()):,} rejected: {rejected}" if rejected else state

    def sentence(self) -> str:
        """Return the counts in one line."""
        return "movies: " + ", ".join(f"{row['movies']} {row['count']:,}" for row in self.rows())

    def headline(self) -> str:
        """The message of the run's state: the figures that matter."""
        return ", ".join([*self.figures(), *([] if self.is_changed else [NOTHING_CHANGED])])

    @property
    def is_changed(self) -> bool:
        """Whether the run has committed anything; a new list of ids alone is no change."""
        return bool(self.fetched or self.failed or self.has_new_ratings)

    def figures(self) -> list[str]:
        """List how many of the requested movies the lake has, and how many are new, missing or left."""
        there = self.fetched + self.present
        new = ", all new" if there and self.fetched == there else f", {self.fetched:,} new"
        figures = [
            (counted(there, "movie") + (new if self.fetched else ""), True),
            (f"{self.not_found:,} not found", self.not_found),
            (f"{sum(self.lost.values()):,} failed", self.lost),
            (f"{self.left:,} left: {self.stopped}", self.stopped),
            ("new IMDb ratings", self.has_new_ratings),
            ("new IMDb ratings could not be fetched", self.ratings_error),
        ]
        return [text for text, is_shown in figures if is_shown]

    @property
    def has_new_ratings(self) -> bool:
        """Whether IMDb's ratings in the lake have changed."""
        return self.ratings is not None and self.ratings.is_new

    def metrics(self, seconds: float) -> dict[str, Any]:
        """Return the numbers for the event of the ingestion."""
        return {
            "asked": self.asked,
            "fetched": self.fetched,
            "present": self.present,
            "not_found": self.not_found,
            "failed": self.lost,
            "failed_total": sum(self.lost.values()),
            "left": self.left,
            "requests": self.requests,
            "retries": self.retries,
            "errors": self.errors,
            "commits": self.commits,
            "seconds": round(seconds, 3),
            "movies_per_second": round(self.fetched / max(seconds, 1e-9), 3),
            "not_followed": self.not_followed,
            "followed": self.followed.isoformat() if self.followed else None,
        }


@dataclass
class AnalyticsReport:
    """What the tables hold after the run."""

    movies: int | None = None
    rated: int | None = None
    filtered: dict[str, int] = field(default_factory=dict)
    quarantined: dict[str, int] = field(default_factory=dict)
    quality_warnings: list[str] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    files_made: bool = False
    engine_started: bool = False
    seconds: dict[str, float] = field(default_factory=dict)

    def describe_silver(self, silver: Publication) -> None:
        """Copy the counts and versions that the transform has published."""
        self.movies, self.rated = silver.facts["movies"], silver.facts.get("rated")
        self.filtered, self.quarantined = silver.facts["filtered"], silver.facts["quarantined"]
        self.versions = {
            **{name: version.version for name, version in silver.inputs.items()},
            **silver.versions,
        }

    def describe_gold(self, gold: Publication) -> None:
        """Copy the versions and quality warnings that the KPI stage has published."""
        self.quality_warnings = gold.facts["warnings"] + gold.facts["accepted"]
        self.versions |= gold.versions

    def headline(self) -> str:
        """The message of the run's state: the figures that matter."""
        return ", ".join([*self.figures(), *([] if self.is_changed else [NOTHING_CHANGED])])

    @property
    def is_changed(self) -> bool:
        """Whether tables or files were written."""
        return self.engine_started or self.files_made

    def figures(self) -> list[str]:
        """List how many movies are in and out of silver, and how many checks warn."""
        if self.movies is None:
            return [counted(len(self.files), "file")] if self.files else []
        figures = [
            (f"{self.movies:,} in silver", True),
            (f"{sum(self.filtered.values()):,} filtered", any(self.filtered.values())),
            (f"{sum(self.quarantined.values()):,} in quarantine", any(self.quarantined.values())),
            (counted(len(self.quality_warnings), "quality warning"), self.quality_warnings),
        ]
        return [text for text, is_shown in figures if is_shown]

    def sentence(self) -> str:
        """Return what the tables hold, and whether an engine was needed, in one line."""
        counts = [f"{counted(self.movies or 0, 'movie')} in silver"]
        for what, number in (("filtered", self.filtered), ("in quarantine", self.quarantined)):
            if total := sum(number.values()):
                counts.append(f"{total:,} {what} ({reasons(number)})")
        engine = "" if self.engine_started else "; no engine was needed"
        return (
            f"{', '.join(counts)}; {counted(len(self.files), 'file')} of report, plots and dashboard{engine}"
        )


@dataclass
class RunReport:
    """The report of a run: what it fetched, what the tables hold, and how long each step took."""

    ingestion: IngestionReport = field(default_factory=IngestionReport)
    analytics: AnalyticsReport = field(default_factory=AnalyticsReport)
    seconds: dict[str, float] = field(default_factory=dict)
    source: str = ""

    @property
    def is_unchanged(self) -> bool:
        """Whether the run found everything up to date and changed nothing."""
        is_changed = self.ingestion.is_changed or self.analytics.is_changed
        return not is_changed and self.ingestion.is_complete and not self.ingestion.stopped

    def headline(self) -> str:
        """The message of the run's state: `18 movies, 1 not found, nothing changed`."""
        figures = self.ingestion.figures() if StageName.INGEST in self.seconds else []
        figures += [NOTHING_CHANGED] if self.is_unchanged else self.analytics.figures()
        return ", ".join(figures)

    def sentence(self) -> str:
        """Return what the run did, in one line."""
        if self.is_unchanged:
            return "unchanged: all requested movies are in the lake, and all outputs are up to date"
        counts = ", ".join(f"{row['movies']} {row['count']}" for row in self.rows())
        return f"movies: {counts}"

    @property
    def data(self) -> str:
        """Return where the movies come from, in one line."""
        return describe_data(self.source)

    def rows(self) -> list[dict[str, Any]]:
        """List all counts of the run as rows of a table, with the reasons."""
        rows = self.ingestion.rows()
        if (analytics := self.analytics).movies is not None:
            silver = [
                ("rows in silver", analytics.movies, ""),
                ("filtered", sum(analytics.filtered.values()), reasons(analytics.filtered)),
                ("in quarantine", sum(analytics.quarantined.values()), reasons(analytics.quarantined)),
                ("quality warnings", len(analytics.quality_warnings), ", ".join(analytics.quality_warnings)),
            ]
            if analytics.rated is not None:
                silver.append(("IMDb ratings", analytics.rated, f"of {counted(analytics.movies, 'movie')}"))
            rows += [{"movies": name, "count": count, "detail": detail} for name, count, detail in silver]
        return rows


def _describe_lost(ingestion: IngestionReport) -> str:
    if not (lost := ingestion.lost):
        return ""
    return (
        f"{sum(lost.values()):,} of {ingestion.asked:,} movies could not be fetched "
        f"({reasons(lost)}). See the table raw/fetch_failures; the next run tries them again"
    )


def _describe_ratings_error(ingestion: IngestionReport) -> str:
    error = ingestion.ratings_error
    return f"{error}. The earlier ratings stay, and the next run tries again" if error else ""


class IncompleteIngestionError(Exception):
    """Movies or ratings could not be fetched; everything else was done, as `report` says."""

    is_temporary = True

    def __init__(self, report: RunReport) -> None:
        super().__init__(
            ". ".join(
                sentence
                for sentence in (
                    report.ingestion.outage,
                    _describe_lost(report.ingestion),
                    _describe_ratings_error(report.ingestion),
                )
                if sentence
            )
        )
        self.report = report


def raise_for_lost(ingestion: IngestionReport) -> None:
    """Raise IncompleteIngestionError if movies or ratings could not be fetched."""
    if not ingestion.is_complete:
        raise IncompleteIngestionError(RunReport(ingestion=ingestion))


def reasons(counts: Mapping[str, int]) -> str:
    """Format counts as `2 not_released, 1 bad_value`; empty if all are 0."""
    return ", ".join(f"{count} {reason}" for reason, count in counts.items() if count)


@contextmanager
def timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    """Record how long a step took, also if it fails."""
    start = monotonic()
    try:
        yield
    finally:
        seconds[step] = monotonic() - start
