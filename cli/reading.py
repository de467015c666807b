"""The commands that read the lake: `movies sql` and `movies show`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.examples import epilog
from cli.options import LARGEST, Format, LakeRoot, parse_file
from movies.lake.table_names import complete_name

app = typer.Typer()


@app.command(rich_help_panel="Look", epilog=epilog("sql"))
def sql(
    query: Annotated[
        str | None,
        typer.Argument(metavar="[QUERY]", help="A SELECT in quotes, or - to read it from standard input."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(parser=parse_file, metavar="FILE", help="Read the query from this file.")
    ] = None,
    form: Annotated[
        Format | None,
        typer.Option(
            "--format",
            help="Format of the rows. Default: as --output is named, else table on a terminal, else csv.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(parser=parse_file, metavar="FILE", help="Write the rows into this file.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1, max=LARGEST, metavar="N", help="Return at most N rows. Default: 100 in a table, else all."
        ),
    ] = None,
    version: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TABLE=N", help="Read version N of a table, if its files still exist. Can be repeated."
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0.001, metavar="SECONDS", help="Stop the query after this time, with exit status 1."
        ),
    ] = None,
    escape_formulas: Annotated[
        bool,
        typer.Option(
            "--escape-formulas", help="In CSV, put ' before texts that a spreadsheet would compute."
        ),
    ] = False,
    lake_root: LakeRoot = None,
) -> None:
    """Query the tables in SQL: silver.movies, gold.genres, and all that `movies show` lists.

    Gold tables are read in their published version, the others in their newest one. Queries only read.
    """
    from cli.sql_command import read_sql, show_answer

    show_answer(
        read_sql(query, file), form, output, limit, version or (), timeout, lake_root, escape_formulas
    )


@app.command(rich_help_panel="Look", epilog=epilog("show"))
def show(
    table: Annotated[
        str | None,
        typer.Argument(
            metavar="[TABLE]",
            help="Name of a table, such as gold.genres or genres. Default: list all tables.",
            autocompletion=complete_name,
        ),
    ] = None,
    version: Annotated[
        int | None,
        typer.Option(
            min=0, max=LARGEST, metavar="N", help="Show version N of the table, if its files still exist."
        ),
    ] = None,
    rows: Annotated[int, typer.Option(min=0, max=LARGEST, metavar="N", help="Show the first N rows.")] = 5,
    lake_root: LakeRoot = None,
) -> None:
    """Show a table: row count, version, origin, columns with their meanings, and first rows.

    Gold tables are shown in their published version, the others in their newest one. docs/quickstart.md shows
    how to open a table in pandas, polars and DuckDB.
    """
    from cli.show import show_table, show_tables

    if table is None:
        if version is not None:
            raise typer.BadParameter("--version needs a table. Give its name.")
        show_tables(lake_root)
    else:
        show_table(table, version, rows, lake_root)
