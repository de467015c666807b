"""A run from the command line: everything around the flow, from settings to exit status."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.local_api import LocalApi, start_local_api
from cli.terminal import Terminal
from flows.failure import FAILED, OK, USAGE, explained, is_own, sentence, status
from flows.interrupt import Interrupted, Interrupts, describe_interrupt, interrupt_status
from movies.proxies import ProxyError, check_proxies
from movies.settings import Settings, SettingsError, load_settings
from tasks.run_logs import log_files
from tasks.stages import Stage

if TYPE_CHECKING:
    from flows.planning import Errand
    from flows.run_report import RunReport
    from movies.lake.work_list import WorkList

logger = logging.getLogger(__name__)

INTERRUPT_LOGGER = "flows.interrupt"
# What stages import that the flow image leaves out (docker/README.md).
PACKAGES = {Stage.TRANSFORM: "pyspark", Stage.KPIS: "pyspark", Stage.REPORT: "seaborn"}


@dataclass(frozen=True)
class RunRequest:
    """What was asked for on the command line; None leaves it to the settings."""

    stages: list[Stage]
    refresh: bool = False
    source: str = "ids"
    filters: Mapping[str, str] = field(default_factory=dict)
    max_requests: int | None = None
    max_minutes: float | None = None
    movie_ids: tuple[int, ...] | None = None
    movie_ids_file: Path | None = None
    spark_master: str | None = None
    lake_root: str | None = None
    output_dir: str | None = None
    accept_checks: list[str] | None = None
    as_of_version: int | None = None
    imdb_ratings: str | None = None

    def settings(self) -> Settings:
        """The environment and `.env`, with what was asked for on top."""
        return load_settings(
            movie_ids_file=self.movie_ids_file,
            ingestion_movie_ids=self.movie_ids,
            spark_master=self.spark_master,
            lake_root=self.lake_root,
            output_dir=self.output_dir,
            imdb_ratings=self.imdb_ratings,
        )

    def errand(self, settings: Settings) -> Errand:
        """What the ingestion is sent for."""
        from flows.planning import build_errand

        return build_errand(
            settings, self.source, self.filters, self.refresh, self.max_requests, self.max_minutes
        )

    def flow_parameters(self) -> dict[str, Any]:
        """The same in the flow's terms."""
        return {
            "movie_ids": None if self.movie_ids is None else list(self.movie_ids),
            "movie_ids_file": self.movie_ids_file,
            "source": self.source,
            "filters": dict(self.filters),
            "stages": self.stages,
            "refresh": self.refresh,
            "max_requests": self.max_requests,
            "max_minutes": self.max_minutes,
            "spark_master": self.spark_master,
            "lake_root": self.lake_root,
            "output_dir": self.output_dir,
            "accept_checks": self.accept_checks,
            "as_of_version": self.as_of_version,
            "imdb_ratings": self.imdb_ratings,
        }


def execute(request: RunRequest, *, dry_run: bool = False) -> int:
    """Run the pipeline, or only say what it would do; return the exit status (contract, section 1)."""
    from flows.parameters import check_parameters
    from flows.planning import check_ratings
    from movies.lake.errors import FolderNameError
    from movies.lake.table import check_folder
    from spark.engines.session import check_engine_settings
    from spark.errors import EngineUnavailable, UnknownCheckError

    try:
        check_parameters(request.flow_parameters())
        settings = request.settings()
    except (SettingsError, EngineUnavailable, FolderNameError, UnknownCheckError) as error:
        Terminal().fail(str(error))
        return USAGE
    try:
        errand = request.errand(settings)
        check_proxies()
        _check_packages(request.stages)
        check_engine_settings(
            settings.spark_master, settings.spark_driver_memory, settings.spark_executor_memory
        )
        check_folder(settings.lake)
        if Stage.INGEST in request.stages:
            check_ratings(settings)
    except (SettingsError, EngineUnavailable, FolderNameError, ProxyError) as error:
        Terminal(settings.secrets).fail(str(error))
        return USAGE

    def act(terminal: Terminal, interrupts: Interrupts) -> int:
        if dry_run:
            return _dry_run(request, settings, errand, terminal)
        return _run(request, settings, errand, terminal, interrupts)

    return guarded(settings, act)


def guarded(settings: Settings, act: Callable[[Terminal, Interrupts], int]) -> int:
    """Act with log files and Ctrl-C taken care of; what goes wrong is one sentence and an exit status."""
    terminal = Terminal(settings.secrets)
    logs = settings.output_dir / "logs"
    interrupts = Interrupts()
    try:
        with interrupts.handled(), log_files(logs, settings.secrets), terminal.warnings_of(INTERRUPT_LOGGER):
            try:
                return act(terminal, interrupts)
            except Exception as error:
                interrupts.check_cancelled()
                logger.exception("the run failed")
                explained = _explain(error, settings, terminal)
                interrupts.is_told = True
                return explained
    except KeyboardInterrupt as interrupt:
        terminal.fail(describe_interrupt(interrupt))
        interrupts.is_told = True
        return interrupt_status(interrupt)
    except OSError as error:
        terminal.fail(f"The log files in {logs} cannot be written: {error.strerror or error}")
        return FAILED


def _check_packages(stages: list[Stage]) -> None:
    """Refuse a stage that cannot be run here, before anything is fetched."""
    for stage, package in PACKAGES.items():
        if stage in stages and find_spec(package) is None:
            raise SettingsError(
                f"The stage {stage} needs the package {package}, which is not installed here. Add --stage "
                "ingest to fetch only, or use the image tmdb-movies-spark."
            )


def _run(
    request: RunRequest, settings: Settings, errand: Errand, terminal: Terminal, interrupts: Interrupts
) -> int:
    with ExitStack() as stack:
        api = start_local_api()
        _announce(request, settings, errand, terminal)
        report = _run_flow(request, settings, errand, api, stack, terminal, interrupts)
    terminal.summarise(report, settings.output_dir, settings.lake)
    return OK


def _announce(request: RunRequest, settings: Settings, errand: Errand, terminal: Terminal) -> None:
    """Say where movies come from, and refuse early what cannot go well."""
    if settings.engine_fallback and {Stage.TRANSFORM, Stage.KPIS} & {*request.stages}:
        terminal.say(settings.engine_fallback)
    if Stage.INGEST not in request.stages:
        return
    if settings.uses_sandbox:
        terminal.say("No TMDB key is set: movies come from the bundled sandbox, a server on loopback.")
    from flows.planning import check_lake

    check_lake(settings)


def _plan_early(request: RunRequest, settings: Settings, errand: Errand) -> WorkList | None:
    """What there is to fetch, where no server has to be asked for that; None where nobody can tell yet."""
    from flows.planning import INVENTORY, plan
    from movies.lake.inventory import read_inventory
    from movies.tmdb.sources import Ids

    if Stage.INGEST not in request.stages or not isinstance(errand.source, Ids):
        return None

    INVENTORY.set(inventory := read_inventory(settings.lake))
    return plan(settings, inventory, errand, errand.source.found)


def _run_flow(
    request: RunRequest,
    settings: Settings,
    errand: Errand,
    api: LocalApi,
    stack: ExitStack,
    terminal: Terminal,
    interrupts: Interrupts,
) -> RunReport:
    """Start what the run is going to need side by side, and run the flow."""
    from flows.planning import SANDBOX, needs_engine
    from flows.warm_up import WARM_UP, WarmUp

    work = _plan_early(request, settings, errand)
    asks = Stage.INGEST in request.stages and (work is None or work.to_fetch)
    if asks and settings.uses_sandbox:
        from movies.sandbox import Sandbox

        SANDBOX.set(stack.enter_context(Sandbox()))
    if needs_engine(settings, request.stages, work):
        WARM_UP.set(stack.enter_context(WarmUp(settings)))

    # Prefect is imported here and not before: its API has been starting meanwhile.
    api.check_settings()
    from flows.pipeline import movie_pipeline
    from tasks.progress import LISTENER

    LISTENER.set(stack.enter_context(terminal.progress()))
    stack.enter_context(terminal.warnings_of("movies.lake.lock"))
    stack.enter_context(terminal.warnings_of("movies.tmdb.outage"))
    stack.enter_context(api.ready(terminal.say))
    report: RunReport = interrupts.run(lambda: movie_pipeline(**request.flow_parameters()))
    return report


def _dry_run(request: RunRequest, settings: Settings, errand: Errand, terminal: Terminal) -> int:
    if Stage.INGEST in request.stages:
        from flows.ingest import look_ahead
        from flows.planning import source_of

        work = asyncio.run(look_ahead(settings, errand))
        terminal.say(
            f"{len(work.to_fetch):,} of {work.asked:,} movies would be fetched from {source_of(settings)}; "
            f"{work.present:,} are in the lake, {work.absent:,} are known not to exist."
        )
    stages = ", ".join(stage for stage in Stage if stage in request.stages)
    terminal.say(f"Stages that would run: {stages}; with {settings.spark_master} on {settings.lake}.")
    return OK


def _explain(error: Exception, settings: Settings, terminal: Terminal) -> int:
    """Say in one sentence what went wrong; the stack trace is in the log file."""
    from flows.run_report import IncompleteIngestionError

    if isinstance(error, IncompleteIngestionError):
        terminal.summarise(error.report, settings.output_dir, settings.lake)
    log = settings.output_dir / "logs" / "project.log"
    error = explained(error)
    terminal.fail(sentence(error) if is_own(error) else f"{sentence(error)} (the stack trace is in {log})")
    return error.status if isinstance(error, Interrupted) else status(error)
