"""The rate limit that runs on one Prefect API share, also from different containers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from math import floor

from httpx import URL

from movies.tmdb.pace import Pace
from movies.tmdb.stop import Stop
from tasks.leased_slots import LEASE_SECONDS, LeasedSlots, open_limits_client

logger = logging.getLogger(__name__)

RUNS_LIMIT = "tmdb-movies-runs-{host}"
REQUESTS_LIMIT = "tmdb-movies-requests-per-second-{host}"
MOST_RUNS = 1000
# TMDB's own limit is near 50: a maximum far above it need not be shared.
HIGHEST_SHARED_CEILING = 1_000
# For all requests of one look to Prefect's API.
API_SECONDS = 5.0
POLL_SECONDS = 0.25
# How long a new run waits at most for a share.
LOOK_SECONDS = 5.0
# Three times within a lease, so that one failure does not lose it.
RENEWAL_SECONDS = LEASE_SECONDS / 3
# By then every active run has looked and given slots back.
PATIENCE_SECONDS = LOOK_SECONDS + API_SECONDS + 2


class OwnPace:
    """A pace that no other run shares."""

    async def take_share(self) -> None:
        """Return at once, because the run has the whole rate."""


class SharedPace(OwnPace):
    """A run's share of the rate limit of all runs on one Prefect API.

    A run occupies one slot of a global concurrency limit, by which runs are counted, and of another as many
    slots as it may send requests a second. A run with more than an equal share gives the difference back
    when a batch begins or a few seconds have passed; a run with less takes what is free.
    """

    def __init__(self, pace: Pace, stop: Stop, runs: LeasedSlots, requests: LeasedSlots) -> None:
        self._pace = pace
        self._stop = stop
        self._runs = runs
        self._requests = requests
        self._looking = asyncio.Lock()
        self._equal_share: int | None = None
        self._is_away = False
        self._is_patient = True

    async def take_share(self) -> None:
        """Limit the pace to this run's share as of now, waiting until there is one or the run is to stop.

        While Prefect's API does not respond, the pace keeps its limit, or half of the maximum if it had none.
        """
        patient_until = _now() + PATIENCE_SECONDS
        while not self._is_away and not self._stop.is_set:
            await self._look()
            if self._requests.held or not self._is_patient:
                return
            # With more runs than requests a second some do have to wait for others to end.
            if _now() >= patient_until and self._equal_share:
                self._lose_patience(self._equal_share)
                return
            await self._stop.wait(POLL_SECONDS)

    async def keep(self) -> None:
        """Keep the share up to date within a batch too, and its slots from being taken for a killed run's."""
        renew_at = _now() + RENEWAL_SECONDS
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            is_due = _now() >= renew_at
            # Must not be cancelled between taking slots and storing their lease.
            await asyncio.shield(self._look(renew=is_due))
            if is_due and not self._is_away:
                renew_at = _now() + RENEWAL_SECONDS

    async def leave(self) -> None:
        """Give all slots back."""
        try:
            async with self._looking, asyncio.timeout(API_SECONDS):
                await self._requests.give_back()
                await self._runs.give_back()
        except Exception as error:  # its lease expires
            logger.info("the share of TMDB's ceiling could not be given back: %s", _describe(error))

    async def _look(self, *, renew: bool = False) -> None:
        async with self._looking:
            try:
                async with asyncio.timeout(API_SECONDS):
                    if renew:
                        await self._runs.renew()
                        await self._requests.renew()
                    await self._adjust()
            except Exception as error:  # the fetching goes on without it
                self._go_on_without_answer(error)
            else:
                self._is_away = False

    async def _adjust(self) -> None:
        if not self._runs.held:
            await self._runs.take(1)
        runs = max(1, (await self._runs.read()).active_slots)
        limit = await self._requests.read()
        self._equal_share = limit.limit // runs
        most = floor(self._pace.ceiling)
        wanted = min(most, max(1, self._equal_share))
        if self._requests.held > wanted:
            self._pace.limit(wanted)  # first: what is given back may be in use at once
            await self._requests.give_back()
            limit = await self._requests.read()
        if (slots := min(wanted - self._requests.held, limit.limit - limit.active_slots)) > 0:
            await self._requests.take(slots)
        held = self._requests.held
        if held == most and runs == 1:
            self._pace.limit(self._pace.ceiling)  # which may have a fraction
        else:
            self._pace.limit(max(1, held if held or self._is_patient else self._equal_share))
        self._is_patient |= held > 0

    def _go_on_without_answer(self, error: Exception) -> None:
        if self._equal_share is None:
            self._pace.limit(max(1, self._pace.ceiling / 2))
        if not self._is_away:
            self._warn(f"Prefect's API does not say how many runs share TMDB's ceiling ({_describe(error)})")
        self._is_away = True

    def _lose_patience(self, equal_share: int) -> None:
        self._is_patient = False
        self._pace.limit(equal_share)
        self._warn(
            f"no run gives way to this one. A killed run's share of TMDB's ceiling comes back within "
            f"{LEASE_SECONDS + 15:.0f} s; if it does not, Prefect's server has lost its lease: delete the "
            f"global concurrency limits {self._runs.name} and {self._requests.name}"
        )

    def _warn(self, why: str) -> None:
        logger.warning("%s. Going on with %.3g requests a second", why, self._pace.requests_per_second)


@asynccontextmanager
async def shared_pace(pace: Pace, base_url: str, stop: Stop) -> AsyncIterator[OwnPace]:
    """Share the rate limit of a pace with every run that fetches from the same host."""
    if pace.ceiling > HIGHEST_SHARED_CEILING:
        yield OwnPace()
        return
    host = URL(base_url).netloc.decode()
    async with AsyncExitStack() as stack:
        try:
            client = await stack.enter_async_context(open_limits_client())
        except Exception as error:  # the fetching goes on without it
            pace.limit(max(1, pace.ceiling / 2))
            logger.warning("TMDB's ceiling is not shared with other runs: %s", _describe(error))
            yield OwnPace()
            return
        runs = LeasedSlots(client, RUNS_LIMIT.format(host=host), MOST_RUNS)
        requests = LeasedSlots(client, REQUESTS_LIMIT.format(host=host), floor(pace.ceiling))
        shared = SharedPace(pace, stop, runs, requests)
        keeper = asyncio.create_task(shared.keep())
        try:
            yield shared
        finally:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper
            await shared.leave()


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def _now() -> float:
    return asyncio.get_running_loop().time()
