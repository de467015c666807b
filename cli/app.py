"""The command line `movies`; `python flows/main.py` is its `run`."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from typing import Annotated

import typer

from cli.boundary import Commands
from cli.examples import epilog
from cli.options import LakeRoot, takes
from cli.quarantine import app as quarantine
from cli.reading import app as reading
from flows.request import ForecastRequest, RunRequest


class Pool(StrEnum):
    """What runs the containers of deployments."""

    DOCKER = "docker"
    ECS = "ecs"
    KUBERNETES = "kubernetes"


def _say_version(is_asked: bool) -> None:
    if is_asked:
        from movies import project

        typer.echo(f"movies {project.version()}")
        raise typer.Exit


app = typer.Typer(
    name="movies",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def start(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_say_version, help="Say which version this is."),
    ] = False,
) -> None:
    """Movies from TMDB into Delta tables, KPIs, a report, plots and a dashboard."""


@app.command(rich_help_panel="Run", epilog=epilog("run"))
@takes(RunRequest)
def run(
    request: RunRequest,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how much there is to fetch and what would run.")
    ] = False,
) -> None:
    """Fetch movies, bring the tables up to date, and write the report and the plots.

    Without a TMDB key the movies come from a bundled sandbox. What is current is not made again.
    """
    from cli.run import execute

    raise typer.Exit(execute(request, dry_run=dry_run))


@app.command(rich_help_panel="Run", epilog=epilog("forecast"))
@takes(ForecastRequest)
def forecast(request: ForecastRequest) -> None:
    """Forecast what movies earn from what is known before their release, and say how well.

    The model learns from the years before the held-back ones, and is evaluated on these beside plain guesses.
    """
    from cli.forecast import run_forecast

    raise typer.Exit(run_forecast(request))


@app.command(rich_help_panel="Look", epilog=epilog("status"))
def status(
    lake_root: LakeRoot = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="All of it as one JSON object, for a program.")
    ] = False,
) -> None:
    """Say what is in the lake, how fresh it is, what was done last, and what the next run would do."""
    from cli.status import show_status

    show_status(lake_root, as_json)


app.add_typer(reading)
app.add_typer(quarantine, rich_help_panel="Look")


@app.command(rich_help_panel="Keep", epilog=epilog("backup"))
def backup(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="An empty folder or URL, or one to make.")],
    lake_root: LakeRoot = None,
) -> None:
    """Copy the lake to another folder or object store, also while a run writes to it."""
    from cli.backup import show_backup

    show_backup(target, lake_root)


@app.command(rich_help_panel="Keep", epilog=epilog("restore"))
def restore(
    backup_root: Annotated[str, typer.Argument(metavar="BACKUP", help="Folder or URL of a backup.")],
    lake_root: Annotated[
        str | None, typer.Option(metavar="DIR", help="Where the tables are to be; there may be none yet.")
    ] = None,
) -> None:
    """Copy a backup to where the lake is to be."""
    from cli.backup import show_restore

    show_restore(backup_root, lake_root)


@app.command(rich_help_panel="Keep", epilog=epilog("prune"))
def prune(
    days: Annotated[
        int, typer.Option(min=1, max=36_500, metavar="N", help="Delete runs that are more than N days old.")
    ] = 90,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many there are.")] = False,
) -> None:
    """Delete old runs of this project's flows from Prefect, with their artifacts and logs.

    Of newer runs, pictures are deleted but for the newest three of each. The tables are not touched, and
    neither are runs of other flows.
    """
    from cli.prune import show_prune

    show_prune(days, dry_run)


@app.command(rich_help_panel="Deploy", epilog=epilog("setup"))
def setup(
    pool: Annotated[Pool, typer.Option(help="What runs the containers of deployments.")] = Pool.DOCKER,
    defaults: Annotated[
        bool, typer.Option("--defaults", help="Reset automations that were changed there.")
    ] = False,
    forget_keys: Annotated[
        bool, typer.Option("--forget-keys", help="Delete the Secret block of each key that is not set here.")
    ] = False,
) -> None:
    """Create or update what deployments need on Prefect's API: work pool, Secret blocks, automations.

    The TMDB key of the environment or .env is kept in a Secret block; NOTIFICATION_URL is a webhook.
    """
    from cli.setup import show_setup

    show_setup(pool.value, defaults=defaults, forget_keys=forget_keys)


@app.command(rich_help_panel="Deploy", epilog=epilog("deploy"))
def deploy(
    defaults: Annotated[
        bool,
        typer.Option("--defaults", help="Reset what was set there to what prefect.yaml has."),
    ] = False,
    no_build: Annotated[
        bool, typer.Option("--no-build", help="Deploy images that are there already.")
    ] = False,
) -> None:
    """Deploy the flows of prefect.yaml on Prefect's API, and keep what was set there.

    Schedules, parameters, tags, limits and pauses of a deployment that exists stay as they are.
    """
    from cli.deploy import show_deploy

    show_deploy(defaults=defaults, build=not no_build)


@app.command(
    rich_help_panel="Deploy",
    epilog=epilog("worker"),
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def worker(context: typer.Context) -> None:
    """Run the worker that starts the jobs of deployments as Docker containers, until it is stopped.

    Takes the options of `prefect worker start`, which it is but for the end of a job.
    """
    # A process of its own: Prefect's worker has its own way with signals.
    os.execv(sys.executable, [sys.executable, "-m", "deployments.worker", *context.args])


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; arguments given here go before those of the process."""
    app([*(arguments or []), *sys.argv[1:]], prog_name="movies")
