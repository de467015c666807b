"""Payloads decoded by processes beside the engine's: the same rows, and none lost with a process."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator

import psutil
import pyarrow as pa
import pytest

from spark.engines import decoder_pool
from spark.engines.decoder_pool import DecoderProcess, decode_side_by_side, open_decoder_pool
from spark.engines.session import Engine
from spark.payloads import decode_payloads
from tests.spark.lakes import read_silver
from tests.spark.test_payloads import batch_of
from tests.spark.transforming import transform

ODD = (
    None,
    "{",
    '{"id": 1}',
    '{"id": 1, "title": "a\\ud800b"}',
    json.dumps({"id": 1, "title": "T" * 300_000}),
)


def batch(number: int) -> pa.RecordBatch:
    texts = [json.dumps({"id": number, "title": f"Title {number}"}), *ODD]
    return batch_of(texts, [number] * len(texts))


BATCHES = [batch(number) for number in range(8)]
DECODED = pa.Table.from_batches(decode_payloads(BATCHES))


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One decoder process, as on two cores."""
    monkeypatch.setattr(decoder_pool.os, "cpu_count", lambda: 2)
    before = children()
    with open_decoder_pool():
        yield
    assert children() == before


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children()}


def test_batches_come_back_decoded_in_their_order(beside: None) -> None:
    assert pa.Table.from_batches(decode_side_by_side(BATCHES)) == DECODED


def test_a_decoder_process_is_there_for_one_part_and_ends_with_it(beside: None) -> None:
    before, seen = children(), []
    for _ in range(2):
        seen.append([len(children() - before) for _ in decode_side_by_side(BATCHES)])
        assert children() == before

    assert seen == [[0, 0, *[1] * (len(BATCHES) - 2)]] * 2


def test_parts_at_the_same_time_are_each_decoded_where_there_is_room(beside: None) -> None:
    first, second = decode_side_by_side(BATCHES), decode_side_by_side(BATCHES)
    pairs = list(zip(first, second, strict=True))

    assert [pa.Table.from_batches(part) for part in zip(*pairs, strict=True)] == [DECODED, DECODED]


def test_a_few_payloads_start_no_process(beside: None) -> None:
    before = children()

    assert list(decode_side_by_side(BATCHES[:2])) == list(decode_payloads(BATCHES[:2]))

    assert children() == before


@pytest.mark.parametrize("after", [0, 2, 3, 6])
def test_what_a_lost_process_had_is_decoded_here(
    beside: None, caplog: pytest.LogCaptureFixture, after: int
) -> None:
    before = children()

    def batches() -> Iterator[pa.RecordBatch]:
        for number, batch in enumerate(BATCHES):
            yield batch
            if number == after:
                for pid in children() - before:
                    psutil.Process(pid).kill()

    with caplog.at_level(logging.WARNING):
        assert pa.Table.from_batches(decode_side_by_side(batches())) == DECODED

    assert caplog.messages == (
        ["A decoder process is lost. This process decodes its payloads."] if after >= 2 else []
    )


def test_after_a_query_that_was_broken_off_the_next_gets_its_own_rows(beside: None) -> None:
    broken_off = decode_side_by_side(BATCHES)
    for _ in range(4):
        next(broken_off)
    broken_off.close()

    assert pa.Table.from_batches(decode_side_by_side(BATCHES)) == DECODED


def test_where_no_process_can_be_started_all_is_decoded_here(
    beside: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(12, "No memory")

    monkeypatch.setattr(decoder_pool.subprocess, "Popen", refuse)

    assert pa.Table.from_batches(decode_side_by_side(BATCHES)) == DECODED

    assert caplog.messages == [
        "No decoder process can be started. This process decodes alone: [Errno 12] No memory"
    ]


def test_silver_is_the_same_with_and_without_a_decoder_process(
    sail: Engine, new_lake: Callable[..., str], monkeypatch: pytest.MonkeyPatch, beside: None
) -> None:
    payloads = [
        (number, text if text is None else text.replace('"id": 1', f'"id": {number}'))
        for number in range(600)
        for text in [json.dumps({"id": number, "title": "T"}) if number % 7 else ODD[number % len(ODD)]]
    ]
    alone, helped = new_lake(payloads), new_lake(payloads)
    outcomes = transform(sail.session, alone)
    started = []
    monkeypatch.setattr(decoder_pool, "BATCHES_ALONE", 0)
    monkeypatch.setattr(
        decoder_pool, "DecoderProcess", lambda: started.append(decoder := DecoderProcess()) or decoder
    )

    assert (transform(sail.session, helped), read_silver(helped)) == (outcomes, read_silver(alone))

    assert started
