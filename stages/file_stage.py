"""Stages that leave files in an output folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from movies.lake.delta import LakeView
from movies.report.record import MadeFrom, made_files


@dataclass(frozen=True, eq=False)
class FileStage:
    """A stage that writes files to an output folder from published tables.

    `describe_sources` returns their sources as JSON, or None if these are not published.
    """

    name: str
    output_dir: Path
    describe_sources: Callable[[LakeView], MadeFrom | None]

    def find_sources(self, lake: LakeView) -> MadeFrom | None:
        """Return the current sources of the files."""
        return lake.know((self, "sources"), lambda: self.describe_sources(lake))

    def find_files(self, lake: LakeView) -> list[str]:
        """Return the paths of its files if all exist and were made from these sources, otherwise none."""
        sources = self.find_sources(lake)
        return [] if sources is None else made_files(self.output_dir, self.name, sources)

    def find_reasons(self, lake: LakeView) -> list[str]:
        """Compare the files with their current sources."""
        if self.find_sources(lake) is None:
            return ["the tables it is made from are not published yet"]
        return [] if self.find_files(lake) else ["its files are missing or were made from something else"]
