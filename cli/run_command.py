"""The command `movies run`: everything around the flow, from settings to exit status."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING

from cli.local_api import LocalApi, start_local_api
from cli.terminal import Terminal
from flows.failure import FAILED, OK, USAGE, explained, is_own, sentence, status
from flows.interrupt import Interrupted, Interrupts, describe_interrupt, interrupt_status
from flows.request import RunRequest
from movies.proxies import ProxyError, check_proxies
from movies.settings import Settings, SettingsError
from stages.names import StageName
from tasks.run_logs import log_files

if TYPE_CHECKING:
    from flows.run_report import RunReport
    from movies.lake.work_list import WorkList
    from tasks.context import RunContext

logger = logging.getLogger(__name__)

INTERRUPT_LOGGER = "flows.interrupt"
# Packages that stages import and the flow image does not have (docker/README.md).
PACKAGES = {StageName.TRANSFORM: "pyspark", StageName.KPIS: "pyspark", StageName.REPORT: "seaborn"}


def execute(request: RunRequest, *, dry_run: bool = False) -> int:
    """Run the pipeline, or only print what it would do; return the exit status."""
    from flows.planning import check_ratings
    from movies.lake.lake_errors import FolderNameError
    from movies.lake.table import check_folder
    from spark.engines.session import check_engine_settings
    from spark.spark_errors import EngineUnavailable

    settings = request.load_settings()
    try:
        check_proxies()
        _check_packages(request.wanted)
        check_engine_settings(
            settings.spark_master, settings.spark_driver_memory, settings.spark_executor_memory
        )
        check_folder(settings.lake)
        if StageName.INGEST in request.wanted:
            check_ratings(settings)
    except (SettingsError, EngineUnavailable, FolderNameError, ProxyError) as error:
        Terminal(settings.secrets).fail(str(error))
        return USAGE

    def act(terminal: Terminal, interrupts: Interrupts) -> int:
        if dry_run:
            return _dry_run(request, settings, terminal)
        return _run(request, settings, terminal, interrupts)

    return guarded(settings, act)


def guarded(settings: Settings, act: Callable[[Terminal, Interrupts], int]) -> int:
    """Call `act` with log files and a handler for Ctrl-C; turn errors into a sentence and an exit status."""
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


def _check_packages(stages: Sequence[StageName]) -> None:
    """Raise SettingsError, before anything is fetched, if the package of a stage is not installed."""
    for stage, package in PACKAGES.items():
        if stage in stages and find_spec(package) is None:
            raise SettingsError(
                f"The stage {stage} needs the package {package}, which is not installed here. Add --stage "
                "ingest to fetch only, or use the image tmdb-movies-spark."
            )


def _run(request: RunRequest, settings: Settings, terminal: Terminal, interrupts: Interrupts) -> int:
    from movies.lake.delta import LakeView
    from tasks.context import RunContext, run_context

    with ExitStack() as stack:
        api = start_local_api()
        run = RunContext(
            settings,
            LakeView(settings.lake),
            has_temporary_api=api.is_temporary,
            draining=interrupts.draining,
        )
        _announce(request, run, terminal)
        stack.enter_context(run_context(run))
        report = _run_flow(request, run, api, stack, terminal, interrupts)
    terminal.summarise(report, settings.output_dir, settings.lake)
    return OK


def _announce(request: RunRequest, run: RunContext, terminal: Terminal) -> None:
    """Say where movies come from, and check the lake before anything is fetched."""
    settings = run.settings
    if settings.engine_fallback and {StageName.TRANSFORM, StageName.KPIS} & {*request.wanted}:
        terminal.say(settings.engine_fallback)
    if StageName.INGEST not in request.wanted:
        return
    if settings.uses_sandbox:
        terminal.say("No TMDB key is set: movies come from the bundled sandbox, a server on loopback.")
    from flows.planning import check_lake

    check_lake(run.settings, run.lake)


def _plan_early(request: RunRequest, run: RunContext) -> WorkList | None:
    """Return the work list if the ids are known without a request, otherwise None."""
    from flows.planning import plan
    from movies.lake.inventory import read_inventory
    from movies.tmdb.sources import Ids

    if StageName.INGEST not in request.wanted:
        return None
    source = request.build_source(run.settings)
    if not isinstance(source, Ids):
        return None
    run.inventory = read_inventory(run.lake)
    return plan(run.settings, run.inventory, source.found, refresh=request.refresh)


def _run_flow(
    request: RunRequest,
    run: RunContext,
    api: LocalApi,
    stack: ExitStack,
    terminal: Terminal,
    interrupts: Interrupts,
) -> RunReport:
    """Start what the run will need in parallel, and run the flow."""
    from flows.planning import needs_engine
    from flows.warm_up import WarmUp

    settings = run.settings
    work = _plan_early(request, run)
    fetches = StageName.INGEST in request.wanted and (work is None or work.to_fetch)
    if fetches and settings.uses_sandbox:
        from movies.sandbox import Sandbox

        run.sandbox = stack.enter_context(Sandbox())
    if needs_engine(run, request.wanted, work):
        run.engine = stack.enter_context(WarmUp(settings)).take

    # Prefect is imported here, while its API is starting.
    api.check_settings()
    from flows.pipeline import movie_pipeline

    run.show_progress = stack.enter_context(terminal.progress())
    stack.enter_context(terminal.warnings_of("movies.lake.lock"))
    stack.enter_context(terminal.warnings_of("movies.tmdb.outage"))
    stack.enter_context(api.ready(terminal.say))
    report: RunReport = interrupts.run(lambda: movie_pipeline(**request.parameters))
    return report


def _dry_run(request: RunRequest, settings: Settings, terminal: Terminal) -> int:
    if StageName.INGEST in request.wanted:
        from flows.ingest import look_ahead
        from flows.planning import source_of
        from movies.lake.delta import LakeView
        from tasks.context import RunContext

        work = asyncio.run(look_ahead(RunContext(settings, LakeView(settings.lake)), request))
        terminal.say(
            f"{len(work.to_fetch):,} of {work.asked:,} movies would be fetched from {source_of(settings)}; "
            f"{work.present:,} are in the lake, {work.absent:,} are not at TMDB."
        )
    stages = ", ".join(request.wanted)
    terminal.say(f"Stages that would run: {stages}; with {settings.spark_master} on {settings.lake}.")
    return OK


def _explain(error: Exception, settings: Settings, terminal: Terminal) -> int:
    """Print in one sentence what went wrong, and return the exit status."""
    from flows.run_report import IncompleteIngestionError

    if isinstance(error, IncompleteIngestionError):
        terminal.summarise(error.report, settings.output_dir, settings.lake)
    log = settings.output_dir / "logs" / "project.log"
    error = explained(error, settings)
    terminal.fail(sentence(error) if is_own(error) else f"{sentence(error)} (the stack trace is in {log})")
    return error.status if isinstance(error, Interrupted) else status(error)
