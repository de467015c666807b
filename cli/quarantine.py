"""The command `movies quarantine`: payloads that silver rejected, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.boundary import Group
from cli.options import LARGEST, LakeRoot, OutputDir

app = typer.Typer(
    name="quarantine",
    cls=Group,
    help="Count rejected payloads by reason, show one, or validate them again after a fix.",
    no_args_is_help=True,
)


@app.command("list")
def list_rejected(
    reason: Annotated[
        str | None, typer.Option(metavar="REASON", help="Only payloads rejected for this reason.")
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=LARGEST, metavar="N", help="List at most N payloads.")
    ] = 50,
    lake_root: LakeRoot = None,
) -> None:
    """Count rejected payloads and filtered movies by reason, and list the payloads.

    A payload is rejected if a field of it is not valid. A filtered movie has a valid payload but does not
    belong in silver, for example because it is not released yet.
    """
    from cli.refused import show_list

    show_list(reason, limit, lake_root)


@app.command()
def show(
    movie_id: Annotated[
        int, typer.Argument(max=LARGEST, metavar="MOVIE_ID", help="The id by which the movie was requested.")
    ],
    lake_root: LakeRoot = None,
) -> None:
    """Print the rejected payload of a movie, indented if it is JSON.

    Only the payload goes to standard output, so that you can pipe it. Reason and field go to standard error.
    """
    from cli.refused import show_payload

    show_payload(movie_id, lake_root)


@app.command()
def replay(
    movie_ids: Annotated[
        list[int] | None,
        typer.Argument(max=LARGEST, metavar="MOVIE_ID", help="Only these movies. Default: all."),
    ] = None,
    reason: Annotated[
        str | None, typer.Option(metavar="REASON", help="Only payloads rejected for this reason.")
    ] = None,
    fetch: Annotated[
        bool,
        typer.Option("--fetch", help="Fetch the movies again first, because TMDB may have corrected them."),
    ] = False,
    spark_master: Annotated[
        str | None,
        typer.Option(
            metavar="MASTER", help="Spark engine: sail (embedded), docker, local[*], spark://… or sc://…."
        ),
    ] = None,
    lake_root: LakeRoot = None,
    output_dir: OutputDir = None,
) -> None:
    """Validate rejected payloads by the current rules, and say what became of each.

    Silver, gold, report and plots are brought up to date as by `movies run`. If the rules have changed, every
    payload is validated again; if neither rules nor payloads have, nothing is done. Ids or a reason select
    which movies --fetch fetches and which are listed at the end.
    """
    from cli.replay import show_replay

    if movie_ids and reason is not None:
        raise typer.BadParameter("Give movie ids or --reason, not both.")
    raise typer.Exit(show_replay(movie_ids or [], reason, fetch, spark_master, lake_root, output_dir))
