import pytest

from movies.lake.delta import TableVersion, open_table, read, version_to_read
from movies.lake.gold_tables import OVERVIEW, YEARS
from movies.lake.publications import Publication, find_intact, publish
from movies.lake.tables import PUBLICATIONS
from tests.movies.lake.small_lake import write


def test_nothing_is_published_in_an_empty_lake(root):
    assert find_intact(root, "kpis") is None


def test_what_was_published_last_is_current_for_its_stage_alone(root):
    silver = Publication("transform", {"raw/movies": TableVersion("r", 1)}, {}, "code", {"movies": 3})
    old = Publication("kpis", {"silver/movies": TableVersion("s", 1)}, {}, "code")
    new = Publication(
        "kpis",
        {"silver/movies": TableVersion("s", 2)},
        {OVERVIEW.name: write(OVERVIEW, root)},
        "code 2",
        {"rows": {"gold/overview": 1}},
        run_id="run 2",
    )
    for publication in (silver, old, new):
        publish(root, publication)

    assert find_intact(root, "transform") == silver
    assert find_intact(root, "kpis") == new
    assert open_table(PUBLICATIONS, root).count() == 2


@pytest.mark.parametrize("change", ["overwritten", "deleted"])
def test_a_publication_is_intact_only_while_its_tables_are_as_they_were(change, root, tmp_path):
    outputs = {table.name: write(table, root) for table in (OVERVIEW, YEARS)}
    publish(root, Publication("kpis", {}, outputs, "code"))

    if change == "overwritten":
        write(YEARS, root, {"release_year": 2001})
    else:
        (tmp_path / YEARS.name).rename(tmp_path / "gone")

    assert find_intact(root, "kpis") is None


def test_compacted_tables_are_still_as_published(root):
    for _ in range(2):
        version = write(OVERVIEW, root)
    publish(root, Publication("kpis", {}, {OVERVIEW.name: version}, "code"))

    open_table(OVERVIEW, root).optimize.compact()
    open_table(OVERVIEW, root).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)

    assert find_intact(root, "kpis") is not None
    assert read(OVERVIEW, root, version_to_read(open_table(OVERVIEW, root), version)).num_rows == 0
