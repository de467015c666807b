"""The slots that a run holds of one of Prefect's global concurrency limits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from random import uniform
from typing import ParamSpec, TypeVar
from uuid import UUID

from httpx import HTTPStatusError, Response
from prefect import get_client
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate, GlobalConcurrencyLimitUpdate
from prefect.client.schemas.responses import ConcurrencyLimitWithLeaseResponse, GlobalConcurrencyLimitResponse
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

P = ParamSpec("P")
T = TypeVar("T")

# The shortest that Prefect grants. Slots of a killed run come back after it, and at most 15 s more until
# Prefect's server has looked for leases that have ended.
LEASE_SECONDS = 60.0
# Another run was faster, or has lowered the limit below the requested number.
NOT_FREE = (HTTPStatus.LOCKED, HTTPStatus.UNPROCESSABLE_ENTITY)
BUSY_SECONDS = (0.05, 0.2)
CLOCK_ERROR_SECONDS = 5.0


class ApiBusyError(Exception):
    """The API is busy: on SQLite it rejects a write that collides with another."""


@asynccontextmanager
async def open_limits_client() -> AsyncIterator[PrefectClient]:
    """Open a client for `LeasedSlots`; Prefect's own waits two seconds and longer for a busy API."""
    async with get_client(httpx_settings={"event_hooks": {"response": [_raise_when_busy]}}) as client:
        yield client


async def _raise_when_busy(response: Response) -> None:
    if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        raise ApiBusyError("503 Service Unavailable")


@dataclass
class _Lease:
    lease_id: UUID
    slots: int
    # Wall-clock time, which goes on while a machine sleeps.
    ends_at: float


class LeasedSlots:
    """Slots under leases, which expire if the run dies.

    Its methods wait for a busy API as long as it takes, and raise what Prefect's client raises.
    """

    def __init__(self, client: PrefectClient, name: str, limit: int) -> None:
        self.name = name
        self._client = client
        self._limit = limit
        self._is_put = False
        self._leases: list[_Lease] = []

    @property
    def held(self) -> int:
        return sum(lease.slots for lease in self._leases)

    async def read(self) -> GlobalConcurrencyLimitResponse:
        """Return the limit as all runs see it; create it with this run's value if it does not exist."""
        try:
            found = await _ask(self._client.read_global_concurrency_limit_by_name, self.name)
        except ObjectNotFound:
            self._leases.clear()  # of a deleted limit
            await self._create()
            found = await _ask(self._client.read_global_concurrency_limit_by_name, self.name)
        if not self._is_put and found.limit != self._limit:
            change = GlobalConcurrencyLimitUpdate(limit=self._limit)
            await _ask(self._client.update_global_concurrency_limit, self.name, change)
            found.limit = self._limit
        self._is_put = True
        return found

    async def take(self, slots: int) -> None:
        """Take so many more slots, or none if not all of them are free."""
        ends_at = time.time() + LEASE_SECONDS
        try:
            granted = await self._increment(slots)
            if not granted.limits:
                await self._create()
                granted = await self._increment(slots)
        except HTTPStatusError as error:
            if error.response.status_code not in NOT_FREE:
                raise
        else:
            self._leases.append(_Lease(granted.lease_id, slots, ends_at))

    async def give_back(self) -> None:
        """Free every slot."""
        while self._leases:
            await _ask(self._client.release_concurrency_slots_with_lease, self._leases.pop().lease_id)

    async def renew(self) -> None:
        """Renew the leases for a minute; slots whose lease has expired are lost."""
        for lease in tuple(self._leases):
            asked_at = time.time()
            if await self._is_renewed(lease.lease_id):
                lease.ends_at = asked_at + LEASE_SECONDS
                continue
            self._leases.remove(lease)
            if asked_at < lease.ends_at - CLOCK_ERROR_SECONDS:
                # A restarted server has forgotten its leases by default, but not that their slots are taken.
                await _ask(self._client.release_concurrency_slots, [self.name], lease.slots, LEASE_SECONDS)

    async def _is_renewed(self, lease_id: UUID) -> bool:
        try:
            await _ask(self._client.renew_concurrency_lease, lease_id, LEASE_SECONDS)
        except HTTPStatusError as error:
            if error.response.status_code != HTTPStatus.GONE:
                raise
            return False
        return True

    async def _increment(self, slots: int) -> ConcurrencyLimitWithLeaseResponse:
        response = await _ask(
            self._client.increment_concurrency_slots_with_lease,
            [self.name],
            slots,
            "concurrency",
            LEASE_SECONDS,
        )
        return ConcurrencyLimitWithLeaseResponse.model_validate(response.json())

    async def _create(self) -> None:
        limit = GlobalConcurrencyLimitCreate(name=self.name, limit=self._limit)
        with suppress(ObjectAlreadyExists):  # another run was faster
            await _ask(self._client.create_global_concurrency_limit, limit)


async def _ask(method: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    while True:
        try:
            return await method(*args, **kwargs)
        except ApiBusyError:
            await asyncio.sleep(uniform(*BUSY_SECONDS))
