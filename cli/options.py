"""Options that several commands have alike."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

LARGEST = 2**63 - 1


def parse_file(text: str) -> Path:
    """The path of a file as it was given, its `~` written out; for options.

    Raises:
        typer.BadParameter: it is blank, a URL, or below the home folder of an unknown user.
    """
    from movies.settings import parse_path

    try:
        parse_path(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return Path(text).expanduser()


LakeRoot = Annotated[
    str | None, typer.Option(metavar="DIR", help="Folder or object-store URL of the Delta tables.")
]
# Not a path: an empty one would be the working folder.
OutputDir = Annotated[
    str | None, typer.Option(metavar="DIR", help="Folder of the report, the plots and the logs.")
]


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    NDJSON = "ndjson"
    MARKDOWN = "markdown"
    PARQUET = "parquet"


SUFFIXES = {
    ".txt": Format.TABLE,
    ".csv": Format.CSV,
    ".json": Format.JSON,
    ".ndjson": Format.NDJSON,
    ".jsonl": Format.NDJSON,
    ".md": Format.MARKDOWN,
    ".parquet": Format.PARQUET,
}
