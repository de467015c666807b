"""The transform on real and odd payloads: from the raw table to silver and quarantine."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from movies.lake.tables import QUARANTINE, RAW_MOVIES, SILVER_MOVIES
from spark.engines.session import Engine
from spark.frames import read_table
from tests.spark.lakes import (
    FETCHED_AT,
    append_failures,
    append_payloads,
    failed,
    fetched,
    payload,
    read_expected_silver,
    read_payloads,
    read_rows,
)
from tests.spark.transforming import LakeOf, NewLake, Outcomes, transform

SILVER_COLUMNS = [(name, column.type, True) for name, column in SILVER_MOVIES.columns.items()]
QUARANTINE_COLUMNS = [(name, column.type, True) for name, column in QUARANTINE.columns.items()]


def declared_columns(lake_root: str) -> list[list[tuple[str, str, bool]]]:
    """Name, type and whether it may be null, of each column of silver and quarantine as they lie there."""
    schemas = [DeltaTable(table.path(lake_root)).schema() for table in (SILVER_MOVIES, QUARANTINE)]
    return [[(field.name, field.type.type, field.nullable) for field in schema.fields] for schema in schemas]


def movie(**fields: Any) -> str:
    return payload(1, **fields)


@pytest.mark.parametrize(
    ("payloads", "expected"),
    [
        pytest.param("tmdb_18_payloads", "expected_silver_18", id="18-real-movies"),
        pytest.param("tmdb_sample_1601", "expected_silver_1601", id="1601-sampled-movies"),
    ],
)
def test_silver_equals_the_reference_to_the_last_value(
    engine: Engine, transformed_lake: LakeOf, shared_data: Path, payloads: str, expected: str
) -> None:
    wanted = read_expected_silver(shared_data / "reference" / f"{expected}.ndjson.gz")
    ids = {movie_id for movie_id, _ in read_payloads(shared_data / "data" / f"{payloads}.ndjson.gz")}

    lake_root, counts = transformed_lake(engine, payloads)

    assert read_rows(lake_root, SILVER_MOVIES, by="id") == wanted
    assert read_rows(lake_root, QUARANTINE, by="movie_id") == []
    assert counts.movies == len(wanted)
    assert sum(counts.filtered.values()) == len(ids) - len(wanted)
    assert declared_columns(lake_root) == [SILVER_COLUMNS, QUARANTINE_COLUMNS]


def test_odd_payloads_end_where_the_reference_says(
    engine: Engine, transformed_lake: LakeOf, shared_data: Path
) -> None:
    texts = dict(read_payloads(shared_data / "data" / "edge_payloads.ndjson.gz"))
    edges = json.loads((shared_data / "reference" / "expected_edges.json").read_text())

    lake_root, counts = transformed_lake(engine, "edge_payloads")

    silver = {row["id"]: row for row in read_rows(lake_root, SILVER_MOVIES, by="id")}
    quarantine = {row["movie_id"]: row for row in read_rows(lake_root, QUARANTINE, by="movie_id")}
    for movie_id, edge in ((int(key), edge) for key, edge in edges.items()):
        case = edge["case"]
        if edge["outcome"] == "silver":
            wanted = edge["row"] | {"release_date": dt.date.fromisoformat(edge["row"]["release_date"])}
            assert silver.pop(movie_id) == wanted, case
        elif edge["outcome"] == "quarantine":
            detail = edge["field"] or edge["reason"].removeprefix("missing_")
            assert quarantine.pop(movie_id) == {
                "movie_id": movie_id, "reason": edge["reason"], "detail": detail,
                "payload": texts[movie_id], "fetched_at": FETCHED_AT, "batch_id": "b1",
            }, case  # fmt: skip
    assert (silver, quarantine) == ({}, {})
    outcomes = Counter(edge["outcome"] for edge in edges.values())
    assert counts.movies == outcomes["silver"]
    assert sum(counts.quarantined.values()) == outcomes["quarantine"]
    assert counts.filtered == {"no_release_date": 2, "not_released": 3, "too_few_values": 1}


REFUSED = {
    "broken": ('{"id": 1, "title": "A ti', "malformed", "payload"),
    "empty": ("", "malformed", "payload"),
    "list": ('[{"id": 1}]', "malformed", "payload"),
    "null": ("null", "malformed", "payload"),
    "text behind": (movie() + " x", "malformed", "payload"),
    "brace behind": (movie() + "}", "malformed", "payload"),
    "two objects": (movie() + "," + movie(), "malformed", "payload"),
    "single quotes": (movie().replace('"', "'"), "malformed", "payload"),
    "not a number": (movie(popularity=float("nan")), "malformed", "payload"),
    "empty object": ("{}", "missing_id", "id"),
    "null id": (movie(id=None), "missing_id", "id"),
    "blank id": (movie(id=" "), "missing_id", "id"),
    "no-break spaces as title": (movie(title="\u00a0\u2003"), "missing_title", "title"),
    "title missing before bad value": (movie(title=None, runtime="x"), "missing_title", "title"),
    "other id": (movie(id=7), "id_mismatch", "id 7"),
    "other id before bad value": (movie(id=7, runtime="x"), "id_mismatch", "id 7"),
    "word as id": (movie(id="x1"), "bad_value", "id"),
    "two bad values": (movie(budget="x", vote_count=[]), "bad_value", "budget, vote_count"),
    "blank number": (movie(budget=""), "bad_value", "budget"),
    "number with a Java suffix": (movie(budget="1d"), "bad_value", "budget"),
    "hexadecimal number": (movie(budget="0x10"), "bad_value", "budget"),
    "text beyond a double": (movie(budget="1e400"), "bad_value", "budget"),
    "number beyond a double": (movie(budget=0.5).replace("0.5", "1e400"), "bad_value", "budget"),
    "votes beyond a long": (movie(vote_count=1e19), "bad_value", "vote_count"),
    "runtime beyond an int": (movie(runtime=3_000_000_000), "bad_value", "runtime"),
    "fraction of a vote": (movie(vote_count=1.5), "bad_value", "vote_count"),
    "object as number": (movie(revenue={"a": 1}), "bad_value", "revenue"),
    "date with time": (movie(release_date="2001-02-03T00:00"), "bad_value", "release_date"),
    "short date": (movie(release_date="2001-2-3"), "bad_value", "release_date"),
    "year zero": (movie(release_date="0000-01-01"), "bad_value", "release_date"),
    "number as date": (movie(release_date=2001), "bad_value", "release_date"),
    "object as list": (movie(genres={"name": "Drama"}), "bad_value", "genres"),
    "text of a list": (movie(genres="[]"), "bad_value", "genres"),
    "list in a list": (movie(genres=[[]]), "bad_value", "genres"),
    "texts of objects": (movie(genres=['{"name": "Drama"}']), "bad_value", "genres"),
    "text among objects": (movie(genres=[None, {"name": "Drama"}, "x"]), "bad_value", "genres"),
    "text as cast": (movie(credits={"cast": "x"}), "bad_value", "credits.cast"),
    "numbers as crew": (movie(credits={"cast": [], "crew": [1]}), "bad_value", "credits.crew"),
    "text as credits": (movie(credits="x"), "bad_value", "credits"),
    "list as credits": (movie(credits=[]), "bad_value", "credits"),
    "unreleased with a bad value": (movie(status="Rumored", budget="x"), "bad_value", "budget"),
}
KEPT = {
    "nulls in lists": movie(genres=[None, {"name": None}, {}], credits={"cast": [None]}),
    "null credits": movie(credits=None),
    "text as collection": movie(belongs_to_collection="x"),
    "padded number": movie(budget=" 1.5e6 "),
    "white space around": f"\n\t {movie()} \n",
    "key twice": movie()[:-1] + ', "runtime": 91}',
    "negative zero": movie(budget=-0.0),
    "unknown fields": movie(new={"a": [1]}),
}


def test_odd_payloads_are_kept_or_refused_by_reason_and_field(engine: Engine, new_lake: NewLake) -> None:
    cases = dict(enumerate([*REFUSED, *KEPT], start=1))
    texts = {case: text for case, (text, _, _) in REFUSED.items()} | KEPT
    lake_root = new_lake(
        [
            (movie_id, texts[case].replace('"id": 1,', f'"id": {movie_id},'))
            for movie_id, case in cases.items()
        ]
    )

    counts = transform(engine.session, lake_root)

    refused = {
        cases[row["movie_id"]]: (row["reason"], row["detail"])
        for row in read_rows(lake_root, QUARANTINE, by="movie_id")
    }
    assert refused == {case: (reason, detail) for case, (_, reason, detail) in REFUSED.items()}
    assert [cases[row["id"]] for row in read_rows(lake_root, SILVER_MOVIES, by="id")] == list(KEPT)
    by_reason = Counter(reason for _, reason, _ in REFUSED.values())
    assert counts == Outcomes(len(KEPT), dict(sorted(by_reason.items())), {})


def test_latest_payload_decides(engine: Engine, new_lake: NewLake) -> None:
    lake_root = new_lake(
        [
            fetched(1, movie(id=1, title="Newer"), day=2),
            fetched(1, movie(id=1, title="Older"), day=1),
            fetched(2, movie(id=2, title="First batch"), batch_id="b1"),
            fetched(2, movie(id=2, title="Second batch"), batch_id="b2"),
            fetched(3, movie(id=3), day=1),
            fetched(3, movie(id=3, status="Rumored"), day=2),
            fetched(4, movie(id=4), day=1),
            fetched(4, movie(id=4, budget="x"), day=2),
            fetched(5, movie(id=5, title="Last good"), day=1),
            fetched(5, "{", day=2),
            fetched(6, "{", day=1),
            fetched(6, movie(id=6, title="Mended"), day=2),
            fetched(7, movie(id=7, status="Rumored"), day=1),
            fetched(7, "{", day=2),
        ]
    )

    counts = transform(engine.session, lake_root)

    titles = {row["id"]: row["title"] for row in read_rows(lake_root, SILVER_MOVIES, by="id")}
    assert titles == {1: "Newer", 2: "Second batch", 5: "Last good", 6: "Mended"}
    refused = {row["movie_id"]: row["reason"] for row in read_rows(lake_root, QUARANTINE, by="movie_id")}
    assert refused == {4: "bad_value", 5: "malformed", 7: "malformed"}
    assert counts == Outcomes(4, {"bad_value": 1, "malformed": 2}, {"not_released": 1})


def test_movies_found_gone_since_their_last_payload_are_neither_in_silver_nor_in_quarantine(
    engine: Engine, new_lake: NewLake
) -> None:
    lake_root = new_lake(
        [
            fetched(1, movie(id=1), day=1),
            fetched(1, movie(id=1), day=2),
            fetched(2, movie(id=2), day=2),
            fetched(3, movie(id=3, budget="x")),
            fetched(4, movie(id=4), day=1),
            fetched(4, "{", day=3),
            fetched(5, movie(id=5), day=1),
            fetched(5, "{", day=3),
            fetched(6, movie(id=6, status="Rumored")),
            fetched(7, movie(id=7), day=3),
            fetched(8, movie(id=8)),
            fetched(9, movie(id=9)),
        ]
    )
    append_failures(
        lake_root,
        [
            failed(1, day=3),
            failed(2, day=1),
            failed(2, day=5),
            failed(2, day=3),
            failed(3, day=2),
            failed(4, day=4),
            failed(5, day=2),
            failed(6, day=2),
            failed(7, day=2),
            failed(7, day=3),
            failed(8, day=2, reason="exhausted_retries", http_status=500, attempts=6),
            failed(10, day=2),
        ],
    )

    counts = transform(engine.session, lake_root)

    assert [row["id"] for row in read_rows(lake_root, SILVER_MOVIES, by="id")] == [5, 7, 8, 9]
    assert [row["movie_id"] for row in read_rows(lake_root, QUARANTINE, by="movie_id")] == [5]
    assert counts == Outcomes(4, {"malformed": 1}, {"deleted": 5})


def test_a_later_payload_brings_a_deleted_movie_back(engine: Engine, new_lake: NewLake) -> None:
    lake_root = new_lake([fetched(1, movie(id=1), day=1)])
    append_failures(lake_root, [failed(1, day=2)])
    assert transform(engine.session, lake_root) == Outcomes(0, {}, {"deleted": 1})

    append_payloads(lake_root, [fetched(1, movie(id=1), day=3)])

    assert transform(engine.session, lake_root) == Outcomes(1, {}, {})


def test_version_of_the_raw_table_can_be_asked_for(engine: Engine, new_lake: NewLake) -> None:
    lake_root = new_lake([(1, movie(id=1))])
    append_payloads(lake_root, [(2, movie(id=2))])
    raw = RAW_MOVIES.path(lake_root)

    assert read_table(engine.session, raw, version=1).count() == 1
    assert read_table(engine.session, raw, version=2).count() == 2
    assert read_table(engine.session, raw).count() == 2


def test_transform_goes_by_the_versions_asked_for(engine: Engine, new_lake: NewLake) -> None:
    lake_root = new_lake([(1, movie(id=1))])
    append_payloads(lake_root, [(2, movie(id=2))])
    append_failures(lake_root, [failed(1, day=1)])
    append_failures(lake_root, [failed(2, day=1)])

    counts = [
        transform(engine.session, lake_root, raw, failures) for raw, failures in ((1, 0), (2, 0), (2, 1))
    ]

    assert counts == [
        Outcomes(1, {}, {}),
        Outcomes(2, {}, {}),
        Outcomes(1, {}, {"deleted": 1}),
    ]


def test_rebuilding_replaces_all_rows(sail: Engine, new_lake: NewLake) -> None:
    lake_root = new_lake([(1, movie(id=1)), (2, "{")])
    transform(sail.session, lake_root)
    append_payloads(lake_root, [fetched(1, movie(id=1, release_date="2002-01-01")), fetched(2, movie(id=2))])

    transform(sail.session, lake_root)

    years = {row["id"]: row["release_year"] for row in read_rows(lake_root, SILVER_MOVIES, by="id")}
    assert years == {1: 2002, 2: 2001}
    assert read_rows(lake_root, QUARANTINE, by="movie_id") == []
    assert declared_columns(lake_root) == [SILVER_COLUMNS, QUARANTINE_COLUMNS]
    assert DeltaTable(SILVER_MOVIES.path(lake_root)).metadata().partition_columns == ["release_year"]


def test_empty_raw_table_gives_empty_tables(sail: Engine, new_lake: NewLake) -> None:
    lake_root = new_lake()

    assert transform(sail.session, lake_root) == Outcomes(0, {}, {})
    assert read_rows(lake_root, SILVER_MOVIES, by="id") == []
