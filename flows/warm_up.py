"""Start the Spark engine and import the plotting libraries while Prefect's API starts."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from movies.lake.arrow import arrow_schema
from movies.lake.delta import open_table, query
from movies.lake.lake_errors import LakeError
from movies.lake.tables import RAW_MOVIES
from movies.report.gold import REPORT_TABLES, Gold
from movies.report.provenance import Provenance
from movies.settings import Settings
from tasks.context import current_run

if TYPE_CHECKING:
    from spark.engines.session import Engine

logger = logging.getLogger(__name__)


def open_engine_of(settings: Settings) -> Engine:
    """Open the engine of the settings."""
    from spark.engines.session import EngineOptions, open_engine

    options = EngineOptions(
        app_name=settings.spark_app_name,
        driver_memory=settings.spark_driver_memory,
        executor_memory=settings.spark_executor_memory,
        cores=settings.spark_cores,
        lake_root=settings.lake,
        image=settings.spark_image,
        network=settings.spark_network,
        movies=count_payloads(settings.lake),
    )
    return open_engine(settings.spark_master, options)


def count_payloads(lake_root: str) -> int:
    """Count the payloads by the Delta log; return 0 if the table cannot be read."""
    try:
        found = open_table(RAW_MOVIES, lake_root)
        return 0 if found is None else int(query(found, "SELECT count(*) AS n FROM t")["n"][0].as_py())
    except LakeError:
        return 0  # the next read reports the error


class WarmUp:
    """An engine that starts in a thread and is taken once; if it is not taken, it is stopped."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="warm-up")
        self._engine: Future[Engine] | None = self._threads.submit(open_engine_of, settings)
        self._threads.submit(_prepare_drawing).add_done_callback(_log_error)

    def take(self) -> Engine:
        """Wait for the engine and take ownership of it; raise the exception of a failed start."""
        engine, self._engine = self._engine, None
        return engine.result() if engine is not None else open_engine_of(self._settings)

    def __enter__(self) -> WarmUp:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._engine is not None:
            try:
                self._engine.result().stop()
            except Exception:
                logger.exception("the engine did not start, and was not needed")
        self._threads.shutdown()


def _log_error(preparation: Future[None]) -> None:
    if (error := preparation.exception()) is not None:
        logger.warning("the plotting libraries could not be imported early: %s", error)


def _prepare_drawing() -> None:
    # Drawing loads the fonts; seaborn is the last import of the plots.
    import seaborn  # noqa: F401

    from movies.report.plots import PLOTS, render

    nothing = Gold.from_arrow({table.name: arrow_schema(table).empty_table() for table in REPORT_TABLES})
    render(next(iter(PLOTS)), nothing, Provenance(0))


def open_engine_of_run() -> Engine:
    """Take the engine that the command line has started, or open one."""
    run = current_run()
    return run.engine() if run.engine is not None else open_engine_of(run.settings)
