"""Distinguish an outage of the server from failures of single movies."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from movies.tmdb.stop import Stop
from movies.tmdb.tmdb_errors import (
    ConnectionFailedError,
    OutageError,
    RateLimitedError,
    TransientError,
    UnreachableError,
)

logger = logging.getLogger(__name__)

# If this many subjects in a row get no answer, it is an outage.
SILENT_SUBJECTS = 5
# A rate limit accepts requests again within seconds. Rejections for longer than this are an outage.
LONGEST_REFUSAL_SECONDS = 10.0
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 30.0
# A server that has never answered is probed only this long, because the address is probably wrong.
FIRST_CONTACT_SECONDS = 60.0


class Asking:
    """A subject, such as a movie, that is being requested."""

    def __init__(self) -> None:
        # Answers to all subjects by the time of its first failure.
        self.answers_before: int | None = None

    @property
    def has_failed(self) -> bool:
        return self.answers_before is not None


class Outage:
    """Begins when many subjects in a row get no answer, and ends with the first answer.

    During an outage one request at a time probes the server, and its failure counts for no movie. After
    `longest_seconds` of unanswered probes the run stops.
    """

    def __init__(self, host: str, stop: Stop, longest_seconds: float) -> None:
        self.longest_seconds = longest_seconds
        self._host = host
        self._stop = stop
        self._answers = 0
        self._active = 0
        self._silent: set[Asking] = set()
        self._undecided: dict[Asking, asyncio.Future[None]] = {}
        self._began: float | None = None
        self._failure: TransientError | None = None
        self._refused_since: float | None = None
        self._has_warned = False
        self._waits = _waits()
        self._probe_at = 0.0
        self._probe: Asking | None = None
        self._is_probe_due = False
        self._is_fresh_next = False
        # Probes take turns: a fresh subject gets an answer even if others fail for their own reasons; a
        # failed one gets an answer even if every subject fails at its first try.
        self._fresh: dict[Asking, asyncio.Future[None]] = {}
        self._failed: dict[Asking, asyncio.Future[None]] = {}
        stop.on_set(lambda: _wake(self._fresh, self._failed, self._undecided))

    @property
    def is_on(self) -> bool:
        return self._began is not None

    @property
    def next_probe_seconds(self) -> float:
        """Seconds until the next probe."""
        return max(0.0, self._probe_at - _now())

    @contextmanager
    def asking(self) -> Iterator[Asking]:
        """Count a subject as requested for the length of the block."""
        asking = Asking()
        self._active += 1
        try:
            yield asking
        finally:
            self._active -= 1
            if self._probe is asking:
                self._probe = None
                if self.is_on and not self._stop.is_set:
                    self._schedule()
            self._release()
            self._decide()

    def holds(self, asking: Asking) -> bool:
        """Return whether this subject has to wait because another one probes."""
        return self.is_on and self._probe is not asking

    async def admit(self, asking: Asking) -> None:
        """Wait until the outage is over, the run stops, or this subject is the next probe."""
        while self.holds(asking) and not self._stop.is_set:
            if self._is_probe_due:
                self._is_probe_due, self._probe = False, asking
                return
            queue = self._failed if asking.has_failed else self._fresh
            place = queue[asking] = asyncio.get_running_loop().create_future()
            try:
                await place
            finally:
                queue.pop(asking, None)

    def answered(self) -> None:
        """Record an answer, which ends an outage."""
        self._answers += 1
        self._silent.clear()
        self._refused_since = None
        if self._began is not None:
            level = logging.WARNING if self._has_warned else logging.INFO
            logger.log(level, "%s answers again after %s", self._host, _spell(_now() - self._began))
            self._has_warned = False
            self._began, self._probe, self._is_probe_due = None, None, False
            self._waits = _waits()
        _wake(self._undecided)

    def note(self, asking: Asking, failure: TransientError) -> bool:
        """Record that no answer came, and return whether there is an outage."""
        if asking.answers_before is None:
            asking.answers_before = self._answers
        if self._began is not None:
            if self._probe is asking:
                self._probe, self._failure = None, failure
                self._go_on_probing(failure, _now() - self._began)
            return True
        if isinstance(failure, ConnectionFailedError) and failure.never_connected:
            # Never the failure of a single subject; an outage only if the server has answered before.
            if self._answers:
                self._begin(failure)
        elif not (self._is_known_to_answer(asking) or self._is_passing(failure)):
            self._silent.add(asking)
            if len(self._silent) >= SILENT_SUBJECTS:
                self._begin(failure)
        return self.is_on

    async def is_own(self, asking: Asking, failure: TransientError) -> bool:
        """Wait until it is known whether a subject failed at all its tries for its own reasons.

        It did if there was any answer since its first failure, or if no other subject is left to wait for.
        """
        if self._is_known_to_answer(asking):
            return True
        if self._stop.is_set:
            return False
        self._silent.add(asking)
        if len(self._silent) >= SILENT_SUBJECTS:
            self._begin(failure)
            return False
        place = self._undecided[asking] = asyncio.get_running_loop().create_future()
        self._release()
        self._decide()
        try:
            await place
        finally:
            self._undecided.pop(asking, None)
        return not (self.is_on or self._stop.is_set)

    def _is_passing(self, failure: TransientError) -> bool:
        """Return whether the rate limit rejects requests, and has done so only for a short time."""
        if not isinstance(failure, RateLimitedError):
            return False
        if self._refused_since is None:
            self._refused_since = _now()
        return _now() - self._refused_since < LONGEST_REFUSAL_SECONDS

    def _is_known_to_answer(self, asking: Asking) -> bool:
        return asking.answers_before is not None and self._answers > asking.answers_before

    def _release(self) -> None:
        """Release a few waiting subjects for each that finishes, to spare a recovering server."""
        for queue in (self._failed, self._fresh) * 2:
            if queue and not self.is_on:
                _let_go(queue)

    def _decide(self) -> None:
        if self._undecided and len(self._undecided) >= self._active:
            _wake(self._undecided)

    def _begin(self, failure: TransientError) -> None:
        self._began, self._failure = _now(), failure
        logger.info("%s does not answer (%s). One request at a time probes it.", self._host, failure)
        _wake(self._undecided)
        self._schedule()

    def _patience(self, failure: TransientError) -> float:
        if isinstance(failure, ConnectionFailedError) and not self._answers:
            return min(self.longest_seconds, FIRST_CONTACT_SECONDS)
        return self.longest_seconds

    def _go_on_probing(self, failure: TransientError, lasted: float) -> None:
        if lasted >= self._patience(failure):
            self._stop.set(self._explain(failure, lasted))
            return
        self._schedule()
        if not self._has_warned:
            self._has_warned = True
            logger.warning(
                "%s does not answer (%s). The run waits for it, at most %s.",
                self._host,
                failure,
                _spell(self._patience(failure)),
            )

    def _schedule(self) -> None:
        assert self._began is not None and self._failure is not None
        left = self._began + self._patience(self._failure) - _now()
        self._probe_at = _now() + max(0.0, min(next(self._waits), left))
        asyncio.get_running_loop().call_at(self._probe_at, self._send_probe)

    def _send_probe(self) -> None:
        if not self.is_on or self._probe is not None or self._is_probe_due or _now() < self._probe_at:
            return
        first, second = (self._fresh, self._failed) if self._is_fresh_next else (self._failed, self._fresh)
        self._is_fresh_next = not self._is_fresh_next
        if queue := first or second:
            self._probe = _let_go(queue)
        else:
            self._is_probe_due = True

    def _explain(self, failure: TransientError, seconds: float) -> OutageError:
        if isinstance(failure, ConnectionFailedError):
            return UnreachableError(describe_silence(self._host, failure))
        return OutageError(
            f"{self._host} has had an outage for {_spell(seconds)}: no request was answered, the last with "
            f"{failure}. Run again later: the next run goes on where this one stopped."
        )


def describe_silence(host: str, failure: TransientError) -> str:
    """Describe that no answer arrives, and what to do."""
    return (
        f"No answer from {host} ({failure}). Check the network and TMDB_BASE_URL, and run again: "
        "the next run goes on where this one stopped."
    )


def _waits() -> Iterator[float]:
    for number in count():
        longest = min(FIRST_WAIT_SECONDS * 2.0 ** min(number, 10), LONGEST_WAIT_SECONDS)
        yield random.uniform(longest / 2, longest)


def _wake(*queues: dict[Asking, asyncio.Future[None]]) -> None:
    for queue in queues:
        while queue:
            _let_go(queue)


def _let_go(queue: dict[Asking, asyncio.Future[None]]) -> Asking:
    """Release the subject that has waited longest."""
    asking = next(iter(queue))
    place = queue.pop(asking)
    if not place.done():  # a cancelled subject removes itself
        place.set_result(None)
    return asking


def _spell(seconds: float) -> str:
    return f"{seconds:.3g} seconds" if seconds < 100 else f"{seconds / 60:.3g} minutes"


def _now() -> float:
    return asyncio.get_running_loop().time()
