"""The commands that look into the lake: `movies sql` and `movies show`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.examples import epilog
from cli.options import LARGEST, Format, LakeRoot, parse_file
from movies.lake.names import complete_name

app = typer.Typer()


@app.command(rich_help_panel="Look", epilog=epilog("sql"))
def sql(
    query: Annotated[
        str | None, typer.Argument(metavar="[QUERY]", help="A SELECT in quotes; - reads standard input.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(parser=parse_file, metavar="FILE", help="A file with the query in it.")
    ] = None,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="table on a terminal, csv elsewhere, or as the name of --output says."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(parser=parse_file, metavar="FILE", help="Write the rows into this file.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, max=LARGEST, metavar="N", help="So many rows at most; 100 in a table, else all."),
    ] = None,
    version: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TABLE=N", help="Read an older version of a table, while it can be read; repeatable."
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(min=0.001, metavar="SECONDS", help="Stop a query that takes longer, with status 1."),
    ] = None,
    escape_formulas: Annotated[
        bool,
        typer.Option(
            "--escape-formulas", help="In CSV, put ' before texts that a spreadsheet takes for formulas."
        ),
    ] = False,
    lake_root: LakeRoot = None,
) -> None:
    """Ask the tables in SQL: silver.movies, gold.genres, and all that `movies show` lists.

    Gold tables are read as they were last published, all others as they are. Nothing can be written.
    """
    from cli.sql import read_sql, show_answer

    show_answer(
        read_sql(query, file), form, output, limit, version or (), timeout, lake_root, escape_formulas
    )


@app.command(rich_help_panel="Look", epilog=epilog("show"))
def show(
    table: Annotated[
        str | None,
        typer.Argument(
            metavar="[TABLE]",
            help="Such as gold.genres, or genres; none lists all tables.",
            autocompletion=complete_name,
        ),
    ] = None,
    version: Annotated[
        int | None,
        typer.Option(min=0, max=LARGEST, metavar="N", help="An older version of it, while that can be read."),
    ] = None,
    rows: Annotated[
        int, typer.Option(min=0, max=LARGEST, metavar="N", help="Show so many of its first rows.")
    ] = 5,
    lake_root: LakeRoot = None,
) -> None:
    """Say what a table holds: rows, version, where they come from, what its columns mean, first rows.

    Gold tables are shown as they were last published, all others as they are. docs/quickstart.md says how
    tables open in pandas, polars and DuckDB.
    """
    from cli.show import show_table, show_tables

    if table is None:
        if version is not None:
            raise typer.BadParameter("--version is of a table: name one")
        show_tables(lake_root)
    else:
        show_table(table, version, rows, lake_root)
