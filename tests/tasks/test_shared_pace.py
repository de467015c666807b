import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from prefect.client.orchestration import PrefectClient
from prefect.settings import PREFECT_API_URL, temporary_settings

import tasks.shared_pace
from movies.tmdb.client import open_client
from movies.tmdb.movie_answers import Movie, fetch_movies
from movies.tmdb.pace import Pace
from movies.tmdb.stop import Stop
from movies.tmdb.tmdb_errors import FatalError
from tasks.leased_slots import LeasedSlots
from tasks.shared_pace import OwnPace, SharedPace, shared_pace
from tests.movies.tmdb.test_client import answer

# Nobody listens there.
NO_API = "http://127.0.0.1:9/api"
SECONDS = 30.0


@dataclass
class Run:
    """A run as the others meet it."""

    pace: Pace
    stop: Stop
    shared: SharedPace

    @property
    def rate(self) -> float:
        return self.pace.requests_per_second


class Host:
    """A TMDB host of the test's own, and what Prefect's API knows about it."""

    def __init__(self, client: PrefectClient) -> None:
        self.client = client
        self.name = f"{uuid4().hex[:8]}.test:8080"

    @asynccontextmanager
    async def run(self, ceiling: float = 40) -> AsyncIterator[Run]:
        pace, stop = Pace(ceiling, 5), Stop()
        async with asyncio.timeout(SECONDS), shared_pace(pace, f"http://{self.name}/3", stop) as shared:
            yield Run(pace, stop, shared)

    async def limit(self, kind: str = "requests-per-second") -> tuple[int, int]:
        """Slots that are occupied, and those that there are."""
        found = await self.client.read_global_concurrency_limit_by_name(f"tmdb-movies-{kind}-{self.name}")
        return found.active_slots, found.limit

    async def occupied(self, kind: str = "requests-per-second") -> int:
        return (await self.limit(kind))[0]


@pytest.fixture
async def host(prefect_api) -> AsyncIterator[Host]:
    with temporary_settings({PREFECT_API_URL: prefect_api}):
        async with PrefectClient(prefect_api) as client:
            yield Host(client)


async def until(condition, expected) -> None:
    async with asyncio.timeout(SECONDS):
        while (await condition()) != expected:
            await asyncio.sleep(0.05)


async def test_a_run_alone_has_the_whole_ceiling_and_leaves_nothing_behind(host):
    async with host.run(40.5) as run:
        await run.shared.take_share()

        assert run.rate == 40.5
        assert await host.limit() == (40, 40)
        assert await host.limit("runs") == (1, 1000)
    assert (await host.limit(), await host.limit("runs")) == ((0, 40), (0, 1000))


async def test_a_second_run_waits_for_its_half_and_gets_all_once_it_is_alone(host):
    async with host.run() as second:
        async with host.run() as first:
            await first.shared.take_share()
            waiting = asyncio.create_task(second.shared.take_share())
            await until(lambda: host.occupied("runs"), 2)
            assert (first.rate, await host.occupied()) == (40, 40)
            assert not waiting.done()

            await first.shared.take_share()
            assert first.rate == 20
            await waiting
            assert (second.rate, await host.occupied()) == (20, 40)
        await second.shared.take_share()
        assert (second.rate, await host.occupied()) == (40, 40)


async def test_a_run_is_slowed_down_before_others_may_use_what_it_gives_back(host, monkeypatch):
    async with host.run() as first, host.run() as second:
        await first.shared.take_share()
        await second.shared._look()
        rates = []
        give_back = LeasedSlots.give_back

        async def note(slots: LeasedSlots) -> None:
            rates.append(first.rate)
            await give_back(slots)

        with monkeypatch.context() as noting:
            noting.setattr(LeasedSlots, "give_back", note)
            await first.shared.take_share()

        assert rates == [20]


async def test_a_run_takes_what_is_free_and_the_rest_once_it_is(host):
    async with host.run() as run:
        await run.shared._requests.read()
        await host.client.increment_concurrency_slots([run.shared._requests.name], 30, "concurrency")
        await run.shared.take_share()
        assert run.rate == 10

        await host.client.release_concurrency_slots([run.shared._requests.name], 30, 1.0)
        await run.shared.take_share()
        assert (run.rate, await host.occupied()) == (40, 40)


async def test_a_newcomer_is_noticed_within_a_long_batch_too(host, monkeypatch):
    monkeypatch.setattr(tasks.shared_pace, "LOOK_SECONDS", 0.1)
    async with host.run() as first, host.run() as second:
        await first.shared.take_share()
        await second.shared.take_share()

        assert (first.rate, second.rate) == (20, 20)


async def test_runs_that_come_and_go_never_hold_more_than_the_ceiling(host):
    random.seed(7)
    here: list[Run] = []
    seen: list[float] = []

    def note() -> None:
        seen.append(sum(run.shared._requests.held for run in here))

    async def come_and_go(batches: int) -> None:
        async with host.run() as run:
            here.append(run)
            for _ in range(batches):
                await run.shared.take_share()
                assert run.rate == run.shared._requests.held >= 1
                note()
                await asyncio.sleep(random.random() / 20)
            here.remove(run)

    await asyncio.gather(*(come_and_go(batches) for batches in (2, 4, 6, 8)))

    assert max(seen) <= 40
    assert await host.limit() == (0, 40)


async def test_the_slots_of_a_killed_run_come_back(host, prefect_home):
    async with host.run() as killed:
        await killed.shared.take_share()
        killed.shared._requests._leases.clear()
        killed.shared._runs._leases.clear()
    assert (await host.occupied(), await host.occupied("runs")) == (40, 1)

    end_leases(prefect_home)
    async with host.run() as run:
        await run.shared.take_share()
        await until(lambda: host.occupied("runs"), 1)
        await run.shared.take_share()

        assert (run.rate, await host.occupied()) == (40, 40)


def end_leases(prefect_home) -> None:
    """Have all leases that Prefect's server knows end now, without waiting a minute."""
    ended = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    folder = prefect_home / "concurrency_leases"
    for path in folder.glob("*.json"):
        lease = json.loads(path.read_text())
        if path.stem == "expirations":
            path.write_text(json.dumps(dict.fromkeys(lease, ended)))
        else:
            path.write_text(json.dumps(lease | {"expiration": ended}))


@pytest.mark.parametrize("were_ended", [True, False], ids=["ended", "forgotten"])
async def test_a_run_whose_leases_are_gone_has_its_share_anew_and_no_slot_is_lost(
    were_ended, host, prefect_home, monkeypatch
):
    async with host.run() as run:
        await run.shared.take_share()
        if were_ended:
            end_leases(prefect_home)
            for lease in run.shared._requests._leases + run.shared._runs._leases:
                lease.ends_at = 0
            await until(host.occupied, 0)
            await until(lambda: host.occupied("runs"), 0)
        else:  # as by a server that keeps them in memory, and restarts
            for path in (prefect_home / "concurrency_leases").glob("*.json"):
                path.unlink()
        monkeypatch.setattr(tasks.shared_pace, "LOOK_SECONDS", 0.05)
        monkeypatch.setattr(tasks.shared_pace, "RENEWAL_SECONDS", 0)
        async with host.run() as other:
            keeping = asyncio.create_task(run.shared.keep())
            await until_true(lambda: run.rate == 20)
            await other.shared.take_share()
            keeping.cancel()
            async with run.shared._looking:
                pass  # a look that had begun has come to its end

        assert await host.limit() == (20, 40)
        assert await host.occupied("runs") == 1
    assert (await host.occupied(), await host.occupied("runs")) == (0, 0)


async def until_true(is_true) -> None:
    async with asyncio.timeout(SECONDS):
        while not is_true():
            await asyncio.sleep(0.02)


async def test_slots_that_ended_in_time_are_not_given_back_a_second_time(host, prefect_home):
    async with host.run() as run:
        await run.shared.take_share()
        end_leases(prefect_home)
        await until(host.occupied, 0)
        await host.client.increment_concurrency_slots([run.shared._requests.name], 30, "concurrency")
        for lease in run.shared._requests._leases:
            lease.ends_at = 0

        await run.shared._requests.renew()

        assert (run.shared._requests.held, await host.occupied()) == (0, 30)


async def test_a_ceiling_set_anew_is_the_ceiling_of_all(host):
    async with host.run(40) as old:
        await old.shared.take_share()
        async with host.run(20) as new:
            waiting = asyncio.create_task(new.shared.take_share())
            await until(host.limit, (40, 20))
            await old.shared.take_share()
            await waiting

            assert (old.rate, new.rate, await host.limit()) == (10, 10, (20, 20))


async def test_of_more_runs_than_requests_a_second_some_wait_for_others_to_end(host, monkeypatch):
    monkeypatch.setattr(tasks.shared_pace, "PATIENCE_SECONDS", 0)
    async with host.run(1) as second:
        async with host.run(1) as first:
            await first.shared.take_share()
            waiting = asyncio.create_task(second.shared.take_share())
            await until(lambda: host.occupied("runs"), 2)
            await first.shared.take_share()
            assert (first.rate, waiting.done()) == (1, False)
        await waiting
        assert (second.rate, await host.occupied()) == (1, 1)


async def test_a_limit_that_somebody_deletes_is_made_and_shared_anew(host):
    async with host.run() as first, host.run() as second:
        await first.shared.take_share()
        for kind in ("runs", "requests-per-second"):
            await host.client.delete_global_concurrency_limit_by_name(f"tmdb-movies-{kind}-{host.name}")

        await first.shared.take_share()
        await second.shared._look()
        await first.shared.take_share()
        await second.shared.take_share()

        assert (first.rate, second.rate, await host.limit()) == (20, 20, (40, 40))


async def test_slots_that_nobody_gives_back_cost_a_warning_and_not_the_run(host, monkeypatch, caplog):
    async with host.run() as run:
        await run.shared._requests.read()
        await host.client.increment_concurrency_slots([run.shared._requests.name], 40, "concurrency")
        monkeypatch.setattr(tasks.shared_pace, "PATIENCE_SECONDS", 0)

        await run.shared.take_share()
        await run.shared.take_share()

        assert run.rate == 40
    assert caplog.text.count("no run gives way to this one") == 1


async def test_a_stop_ends_the_wait_for_a_share(host):
    async with host.run() as first, host.run() as second:
        await first.shared.take_share()
        waiting = asyncio.create_task(second.shared.take_share())
        await until(lambda: host.occupied("runs"), 2)

        second.stop.set(FatalError("enough"))
        await waiting

        assert (first.rate, second.shared._requests.held) == (40, 0)


async def test_without_an_api_the_fetching_goes_on_at_half_the_ceiling_with_one_warning(monkeypatch, caplog):
    monkeypatch.setattr(tasks.shared_pace, "API_SECONDS", 0.1)
    pace, stop = Pace(1_000, 5), Stop()

    with temporary_settings({PREFECT_API_URL: NO_API}):
        async with shared_pace(pace, "http://away.test/3", stop) as shared:
            await shared.take_share()
            assert pace.requests_per_second == 500
            async with open_client(
                "http://away.test/3",
                pace=pace,
                concurrency=5,
                stop=stop,
                transport=httpx.MockTransport(answer),
            ) as client:
                movies = await fetch_movies(client, range(20))
            await shared.take_share()

    assert [type(movie) for movie in movies] == [Movie] * 20
    assert [record.levelname for record in caplog.records if record.levelno >= logging.WARNING] == ["WARNING"]
    assert "Prefect's API does not say how many runs share TMDB's ceiling" in caplog.text
    assert "Going on with 500 requests a second" in caplog.text


async def test_a_run_whose_api_goes_away_keeps_its_share_and_asks_again(host, monkeypatch, caplog):
    async def fail(*args, **kwargs):
        raise httpx.ConnectError("gone")

    monkeypatch.setattr(tasks.shared_pace, "LOOK_SECONDS", 0.05)
    async with host.run() as first:
        async with host.run() as second:
            await first.shared.take_share()
            await second.shared.take_share()
            with monkeypatch.context() as gone:
                gone.setattr(LeasedSlots, "read", fail)
                await until_true(lambda: first.shared._is_away and second.shared._is_away)
                await first.shared.take_share()
                assert (first.rate, second.rate) == (20, 20)
        await until_true(lambda: first.rate == 40)

    assert caplog.text.count("ConnectError: gone). Going on with 20 requests a second") == 2


async def test_a_ceiling_that_is_off_is_shared_with_nobody(monkeypatch, caplog):
    pace = Pace(1_000_000, 5)

    with temporary_settings({PREFECT_API_URL: NO_API}):
        async with shared_pace(pace, "http://off.test/3", Stop()) as own:
            await own.take_share()

    assert type(own) is OwnPace
    assert (pace.requests_per_second, caplog.text) == (1_000_000, "")
