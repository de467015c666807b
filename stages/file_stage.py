"""Stages that leave files in an output folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from movies.lake.delta import LakeView
from movies.report.record import MadeFrom, made_files


@dataclass(frozen=True, eq=False)
class FileStage:
    """A stage that makes files of an output folder from published tables.

    `describe_sources` gives what they are to be made from, in terms of JSON; None if that is not there.
    """

    name: str
    output_dir: Path
    describe_sources: Callable[[LakeView], MadeFrom | None]

    def find_sources(self, lake: LakeView) -> MadeFrom | None:
        """Return what the files are to be made from."""
        return lake.know((self, "sources"), lambda: self.describe_sources(lake))

    def find_files(self, lake: LakeView) -> list[str]:
        """Return the paths of its files if all are there and were made from just that, otherwise none."""
        sources = self.find_sources(lake)
        return [] if sources is None else made_files(self.output_dir, self.name, sources)

    def find_reasons(self, lake: LakeView) -> list[str]:
        """Compare its files with what they are to be made from."""
        if self.find_sources(lake) is None:
            return ["the tables it is made from are not published yet"]
        return [] if self.find_files(lake) else ["its files are missing or were made from something else"]
