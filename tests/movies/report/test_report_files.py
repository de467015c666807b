"""The files of the report."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from movies.report.gold import Gold
from movies.report.markdown import markdown_report
from movies.report.output_files import write_plots, write_report
from movies.report.plots import PLOTS, render
from movies.report.provenance import Provenance
from movies.report.record import replace_file
from movies.report.text import text_report
from tests.movies.report.gold_tables import gold_from_silver, movie


def test_report_is_written_as_text_and_markdown(tmp_path: Path, no_gold: Gold) -> None:
    written = write_report(tmp_path / "new" / "output", no_gold, Provenance(0))
    assert written == (
        tmp_path / "new" / "output" / "kpi_analysis.txt",
        tmp_path / "new" / "output" / "kpi_analysis.md",
    )
    assert written[0].read_text(encoding="utf-8") == text_report(no_gold, Provenance(0))
    assert written[1].read_text(encoding="utf-8") == markdown_report(no_gold, Provenance(0))


def test_every_plot_is_written(tmp_path: Path, no_gold: Gold) -> None:
    written = write_plots(tmp_path, no_gold, Provenance(0))
    assert written == {name: tmp_path / "plots" / f"{name}.png" for name in PLOTS}
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == sorted(
        f"{name}.png" for name in PLOTS
    )
    name = "top_directors"
    assert written[name].read_bytes() == render(name, no_gold, Provenance(0))


def test_files_are_replaced(tmp_path: Path) -> None:
    for movies in (1, 2):
        gold = gold_from_silver([movie(number) for number in range(movies)])
        text, _ = write_report(tmp_path, gold, Provenance(movies))
    assert "Data: TMDB · 2 movies" in text.read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kpi_analysis.md", "kpi_analysis.txt"]


def test_a_failed_write_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = replace_file(tmp_path / "report.txt", b"old")

    def fail(self: Path, target: Path) -> Path:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_report_alone_needs_no_plotting_library() -> None:
    loaded = "import sys, movies.report; print({'matplotlib', 'pandas', 'numpy', 'PIL'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
