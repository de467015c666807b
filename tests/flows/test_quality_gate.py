"""Bad data stops before gold: what was published stays, and somebody may publish all the same."""

from __future__ import annotations

import pytest
from deltalake import DeltaTable

from movies.lake.delta import open_table, origin_of, read
from movies.lake.gold_tables import GOLD, OVERVIEW
from movies.lake.publications import find_publication
from movies.lake.tables import DATA_QUALITY, RAW_MOVIES, SILVER_MOVIES
from movies.report.gold import REPORT_TABLES
from tests.flows.test_pipeline import counts
from tests.places import Place

pytestmark = pytest.mark.slow

STAGES = ("--stage", "transform", "--stage", "kpis", "--stage", "report")
LOST = [
    *(f"known_{values}" for values in ("budgets", "casts", "directors", "genres", "popularity", "ratings")),
    *("known_revenues", "known_runtimes", "movie_count"),
]


@pytest.fixture(scope="module")
def grown(tmp_path_factory, new_place) -> Place:
    """A place of two movies, and then of three; silver and gold stay as they are."""
    place: Place = new_place(tmp_path_factory.mktemp("grown"))
    place.succeed("--movie-ids", "18,24")
    place.succeed("--movie-ids", "18,24,95")
    return place


def test_movies_that_are_lost_stop_publication_until_somebody_accepts_it(filled):
    place, _ = filled
    report = place.folder / "output" / "kpi_analysis.txt"
    published = report.read_bytes(), {table.name: open_table(table, place.lake).version() for table in GOLD}
    DeltaTable(RAW_MOVIES.path(place.lake)).delete("movie_id > 100000")

    stopped = place.run(*STAGES)

    assert stopped.returncode == 1
    sentence = "Error: 9 data quality checks failed: movie_count (5; allowed: at least 90% of the last run's"
    assert stopped.stderr.startswith(sentence), stopped.stderr
    assert "What was published before stays; `--accept movie_count " in stopped.stderr
    assert len(place.rows(SILVER_MOVIES, "id")) == 5
    assert published == (
        report.read_bytes(),
        {table.name: open_table(table, place.lake).version() for table in GOLD},
    )
    found = {row["check"]: row for row in read(DATA_QUALITY, place.lake).to_pylist()}
    assert sorted(name for name, row in found.items() if row["status"] == "failed") == LOST
    assert (found["movie_count"]["value"], found["movie_count"]["severity"]) == (5.0, "error")

    # What stopped it once does not become what the next run is compared with.
    assert place.run(*STAGES).stderr == stopped.stderr

    said = place.succeed(*STAGES, *(part for name in LOST for part in ("--accept", name)))

    assert counts(said)["quality warnings"] == 9
    assert read(OVERVIEW, place.lake)["movies"].to_pylist() == [5]
    assert "unchanged" in place.succeed(*STAGES).lower()


def test_gold_is_written_where_it_differs_and_says_where_it_comes_from(grown):
    published = find_publication(grown.lake, "kpis")
    for table in GOLD:
        found = open_table(table, grown.lake)
        origin = origin_of(table, grown.lake)
        assert origin["code_version"] == published.code_version, table.name
        # Nothing has become of the pairs, say, with three movies of nobody twice.
        inputs = (origin["silver_movies_version"], origin["raw_movies_version"])
        assert inputs == (("2", "2") if found.version() == 2 else ("1", "1")), table.name
    versions = {table.name: open_table(table, grown.lake).version() for table in GOLD}
    assert versions[OVERVIEW.name] == 2
    assert set(versions.values()) == {1, 2}
    assert published.versions == versions


def test_report_and_plots_of_an_older_silver_go_into_a_folder_of_their_own(grown):
    output = grown.folder / "output"
    report = output / "kpi_analysis.txt"
    before = report.read_bytes(), {table.name: open_table(table, grown.lake).version() for table in GOLD}

    grown.succeed("--as-of-version", "1")

    older = (output / "as_of_silver_version_1" / "kpi_analysis.txt").read_text()
    [caption] = [line for line in older.splitlines()[:5] if line.startswith("Data: ")]
    data = "Data: the bundled sandbox, not TMDB · 2 movies · raw v1 · silver v1 · code "
    assert caption.startswith(data)
    assert len(list((output / "as_of_silver_version_1" / "plots").glob("*.png"))) == 8
    assert caption in (output / "as_of_silver_version_1" / "dashboard.html").read_text()
    assert len(REPORT_TABLES) < len(GOLD)
    assert before == (
        report.read_bytes(),
        {table.name: open_table(table, grown.lake).version() for table in GOLD},
    )
    gone = grown.run("--as-of-version", "99")
    assert (gone.returncode, gone.stderr) == (1, "Error: silver/movies has no version 99: its newest is 2\n")
    wrong = grown.run("--as-of-version", "1", "--stage", "kpis")
    assert wrong.returncode == 2
