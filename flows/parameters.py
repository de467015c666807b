"""Types of flow parameters, which make the forms of Prefect's UI check what is put in."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from settings import LARGEST_MOVIE_ID
from tmdb.sources import SOURCES

MovieId = Annotated[int, Field(ge=0, le=LARGEST_MOVIE_ID)]
SourceName = Annotated[
    str, Field(pattern=f"^({'|'.join(SOURCES)})$", json_schema_extra={"enum": list(SOURCES)})
]
MaxRequests = Annotated[int, Field(ge=1)] | None
SilverVersion = Annotated[int, Field(ge=0)] | None
MaxMinutes = Annotated[float, Field(gt=0, allow_inf_nan=False)] | None
