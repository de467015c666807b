"""What movies come from is what their lake says, whatever key is set now."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.planning import announce_data
from movies.lake.delta import LakeView
from movies.settings import load_settings
from stages.report_stage import report_stages
from stages.stage import why_stale
from tasks.context import RunContext
from tests.cli.test_status import write_outputs
from tests.movies.lake.rows import Movie, append_movies
from tests.movies.lake.small_lake import make_lake

TMDB, SANDBOX = "TMDB", "the bundled sandbox, not TMDB"


@pytest.mark.parametrize("key", ["", "0123456789abcdef"], ids=["no-key", "key"])
@pytest.mark.parametrize(
    ("there", "expected"),
    [("sandbox", SANDBOX), ("https://api.themoviedb.org/3", TMDB), (None, None)],
    ids=["sandbox", "tmdb", "nothing"],
)
def test_a_run_logs_first_what_its_data_are(key, there, expected, no_settings, monkeypatch, caplog):
    monkeypatch.setenv("TMDB_API_KEY", key)
    lake = str(no_settings / "lake")
    if there is not None:
        append_movies(lake, [Movie(1)], there)
    expected = expected or (TMDB if key else SANDBOX)
    caplog.set_level("INFO", "flows.planning")

    run = RunContext(load_settings(lake_root=lake), LakeView(lake))

    assert [announce_data(run), announce_data(run)] == [expected, expected]
    assert caplog.messages == [f"Data: {expected}"]


def test_what_was_drawn_of_another_source_is_not_current(tmp_path: Path) -> None:
    lake = make_lake(str(tmp_path / "lake"))
    output = tmp_path / "output"
    output.mkdir()

    def current_after(**other_source: str) -> list[str]:
        write_outputs(lake, output, **other_source)
        view = LakeView(lake)
        return [name for name, part in report_stages(output, "light").items() if not why_stale(part, view)]

    assert current_after() == ["report", "plots", "dashboard"]
    assert current_after(source=TMDB) == []
