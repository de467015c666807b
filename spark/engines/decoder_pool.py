"""A pool of processes that decode payloads for the embedded engine, whose Python runs one thread at a time.

A decoder process costs 100 MB and a fifth of a second. It is started only for a part of the raw table with
some thousand payloads, and stops after that part. If one dies, no payload is lost: this process decodes them.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import pyarrow as pa

from spark import payloads
from spark.payloads import decode_payloads

logger = logging.getLogger(__name__)

# Batches of a part that are decoded here before a decoder process is worth its start.
BATCHES_ALONE = 2
MOST_DECODERS = 7


class DecoderProcess:
    """A process that decodes one batch at a time; if it is lost, this process decodes its batches."""

    def __init__(self) -> None:
        # In its own session, because Ctrl-C must not stop it. It stops at the end of its input.
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(payloads.__file__)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self._writer: pa.ipc.RecordBatchStreamWriter | None = None
        self._reader: pa.ipc.RecordBatchStreamReader | None = None
        self._pending: pa.RecordBatch | None = None
        self._is_lost = False

    def send(self, batch: pa.RecordBatch) -> None:
        """Send a batch; receive the result of the one before first."""
        self._pending = batch
        if self._is_lost:
            return
        assert self._process.stdin is not None
        with self._fallback():
            if self._writer is None:
                self._writer = pa.ipc.new_stream(self._process.stdin, batch.schema)
            self._writer.write_batch(batch)
            self._process.stdin.flush()

    def receive(self) -> pa.RecordBatch:
        """Wait for the decoded batch."""
        batch, self._pending = self._pending, None
        if not self._is_lost:
            with self._fallback():
                if self._reader is None:
                    self._reader = pa.ipc.open_stream(self._process.stdout)
                return self._reader.read_next_batch()
        return next(decode_payloads([batch]))

    def stop(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]

    @contextmanager
    def _fallback(self) -> Iterator[None]:
        try:
            yield
        except (OSError, StopIteration, pa.ArrowException):
            self._is_lost = True
            logger.warning("A decoder process is lost. This process decodes its payloads.")


class DecoderPool:
    """A limited number of decoder processes, each for one part of a table."""

    def __init__(self, most: int) -> None:
        self._lock = threading.Lock()
        self._most, self._all = most, set[DecoderProcess]()

    def take(self) -> DecoderProcess | None:
        """Start a process, or return None if the pool is full."""
        with self._lock:
            if len(self._all) >= self._most:
                return None
            try:
                decoder = DecoderProcess()
            except OSError as error:
                logger.warning("No decoder process can be started. This process decodes alone: %s", error)
                self._most = 0
                return None
            self._all.add(decoder)
            return decoder

    def give_back(self, decoder: DecoderProcess) -> None:
        """Stop a process, because the work after decoding needs its memory."""
        with self._lock:
            self._all.discard(decoder)
        decoder.stop()

    def close(self) -> None:
        """Stop all processes, and start no more."""
        with self._lock:
            self._most = 0
            stopped, self._all = self._all, set()
        for decoder in stopped:
            decoder.stop()


_current = DecoderPool(0)


@contextmanager
def open_decoder_pool() -> Iterator[None]:
    """Let `decode_side_by_side` use a decoder process for each further core of this machine."""
    global _current
    before, _current = _current, DecoderPool(min((os.cpu_count() or 1) - 1, MOST_DECODERS))
    try:
        yield
    finally:
        _current.close()
        _current = before


def decode_side_by_side(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Decode batches as `decode_payloads` does, in a decoder process if the pool has one."""
    pool, decoder, is_waiting = _current, None, False
    try:
        for nth, batch in enumerate(batches):
            if nth == BATCHES_ALONE:
                decoder = pool.take()
            if decoder is None:
                yield from decode_payloads([batch])
                continue
            # The decoder process has decoded the last batch while this one was read.
            if is_waiting:
                yield decoder.receive()
            decoder.send(batch)
            is_waiting = True
        if decoder is not None and is_waiting:
            yield decoder.receive()
    finally:
        if decoder is not None:
            pool.give_back(decoder)
