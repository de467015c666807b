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
    """Where the containers of deployments run."""

    DOCKER = "docker"
    ECS = "ecs"
    KUBERNETES = "kubernetes"


def _print_version(is_set: bool) -> None:
    if is_set:
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
        typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version."),
    ] = False,
) -> None:
    """Fetch movies from TMDB into Delta tables; compute KPIs, a report, plots and a dashboard."""


@app.command(rich_help_panel="Run", epilog=epilog("run"))
@takes(RunRequest)
def run(
    request: RunRequest,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show how many movies would be fetched and what would run.")
    ] = False,
) -> None:
    """Fetch movies, bring the tables up to date, and write the report and the plots.

    Without a TMDB key, movies come from a bundled sandbox. What is up to date is skipped.
    """
    from cli.run_command import execute

    raise typer.Exit(execute(request, dry_run=dry_run))


@app.command(rich_help_panel="Run", epilog=epilog("forecast"))
@takes(ForecastRequest)
def forecast(request: ForecastRequest) -> None:
    """Forecast the revenue of movies from what is known before their release, and evaluate the forecast.

    The model is trained on the years before the held-back ones, and compared with simple guesses on these.
    """
    from cli.forecast_command import run_forecast

    raise typer.Exit(run_forecast(request))


@app.command(rich_help_panel="Look", epilog=epilog("status"))
def status(
    lake_root: LakeRoot = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the status as one JSON object.")] = False,
) -> None:
    """Show what the lake has, how fresh it is, the last runs, and what the next run would do."""
    from cli.status import show_status

    show_status(lake_root, as_json)


app.add_typer(reading)
app.add_typer(quarantine, rich_help_panel="Look")


@app.command(rich_help_panel="Keep", epilog=epilog("backup"))
def backup(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET", help="Folder or object-store URL for the copy; it must be empty or new."
        ),
    ],
    lake_root: LakeRoot = None,
) -> None:
    """Copy the lake to another folder or object store; a run may write to the lake meanwhile."""
    from cli.backup_command import show_backup

    show_backup(target, lake_root)


@app.command(rich_help_panel="Keep", epilog=epilog("restore"))
def restore(
    backup_root: Annotated[
        str, typer.Argument(metavar="BACKUP", help="Folder or object-store URL of the backup.")
    ],
    lake_root: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Folder or object-store URL to restore to; it must have no tables. Default: LAKE_ROOT.",
        ),
    ] = None,
) -> None:
    """Copy the tables of a backup into an empty lake."""
    from cli.backup_command import show_restore

    show_restore(backup_root, lake_root)


@app.command(rich_help_panel="Keep", epilog=epilog("prune"))
def prune(
    days: Annotated[
        int, typer.Option(min=1, max=36_500, metavar="N", help="Delete runs that are older than N days.")
    ] = 90,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be deleted.")] = False,
) -> None:
    """Delete old runs of this project's flows from Prefect, with their artifacts and logs.

    Of newer runs, only the newest three versions of each picture are kept. Tables and runs of other flows are
    not touched.
    """
    from cli.prune import show_prune

    show_prune(days, dry_run)


@app.command(rich_help_panel="Deploy", epilog=epilog("setup"))
def setup(
    pool: Annotated[Pool, typer.Option(help="Where the containers of deployments run.")] = Pool.DOCKER,
    defaults: Annotated[
        bool, typer.Option("--defaults", help="Reset automations that were changed on the server.")
    ] = False,
    forget_keys: Annotated[
        bool, typer.Option("--forget-keys", help="Delete the Secret block of each key that is not set.")
    ] = False,
) -> None:
    """Create or update what deployments need on Prefect's API: work pool, Secret blocks, automations.

    The TMDB key from the environment or .env is stored in a Secret block. NOTIFICATION_URL, if set, becomes
    the webhook for notifications.
    """
    from cli.setup import show_setup

    show_setup(pool.value, defaults=defaults, forget_keys=forget_keys)


@app.command(rich_help_panel="Deploy", epilog=epilog("deploy"))
def deploy(
    defaults: Annotated[
        bool,
        typer.Option("--defaults", help="Reset what was set on the server to the values in prefect.yaml."),
    ] = False,
    no_build: Annotated[
        bool, typer.Option("--no-build", help="Use existing images and do not build them.")
    ] = False,
) -> None:
    """Deploy the flows of prefect.yaml on Prefect's API, and keep what operators have set there.

    Schedules, parameters, tags, limits and pauses of an existing deployment stay as they are.
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

    It takes the options of `prefect worker start`, and also records how each job's container ended.
    """
    # Replace this process, because Prefect's worker installs its own signal handlers.
    os.execv(sys.executable, [sys.executable, "-m", "deployments.worker", *context.args])


def main(arguments: list[str] | None = None) -> None:
    """Run the command line with these arguments, followed by those of the process."""
    app([*(arguments or []), *sys.argv[1:]], prog_name="movies")
