"""`movies quarantine`: what silver refused, for whoever is to find out why and mend it."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.boundary import Group
from cli.options import LARGEST, LakeRoot, OutputDir

app = typer.Typer(
    name="quarantine",
    cls=Group,
    help="Payloads that silver refused: count them by reason, look at one, judge them again after a fix.",
    no_args_is_help=True,
)


@app.command("list")
def list_refused(
    reason: Annotated[
        str | None, typer.Option(metavar="REASON", help="Only payloads refused for this reason.")
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=LARGEST, metavar="N", help="List so many payloads at most.")
    ] = 50,
    lake_root: LakeRoot = None,
) -> None:
    """Count refused payloads and filtered movies by reason, and list the payloads.

    A payload is refused where it does not fit, and the field says what of it does not. A filtered movie has a
    payload that is fine, and is left out of silver all the same: it may not be released yet, for one.
    """
    from cli.refused import show_list

    show_list(reason, limit, lake_root)


@app.command()
def show(
    movie_id: Annotated[
        int, typer.Argument(max=LARGEST, metavar="MOVIE_ID", help="The id the movie was asked for by.")
    ],
    lake_root: LakeRoot = None,
) -> None:
    """Print the refused payload of a movie: laid out where it is JSON, else as it came.

    Only the payload goes to standard output, so that it can be piped; reason and field go to standard error.
    """
    from cli.refused import show_payload

    show_payload(movie_id, lake_root)


@app.command()
def replay(
    movie_ids: Annotated[
        list[int] | None,
        typer.Argument(max=LARGEST, metavar="MOVIE_ID", help="Only these; all where none are given."),
    ] = None,
    reason: Annotated[
        str | None, typer.Option(metavar="REASON", help="Only payloads refused for this reason.")
    ] = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Fetch the movies again first: TMDB may have mended them.")
    ] = False,
    spark_master: Annotated[
        str | None, typer.Option(metavar="MASTER", help="sail (embedded), local[*], spark://… or sc://…")
    ] = None,
    lake_root: LakeRoot = None,
    output_dir: OutputDir = None,
) -> None:
    """Judge refused payloads by the rules of today, and say what became of each.

    It brings silver, gold, report and plots up to date as `movies run` does: where the rules have changed,
    every payload is judged anew, and where neither they nor the payloads have, nothing is done. Ids or a
    reason choose what is fetched with --fetch, and what is told in the end.
    """
    from cli.replay import show_replay

    if movie_ids and reason is not None:
        raise typer.BadParameter("give movie ids or --reason, not both")
    raise typer.Exit(show_replay(movie_ids or [], reason, fetch, spark_master, lake_root, output_dir))
