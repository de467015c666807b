"""The log files of a run."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from movies.project import OWN_PACKAGES
from movies.tmdb.redaction import escape_controls, redact

# A run adds some kilobytes. The file before a full one is kept as well.
LARGEST_BYTES = 10_000_000

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"

# Which loggers a file is made of, with those below them: whole packages, and single modules of those packages
# that work for all. `project.log` (the root) has all, and Prefect's stack traces.
FILES = {
    "ingestion.log": (
        "movies.tmdb",
        "movies.imdb",
        "movies.lake",
        "flows.ingest",
        "flows.maintain",
        "flows.ratings_ingestion",
        "tasks.events",
        "tasks.progress",
        "tasks.imdb_ratings",
        "tasks.shared_pace",
        "tasks.showing",
    ),
    "etl.log": (
        "spark",
        "flows.warm_up",
        "stages.kpis_stage",
        "stages.publishing",
        "stages.transform_stage",
        "tasks.spark_tables",
    ),
    "analytics.log": (
        "movies.report",
        "movies.forecast",
        "flows.analytics",
        "flows.delegation",
        "flows.forecast",
        "stages.forecast_stage",
        "tasks.forecast_training",
        "tasks.reporting",
    ),
    "project.log": ("",),
}
# Modules whose records are about a run as a whole, and in `project.log` alone.
OF_THE_RUN = (
    "cli.boundary",
    "flows.interrupt",
    "flows.pipeline",
    "flows.planning",
    "cli.run_command",
    "flows.run_names",
    "flows.run_settings",
    "flows.states",
    "cli.temporary_server",
    "tasks.optional",
    "tasks.pruning",
)
# httpx logs whole URLs at INFO, and a v3 key is part of them.
QUIET = ("httpx", "httpcore", "py4j", "matplotlib", "grpc", "pyspark")


# The attribute of a record whose stack trace is for the files alone.
TRACE = "trace_of"


def trace_of(error: BaseException) -> dict[str, BaseException]:
    """Return the `extra` of a record whose stack trace goes into the files, and nowhere else."""
    return {TRACE: error}


class RedactingFormatter(logging.Formatter):
    """Formats a record, message on one line, then its stack trace, and takes the secrets out."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        super().__init__(FORMAT)
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        if (error := getattr(record, TRACE, None)) is not None:
            text += "\n" + self.formatException((type(error), error, error.__traceback__))
        return redact(escape_controls(text, keep="\n\t"), self._secrets)

    def formatMessage(self, record: logging.LogRecord) -> str:
        # What a server says may not look like a record of its own.
        return escape_controls(super().formatMessage(record))


def set_levels() -> None:
    """Let the project's own packages say what they do, and the libraries only what went wrong."""
    for name in OWN_PACKAGES:
        logging.getLogger(name).setLevel(logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


@contextmanager
def log_files(folder: Path, secrets: tuple[str, ...]) -> Iterator[None]:
    """Append the run's records to the four files for the length of the block.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    set_levels()
    formatter = RedactingFormatter(secrets)
    attached: list[tuple[logging.Logger, logging.FileHandler]] = []
    try:
        for file_name, logger_names in FILES.items():
            _begin_anew_if_full(folder / file_name)
            handler = logging.FileHandler(folder / file_name, encoding="utf-8")
            handler.setFormatter(formatter)
            for logger_name in logger_names:
                logger = logging.getLogger(logger_name)
                logger.addHandler(handler)
                attached.append((logger, handler))
        yield
    finally:
        for logger, file in attached:
            logger.removeHandler(file)
            file.close()


def _begin_anew_if_full(path: Path) -> None:
    """Rename a large file to `NAME.1`, whatever had that name before."""
    with suppress(OSError):  # There is no file yet, or Windows keeps one that another run has open.
        if path.stat().st_size > LARGEST_BYTES:
            path.replace(path.with_name(f"{path.name}.1"))
