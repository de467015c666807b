"""What movies come from is what their lake says, whatever key is set now."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flows.planning import announce_data
from movies.lake.arrow import arrow_rows
from movies.lake.commits import Appender
from movies.lake.delta import LakeView
from movies.lake.tables import RAW_MOVIES
from movies.report.record import write_record
from movies.settings import load_settings
from stages.report_stage import report_stages
from stages.stage import why_stale
from tasks.context import RunContext
from tests.movies.lake.rows import Movie
from tests.movies.lake.small_lake import make_lake
from tests.places import FOREIGN

TMDB, SANDBOX = "TMDB", "the bundled sandbox, not TMDB"


@pytest.mark.parametrize("key", ["", "0123456789abcdef"], ids=["no-key", "key"])
@pytest.mark.parametrize(
    ("there", "expected"),
    [("sandbox", SANDBOX), ("https://api.themoviedb.org/3", TMDB), (None, None)],
    ids=["sandbox", "tmdb", "nothing"],
)
def test_a_run_logs_first_what_its_data_are(key, there, expected, tmp_path, monkeypatch, caplog):
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMDB_API_KEY", key)
    lake = str(tmp_path / "lake")
    if there is not None:
        rows = arrow_rows(RAW_MOVIES, [Movie(1)], batch_id="b", source=there)
        Appender(RAW_MOVIES, lake, there).append(rows, "b")
    expected = expected or (TMDB if key else SANDBOX)
    caplog.set_level("INFO", "flows.planning")

    run = RunContext(load_settings(lake_root=lake), LakeView(lake))

    assert [announce_data(run), announce_data(run)] == [expected, expected]
    assert caplog.messages == [f"Data: {expected}"]


def test_what_was_drawn_of_another_source_is_not_current(tmp_path: Path) -> None:
    lake = make_lake(str(tmp_path / "lake"))
    output = tmp_path / "output"
    output.mkdir()
    parts = report_stages(output, "light")

    def current_after(source: str | None) -> list[str]:
        for name, part in parts.items():
            file = output / name
            file.write_text(name)
            made_from = part.find_sources(LakeView(lake))
            assert made_from is not None
            write_record(output, name, made_from | ({} if source is None else {"source": source}), [file])
        view = LakeView(lake)
        return [name for name, part in parts.items() if not why_stale(part, view)]

    assert current_after(None) == ["report", "plots", "dashboard"]
    assert current_after(TMDB) == []
