"""Options that several commands have alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

LakeRoot = Annotated[
    str | None, typer.Option(metavar="DIR", help="Folder or object-store URL of the Delta tables.")
]
OutputDir = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Folder of the report, the plots and the logs.")
]
