"""What the flows and tasks of one run share, and what cannot be a parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from movies.lake.checkpoints import Batch, Committer
    from movies.lake.delta import LakeView
    from movies.lake.inventory import Inventory
    from movies.sandbox import Sandbox
    from movies.settings import Settings
    from movies.tmdb.client import TmdbClient
    from movies.tmdb.stop import Stop
    from spark.engines.session import Engine
    from stages.spark_run import SparkRun
    from tasks.progress import Progress


@dataclass
class Ingestion:
    """Client, committer and open batches of one ingestion, all of one event loop."""

    client: TmdbClient
    committer: Committer
    progress: Progress
    batches: dict[str, Batch] = field(default_factory=dict)

    @contextmanager
    def open_batch(self, parts: int) -> Iterator[str]:
        """Return a batch by its id, because tasks take ids and not objects."""
        batch = self.committer.open_batch(parts)
        self.batches[batch.batch_id] = batch
        try:
            yield batch.batch_id
        finally:
            del self.batches[batch.batch_id]


@dataclass
class RunContext:
    """The settings of a run, what the command line has started for it, and what its tasks use.

    `source` names where the run's movies come from, once that is known.
    """

    settings: Settings
    lake: LakeView
    source: str | None = None
    sandbox: Sandbox | None = None
    inventory: Inventory | None = None
    engine: Callable[[], Engine] | None = None
    show_progress: Callable[[Progress], None] | None = None
    has_temporary_api: bool = False
    # What Ctrl-C does while movies are fetched (`flows.interrupt`).
    draining: Callable[[Stop], AbstractContextManager[None]] | None = None
    ingestion: Ingestion | None = None
    spark: SparkRun | None = None


_RUN: ContextVar[RunContext | None] = ContextVar("run", default=None)


def find_run() -> RunContext | None:
    """Return the context of the current run, or None outside of a run."""
    return _RUN.get()


def current_run() -> RunContext:
    """Return the context of the current run.

    Raises:
        LookupError: there is no current run.
    """
    if (run := _RUN.get()) is None:
        raise LookupError("There is no current run")
    return run


@contextmanager
def run_context(run: RunContext) -> Iterator[RunContext]:
    """Make this the context of flows and tasks that are called in the block."""
    token = _RUN.set(run)
    try:
        yield run
    finally:
        _RUN.reset(token)


@contextmanager
def ingestion_context(ingestion: Ingestion) -> Iterator[Ingestion]:
    """Let the fetch tasks of the block use this ingestion."""
    run = current_run()
    run.ingestion = ingestion
    try:
        yield ingestion
    finally:
        run.ingestion = None


@contextmanager
def spark_context(spark: SparkRun) -> Iterator[SparkRun]:
    """Let the Spark tasks of the block use this engine, and close it with the block."""
    run = current_run()
    run.spark = spark
    try:
        yield spark
    finally:
        run.spark = None
        spark.close()


def current_ingestion() -> Ingestion:
    """Return the current ingestion."""
    ingestion = current_run().ingestion
    assert ingestion is not None, "a fetch task runs within an ingestion"
    return ingestion


def current_spark() -> SparkRun:
    """Return the Spark engine of the run that goes on."""
    spark = current_run().spark
    assert spark is not None, "a Spark task runs within the analytics"
    return spark
