"""What ingestion takes for the movie: nothing is refused here that silver takes."""

from __future__ import annotations

import gzip
import json

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from movies.bounded import MIB
from movies.tmdb.answers import read_movie
from movies.tmdb.drift import Drift
from movies.tmdb.texts import read_id
from movies.tmdb.tmdb_errors import InvalidPayloadError
from spark.payloads import _whole

CREDITS = '"credits":{"crew":[],"cast":[]}'


def accepted(movie_id: int, body: bytes) -> bool:
    try:
        assert read_movie(movie_id, body, Drift()).encode() == body
    except InvalidPayloadError:
        return False
    return True


def test_all_odd_payloads_that_silver_has_an_outcome_for_come_in_verbatim(shared_data):
    expected = json.loads((shared_data / "reference" / "expected_edges.json").read_text())
    lines = gzip.decompress((shared_data / "data" / "edge_payloads.ndjson.gz").read_bytes()).split(b"\n")
    bodies = {int(json.loads(line)["id"]): line for line in lines if line.strip()}

    outcomes = {
        (case["outcome"], accepted(int(movie_id), bodies[int(movie_id)])): case["case"]
        for movie_id, case in expected.items()
    }

    assert bodies.keys() == {int(movie_id) for movie_id in expected} and len(bodies) == 58
    assert outcomes.keys() == {("silver", True), ("filtered", True), ("quarantine", True)}


@settings(deadline=None)
@given(
    st.one_of(
        st.integers(-(2**53), 2**53).map(str),
        st.floats(allow_nan=False, allow_infinity=False).map(json.dumps),
        st.text("0127+-.eE ", max_size=6).map(json.dumps),
        st.text(max_size=4).map(json.dumps),
    )
)
@example('"7"')
@example('" 7"')
@example("7.0")
@example("7e0")
@example("70e-1")
@example('"7.5"')
@example('"1_0"')
@example('"\\u0667"')
@example('"nan"')
@example("1e400")
@example('"1e400"')
def test_an_id_is_one_by_the_rule_of_silver(written):
    value = json.loads(written)
    silver = _whole(value, 2.0**63)

    assert read_id(json_raw(written)) == (silver if silver is not None and silver >= 0 else None)


def json_raw(written: str) -> msgspec.Raw:
    return msgspec.Raw(written.encode())


@pytest.mark.parametrize(
    "written", ["true", "null", "[7]", "{}", '"' + "7" * 5000 + '"', "7" * 5000, '"' + "7" * MIB]
)
def test_what_is_no_number_is_no_id(written):
    assert read_id(json_raw(written)) is None


@pytest.mark.parametrize("written", ["7", "7.0", "7e0", '"7"', '" 7"', '"7.0"'])
def test_a_payload_with_its_id_in_any_writing_is_the_movie(written):
    assert accepted(7, f'{{"id":{written},{CREDITS}}}'.encode())
    assert not accepted(8, f'{{"id":{written},{CREDITS}}}'.encode())


@pytest.mark.parametrize(
    "text",
    [r"\ud83d", r"\ude00", r"x\ud83dx", r"\ud83d\u0041", r"\ude00\ud83d", r"\\\ud83d", r"\ud83d\ud83d\ude00"],
)
def test_half_an_escaped_surrogate_pair_anywhere_keeps_the_payload_verbatim(text):
    assert accepted(7, f'{{"id":7,"title":"{text}",{CREDITS}}}'.encode())
    assert accepted(7, f'{{"id":7,"{text}":1,{CREDITS}}}'.encode())
    assert accepted(7, f'{{"id":7,"credits":{{"cast":[{{"name":"{text}"}}]}}}}'.encode())


def test_half_a_surrogate_pair_in_raw_bytes_is_replaced_and_a_whole_one_is_its_character():
    body = b'{"id":7,"title":"\xed\xa0\xbd \xed\xa0\xbd\xed\xb8\x80",' + CREDITS.encode() + b"}"

    assert read_movie(7, body, Drift()) == f'{{"id":7,"title":"\ufffd \U0001f600",{CREDITS}}}'


def test_a_body_of_escapes_is_read_in_time_of_its_size():
    assert not accepted(7, rb'{"id":7,"title":"' + rb"\\" * MIB + rb"\ud83d" * 1000)


@pytest.mark.parametrize("body", [b'{"id":7,"title":"\xe9"}', b'{"id":7,"title":NaN}', b"[]", b'"7"', b""])
def test_what_silver_calls_malformed_is_refused(body):
    assert not accepted(7, body.replace(b"}", b"," + CREDITS.encode() + b"}"))


@pytest.mark.parametrize(
    ("credits", "is_there"),
    [
        ('{"cast":[],"crew":[]}', True),
        ('{"cast":[]}', True),
        ('{ "crew" : [] }', True),
        ('{"id":7,"crew":null,"cast":null}', True),
        ("{}", False),
        ('{"success":false,"status_code":34,"status_message":"cast"}', False),
        ("[]", False),
        ('"cast"', False),
        ("null", False),
        ("7", False),
    ],
)
def test_credits_are_there_where_they_have_cast_or_crew(credits, is_there):
    assert accepted(7, f'{{"id":7,"credits":{credits}}}'.encode()) == is_there
