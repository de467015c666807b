"""Payloads decoded without an engine: what fits, what is refused, and that both ways of reading agree."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark import payloads
from spark.payloads import DECODED, decode_payloads
from tests.spark.test_odd_payloads import oddities, payload_of

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def decoded(*texts: str | None, ids: list[int] | None = None) -> list[dict[str, Any]]:
    """What each text is decoded to, all in one batch."""
    rows = len(texts)
    batch = pa.RecordBatch.from_pydict(
        {
            "movie_id": pa.array(ids or [1] * rows, pa.int64()),
            "fetched_at": pa.array([NOW] * rows, pa.timestamp("us", "UTC")),
            "batch_id": pa.array(["b"] * rows),
            "payload": pa.array(texts, pa.string()),
        }
    )
    return [row for made in decode_payloads([batch]) for row in made.to_pylist()]


def fields(row: dict[str, Any]) -> dict[str, Any]:
    """What a row has of the payload."""
    unsaid = ("movie_id", "fetched_at", "batch_id", "is_malformed", "reason", "detail", "payload")
    return {name: value for name, value in row.items() if name not in unsaid and value not in (None, 0)}


def test_a_payload_is_decoded_into_silvers_terms() -> None:
    text = json.dumps(
        {
            "id": 1, "title": " A title ", "tagline": " ", "status": "Released", "overview": "",
            "release_date": "2001-02-03", "budget": 1.5e6, "revenue": "96.0", "vote_count": 7.0,
            "runtime": 90,
            "vote_average": 6.5, "belongs_to_collection": {"name": "A collection", "id": 3},
            "genres": [{"name": "Drama"}, None, {"name": "Sci|Fi"}, {"name": " "}, {}],
            "credits": {
                "cast": [{"name": "B", "order": 1}, {"name": "Z"}, {"name": "A", "order": 0}, None],
                "crew": [
                    {"name": "D", "job": "Director"}, {"name": "W", "job": "Writer"},
                    {"name": "D", "job": "Director"}, {"name": "C|E", "job": "Director"},
                ],
            },
        }
    )  # fmt: skip

    [row] = decoded(text)

    assert list(row) == list(DECODED)
    assert fields(row) == {
        "id": 1, "title": " A title ", "status": "Released", "release_date": dt.date(2001, 2, 3),
        "budget": 1.5e6, "revenue": 96.0, "vote_count": 7, "runtime": 90, "vote_average": 6.5,
        "belongs_to_collection": "A collection", "genres": "Drama|Sci/Fi", "cast": "A|B|Z", "cast_size": 3,
        "director": "D|C/E", "crew_size": 4,
    }  # fmt: skip
    assert (row["is_malformed"], row["reason"], row["payload"]) == (False, None, None)


@pytest.mark.parametrize("slice_from", [0, 1, 2])
def test_a_batch_that_is_part_of_another_is_read_from_its_own_rows(slice_from: int) -> None:
    texts = ['{"id": 1, "title": "One"}', None, '{"id": 1, "title": "Three"}']
    batch = pa.RecordBatch.from_pydict(
        {
            "movie_id": [1, 1, 1],
            "fetched_at": pa.array([NOW] * 3, pa.timestamp("us", "UTC")),
            "batch_id": ["b"] * 3,
            "payload": texts,
        }
    ).slice(slice_from)

    titles = [row["title"] for made in decode_payloads([batch]) for row in made.to_pylist()]

    assert titles == ["One", None, "Three"][slice_from:]


def test_wide_and_view_strings_are_read_as_others_are() -> None:
    for kind in (pa.large_string(), pa.string_view()):
        batch = pa.RecordBatch.from_pydict(
            {
                "movie_id": [1],
                "fetched_at": pa.array([NOW], pa.timestamp("us", "UTC")),
                "batch_id": ["b"],
                "payload": pa.array(['{"id": 1, "title": "Été"}'], kind),
            }
        )
        assert [row["title"] for made in decode_payloads([batch]) for row in made.to_pylist()] == ["Été"]


def test_an_empty_batch_gives_an_empty_one() -> None:
    assert decoded() == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(None, id="null"),
        pytest.param("[" * 100_000, id="nested-without-end"),
        pytest.param('{"title": "\x01"}', id="control-character"),
        pytest.param('{"id": NaN}', id="not-a-number"),
        pytest.param("\ufeff{}", id="byte-order-mark"),
    ],
)
def test_texts_that_are_no_json_are_malformed(text: str | None) -> None:
    [row] = decoded(text)
    assert (row["is_malformed"], row["reason"], row["detail"], row["payload"]) == (
        True, "malformed", "payload", text,
    )  # fmt: skip
    assert fields(row) == {}


def test_halves_of_surrogate_pairs_become_replacement_characters() -> None:
    [row] = decoded('{"id": 1, "title": "a\\ud800b\\ud83c\\udfac"}')
    assert (row["title"], row["reason"]) == ("a\ufffdb\U0001f3ac", None)


def test_texts_that_are_given_otherwise_are_kept_as_they_are_written() -> None:
    [row] = decoded('{"id": 1, "title": 1.50, "tagline": {"a": [1e5, true, null, "x"]}}')
    assert (row["title"], row["tagline"]) == ("1.50", '{"a":[1e5,true,null,"x"]}')


@settings(max_examples=300, deadline=None, database=None)
@given(st.lists(oddities, min_size=1, max_size=5))
def test_what_is_read_value_by_value_is_what_is_read_at_once(batch: list[Any]) -> None:
    texts = [payload_of(n, oddity) for n, oddity in enumerate(batch)]
    ids = list(range(len(batch)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(payloads.msgspec.json, "Decoder", Refusing)
        slowly = decoded(*texts, ids=ids)
    assert repr(decoded(*texts, ids=ids)) == repr(slowly)


class Refusing:
    """A decoder that takes every payload for an odd one."""

    def __init__(self, *_: object) -> None:
        pass

    def decode(self, _: object) -> None:
        raise msgspec.ValidationError("odd")
