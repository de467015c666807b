"""Processes that decode payloads beside the embedded engine's, whose interpreter is one thread's at a time.

A helper costs a hundred megabytes and a fifth of a second, so there is none until a part of the raw table
goes on for some thousand payloads, and it ends with that part. One that dies before costs time alone.
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

# Batches of a part that are decoded here before a helper is worth its start.
BATCHES_ALONE = 2
MOST_HELPERS = 7


class Helper:
    """A process that decodes one batch at a time; where it is lost, this process does what it had."""

    def __init__(self) -> None:
        # An interrupt at the terminal is not for it: its end is that of its input, however the pipeline ends.
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(payloads.__file__)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self._writer: pa.ipc.RecordBatchStreamWriter | None = None
        self._reader: pa.ipc.RecordBatchStreamReader | None = None
        self._pending: pa.RecordBatch | None = None
        self._is_lost = False

    def send(self, batch: pa.RecordBatch) -> None:
        """Hand over a batch, once what became of the one before has been received."""
        self._pending = batch
        if self._is_lost:
            return
        assert self._process.stdin is not None
        with self._losses_told():
            if self._writer is None:
                self._writer = pa.ipc.new_stream(self._process.stdin, batch.schema)
            self._writer.write_batch(batch)
            self._process.stdin.flush()

    def receive(self) -> pa.RecordBatch:
        """Wait for what became of the batch."""
        batch, self._pending = self._pending, None
        if not self._is_lost:
            with self._losses_told():
                if self._reader is None:
                    self._reader = pa.ipc.open_stream(self._process.stdout)
                return self._reader.read_next_batch()
        return next(decode_payloads([batch]))

    def stop(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]

    @contextmanager
    def _losses_told(self) -> Iterator[None]:
        try:
            yield
        except (OSError, StopIteration, pa.ArrowException):
            self._is_lost = True
            logger.warning("A process that decoded payloads is lost: this one decodes what it had")


class Helpers:
    """So many helpers at the same time and no more, each for one part of a table."""

    def __init__(self, most: int) -> None:
        self._lock = threading.Lock()
        self._most, self._all = most, set[Helper]()

    def take(self) -> Helper | None:
        """Start one, if there is room for it."""
        with self._lock:
            if len(self._all) >= self._most:
                return None
            try:
                helper = Helper()
            except OSError as error:
                logger.warning(
                    "No process can be started to decode payloads, this one does it alone: %s", error
                )
                self._most = 0
                return None
            self._all.add(helper)
            return helper

    def give_back(self, helper: Helper) -> None:
        """Stop one: what comes after decoding has better use for its memory."""
        with self._lock:
            self._all.discard(helper)
        helper.stop()

    def close(self) -> None:
        """Stop all; none is started again."""
        with self._lock:
            self._most = 0
            stopped, self._all = self._all, set()
        for helper in stopped:
            helper.stop()


_current = Helpers(0)


@contextmanager
def helpers_beside() -> Iterator[None]:
    """Let `decode_side_by_side` have a helper for each further core of this machine."""
    global _current
    before, _current = _current, Helpers(min((os.cpu_count() or 1) - 1, MOST_HELPERS))
    try:
        yield
    finally:
        _current.close()
        _current = before


def decode_side_by_side(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Decode batches as `decode_payloads` does, in a process beside this one where there is one to be had."""
    helpers, helper, is_waiting = _current, None, False
    try:
        for nth, batch in enumerate(batches):
            if nth == BATCHES_ALONE:
                helper = helpers.take()
            if helper is None:
                yield from decode_payloads([batch])
                continue
            # The helper has decoded the batch before while this one was read.
            if is_waiting:
                yield helper.receive()
            helper.send(batch)
            is_waiting = True
        if helper is not None and is_waiting:
            yield helper.receive()
    finally:
        if helper is not None:
            helpers.give_back(helper)
