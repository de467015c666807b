import json
import shutil
from pathlib import Path

import httpx
import pytest
from deltalake import DeltaTable
from PIL import Image

from movies.lake.delta import read
from movies.lake.gold_tables import GOLD, MOVIE_SEARCHES, YEARS
from movies.lake.tables import DATA_QUALITY, FETCH_FAILURES, PUBLICATIONS, RAW_MOVIES, SILVER, SILVER_MOVIES
from movies.report.plots import PLOTS
from movies.settings import DEFAULT_MOVIE_IDS

OF_THE_SANDBOX = "Data: the bundled sandbox, not TMDB"

LOGS = {"ingestion.log", "etl.log", "analytics.log", "project.log"}
EXISTING = sorted(set(DEFAULT_MOVIE_IDS) - {0})
# An engine that cannot be reached: a run that works with it has opened no session.
NO_ENGINE = {"SPARK_MASTER": "sc://127.0.0.1:1"}


# Run by the interpreter as it starts: writes down how often each table is opened.
COUNT_OPENED = """
import atexit, collections, json, pathlib
import deltalake

opened, open_table = collections.Counter(), deltalake.DeltaTable.__init__

def count(table, uri, *arguments, **options):
    opened["/".join(str(uri).rstrip("/").split("/")[-2:])] += 1
    open_table(table, uri, *arguments, **options)

deltalake.DeltaTable.__init__ = count
atexit.register(lambda: pathlib.Path("opened.json").write_text(json.dumps(opened)))
"""


def counts(said: str) -> dict[str, int]:
    rows = (line.strip().partition(" .") for line in said.splitlines() if " ." in line)
    return {
        name: int(rest.strip(". ").split()[0].replace(",", "")) for name, _, rest in rows if name != "seconds"
    }


def latest_artifacts(api: str) -> dict[str, dict[str, str]]:
    """The latest artifact of each key, of any test on this server."""
    found = httpx.post(f"{api}/artifacts/latest/filter", json={"limit": 200}, trust_env=False).json()
    return {artifact["key"]: artifact for artifact in found}


def artifacts(api: str) -> dict[str, str]:
    """The data of those."""
    return {key: artifact["data"] for key, artifact in latest_artifacts(api).items()}


def test_without_key_or_server_the_first_run_leaves_tables_report_plots_logs_and_artifacts(
    place, prefect_api
):
    older = latest_artifacts(prefect_api)
    said = place.succeed()

    assert counts(said) == {
        "requested": 19,
        "fetched": 18,
        "already there": 0,
        "not found": 1,
        "failed": 0,
        "rows in silver": 18,
        "filtered": 0,
        "in quarantine": 0,
        "quality warnings": 0,
    }
    assert "movies come from the bundled sandbox" in said
    assert place.movie_ids() == EXISTING
    assert place.rows(RAW_MOVIES, "source") == ["sandbox"] * 18
    assert DeltaTable(RAW_MOVIES.path(place.lake)).version() == 1, "a small work list is one commit"
    assert place.rows(FETCH_FAILURES, "movie_id", "reason", "http_status", "attempts") == [
        (0, "not_found", 404, 1)
    ]
    assert place.rows(SILVER_MOVIES, "id") == EXISTING
    for table in GOLD:
        assert read(table, place.lake) is not None

    output = place.folder / "output"
    assert "18" in (output / "kpi_analysis.txt").read_text()
    assert {path.stem for path in (output / "plots").glob("*.png")} == set(PLOTS)
    assert "· 18 movies ·" in (output / "dashboard.html").read_text()
    assert "The dashboard is output/dashboard.html: open it in a browser" in said
    assert {path.name for path in (output / "logs").iterdir()} == LOGS
    assert all((output / "logs" / name).stat().st_size for name in LOGS)

    latest = latest_artifacts(prefect_api)
    made = {key: artifact for key, artifact in latest.items() if artifact != older.get(key)}
    shown = {key: artifact["data"] for key, artifact in made.items()}
    assert str(output / "dashboard.html") in shown["dashboard"]
    assert {"kpi-report", "ingestion-progress", "run", "run-tables"} <= shown.keys()
    assert "ranking-highest-revenue" in shown and "ranking-lowest-rated" in shown
    for plot in PLOTS:
        picture = shown[f"plot-{plot.replace('_', '-')}"]
        assert picture.startswith("![") and "](data:image/png;base64," in picture
        assert len(picture) < 1_500_000, "a larger artifact loses its event"
    run = {row["movies"]: row["count"] for row in json.loads(shown["run"])}
    assert run == counts(said)

    # Wherever there are figures, they are the sandbox's.
    assert f"\n{OF_THE_SANDBOX}\n" in said
    log = (output / "logs" / "project.log").read_text()
    assert "Data: TMDB" not in log
    [first, *_, last] = [line for line in log.splitlines() if OF_THE_SANDBOX in line]
    assert first.endswith(f"flows.planning: {OF_THE_SANDBOX}")
    assert "flows.pipeline: movies: " in last and last.endswith(f". {OF_THE_SANDBOX}")
    for name in ("kpi_analysis.txt", "kpi_analysis.md", "dashboard.html"):
        text = (output / name).read_text()
        assert OF_THE_SANDBOX in text and "Data: TMDB" not in text
    for plot in PLOTS:
        with Image.open(output / "plots" / f"{plot}.png") as picture:
            assert picture.info["Source"].startswith(f"{OF_THE_SANDBOX}. ")
    unnamed = {key for key, artifact in made.items() if OF_THE_SANDBOX not in artifact["description"]}
    assert unnamed == {"ingestion-progress", "run-tables"}


def test_an_unchanged_run_asks_nothing_opens_no_engine_and_says_so(filled):
    place, sandbox = filled
    asked = sandbox.stats()["requests"]
    made = [place.folder / "output" / name for name in ("kpi_analysis.txt", "dashboard.html")]
    before = [path.stat().st_mtime_ns for path in made]

    said = place.succeed(**NO_ENGINE)

    assert sandbox.stats()["requests"] == asked
    assert "Unchanged" in said
    assert [path.stat().st_mtime_ns for path in made] == before


@pytest.mark.slow
def test_another_theme_draws_the_plots_anew_and_nothing_else(filled):
    place, sandbox = filled
    asked = sandbox.stats()["requests"]
    output = place.folder / "output"
    files = [output / "kpi_analysis.txt", *sorted((output / "plots").glob("*.png"))]
    before = [path.stat().st_mtime_ns for path in files]

    said = place.succeed(PLOT_THEME="dark", **NO_ENGINE)

    assert "Unchanged" not in said
    after = [path.stat().st_mtime_ns for path in files]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, *[False] * len(PLOTS)]
    assert "Unchanged" in place.succeed(PLOT_THEME="dark", **NO_ENGINE)
    assert [path.stat().st_mtime_ns for path in files] == after
    assert sandbox.stats()["requests"] == asked


@pytest.mark.slow
def test_deleted_outputs_and_tables_come_back(filled):
    place, sandbox = filled
    asked = sandbox.stats()["requests"]
    output = place.folder / "output"
    report, dashboard = ((output / name).read_text() for name in ("kpi_analysis.txt", "dashboard.html"))
    shutil.rmtree(output)

    place.succeed(**NO_ENGINE)
    assert (output / "kpi_analysis.txt").read_text() == report
    assert (output / "dashboard.html").read_text() == dashboard, "the same tables give the same page"
    assert {path.stem for path in (output / "plots").glob("*.png")} == set(PLOTS)

    years = place.rows(YEARS, "release_year", "movies")
    shutil.rmtree(YEARS.path(place.lake))
    place.succeed()
    assert place.rows(YEARS, "release_year", "movies") == years

    shutil.rmtree(SILVER_MOVIES.path(place.lake))
    place.succeed()
    assert place.rows(SILVER_MOVIES, "id") == EXISTING
    assert sandbox.stats()["requests"] == asked


@pytest.mark.slow
def test_an_unchanged_run_opens_each_table_once(filled, tmp_path):
    place, _ = filled
    (tmp_path / "sitecustomize.py").write_text(COUNT_OPENED)

    assert "Unchanged" in place.succeed(**NO_ENGINE, PYTHONPATH=str(tmp_path))

    opened = json.loads((place.folder / "opened.json").read_text())
    tables = (RAW_MOVIES, FETCH_FAILURES, *SILVER, PUBLICATIONS, *GOLD, DATA_QUALITY)
    assert opened == dict.fromkeys([table.name for table in tables], 1)


def test_prefects_own_memory_may_be_lost_without_redoing_anything(filled, tmp_path):
    place, _ = filled
    # Results are kept below Prefect's home: another home has none.
    place.environment["PREFECT_HOME"] = str(tmp_path / "another-home")
    files = [path for path in (place.folder / "output").rglob("*") if path.suffix in (".png", ".txt")]
    before = [path.stat().st_mtime_ns for path in files]

    assert "Unchanged" in place.succeed(**NO_ENGINE)
    assert [path.stat().st_mtime_ns for path in files] == before


@pytest.mark.slow
def test_stages_run_alone_and_say_what_they_lack(served):
    place, sandbox = served()

    for stage, lack in (
        ("transform", "run the stage 'ingest' first"),
        ("report", "no current result of the stage 'transform'"),
    ):
        done = place.run("--stage", stage, **NO_ENGINE)
        assert done.returncode == 1
        assert lack in done.stderr and "Traceback" not in done.stderr

    place.succeed("--stage", "ingest", **NO_ENGINE)
    assert not Path(SILVER_MOVIES.path(place.lake)).exists()
    place.succeed("--stage", "transform")
    assert not (place.folder / "output" / "plots").exists()
    place.succeed("--stage", "kpis", "--stage", "report")
    assert (place.folder / "output" / "kpi_analysis.txt").exists()
    assert sandbox.stats()["requests"] == 19


@pytest.mark.slow
def test_a_report_is_not_drawn_from_gold_that_is_older_than_silver(filled):
    place, _ = filled
    place.succeed("--movie-ids", "18", "--stage", "ingest", "--stage", "transform")

    done = place.run("--stage", "report", **NO_ENGINE)

    assert done.returncode == 1
    assert "older than silver. Run the stage 'kpis' first" in done.stderr


@pytest.mark.slow
def test_a_refresh_fetches_everything_again_and_the_latest_decides(filled):
    place, sandbox = filled
    asked = sandbox.stats()["requests"]

    said = place.succeed("--refresh")

    assert counts(said)["fetched"] == 18
    assert sandbox.stats()["requests"] == asked + 19
    assert place.movie_ids() == sorted(EXISTING * 2)
    assert place.rows(SILVER_MOVIES, "id") == EXISTING


@pytest.mark.slow
def test_a_run_that_only_learns_that_a_movie_is_gone_takes_it_out_of_silver(served, prefect_api):
    place, _ = served(synthetic=3)
    place.succeed("--movie-ids", "1,2,3")
    raw = place.rows(RAW_MOVIES, "movie_id", "payload")
    silver = place.rows(SILVER_MOVIES, "id")
    served(synthetic=2)

    said = place.succeed("--movie-ids", "3", "--refresh", "--stage", "ingest")
    assert counts(said)["not found"] == 1
    said = place.succeed("--movie-ids", "1,2,3")

    assert silver == [1, 2, 3]
    assert place.rows(SILVER_MOVIES, "id") == [1, 2]
    assert place.rows(RAW_MOVIES, "movie_id", "payload") == raw
    assert "(1 deleted)" in said
    tables = json.loads(artifacts(prefect_api)["run-tables"])
    read = [table["table"] for table in tables if table["direction"] == "in"]
    assert read == ["raw/movies", "raw/fetch_failures"]
    assert "Unchanged" in place.succeed("--movie-ids", "1,2,3", **NO_ENGINE)


@pytest.mark.slow
def test_a_lake_that_came_without_a_table_of_failures_is_transformed(served):
    place, _ = served()
    place.succeed("--movie-ids", "18", "--stage", "ingest")
    shutil.rmtree(FETCH_FAILURES.path(place.lake))

    place.succeed("--stage", "transform")

    assert place.rows(SILVER_MOVIES, "id") == [18]
    assert "Unchanged" in place.succeed("--stage", "transform")


@pytest.mark.slow
def test_other_movies_are_added_and_the_searches_find_some(filled):
    place, _ = filled

    said = place.succeed("--movie-ids", "18,95,680,24,393")

    assert counts(said)["fetched"] == 5
    found = place.rows(MOVIE_SEARCHES, "search", "rank", "title")
    assert [row for row in found if row[0] == "tarantino_uma_thurman"] == [
        ("tarantino_uma_thurman", 1, "Kill Bill: Vol. 1"),
        ("tarantino_uma_thurman", 2, "Kill Bill: Vol. 2"),
        ("tarantino_uma_thurman", 3, "Pulp Fiction"),
    ]
    assert {row[2] for row in found if row[0] == "bruce_willis_scifi_action"} == {
        "The Fifth Element",
        "Armageddon",
    }


def test_a_dry_run_asks_nothing_and_writes_no_table(served):
    place, sandbox = served()

    said = place.succeed("--dry-run", "--movie-ids", "1,2,3", **NO_ENGINE)

    assert "3 of 3 movies would be fetched" in said
    assert "ingest, transform, kpis, report" in said
    assert not Path(place.lake).exists()
    assert sandbox.stats()["requests"] == 0


@pytest.mark.parametrize("ids", ["0", "18"], ids=["none", "one"])
@pytest.mark.slow
def test_however_few_movies_there_are_report_and_plots_come_out(ids, place):
    place.succeed("--movie-ids", ids)

    assert (place.folder / "output" / "kpi_analysis.txt").exists()
    assert {path.stem for path in (place.folder / "output" / "plots").glob("*.png")} == set(PLOTS)
