import asyncio
from collections.abc import Callable, Iterable
from itertools import pairwise

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from movies.tmdb.pace import Pace
from movies.tmdb.stop import Stop
from movies.tmdb.tmdb_errors import FatalError
from tests.movies.tmdb.test_client import Server, fetch

Change = Callable[[Pace], None]


async def turns(
    pace: Pace,
    seconds: float,
    changes: Iterable[tuple[float, Change]] = (),
    workers: int = 20,
    latency_seconds: float = 0.05,
) -> list[float]:
    """When requests went, in seconds since the start, of workers that ask for turns all the time."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    times: list[float] = []
    stop = Stop()

    async def work() -> None:
        while True:
            async with pace.turn(stop):
                times.append(loop.time() - began)
                await asyncio.sleep(latency_seconds)

    async def change() -> None:
        for at, apply in sorted(changes, key=lambda pair: pair[0]):
            await asyncio.sleep(began + at - loop.time())
            apply(pace)

    tasks = [asyncio.create_task(work()) for _ in range(workers)]
    tasks.append(asyncio.create_task(change()))
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return times


def busiest_second(times: list[float]) -> int:
    most = first = 0
    for last, time in enumerate(times):
        while time - times[first] >= 1:
            first += 1
        most = max(most, last - first + 1)
    return most


def per_second(times: list[float], start: float, end: float) -> float:
    return sum(start <= time < end for time in times) / (end - start)


@pytest.mark.parametrize("concurrency", [1, 5, 50])
@pytest.mark.parametrize("rate", [1, 2.5, 7, 40, 300])
def test_the_ceiling_is_kept_over_every_second_whatever_the_concurrency(rate, concurrency, run_skipping):
    async def run() -> list[float]:
        return await turns(Pace(rate, concurrency), 30, workers=60, latency_seconds=0.001)

    times = run_skipping(run())

    assert busiest_second(times) <= rate + 1
    assert len(times) / 30 >= 0.95 * rate


def test_a_first_refusal_halves_the_rate_and_it_recovers_in_ten_seconds(run_skipping):
    async def run() -> list[float]:
        return await turns(Pace(40, 50), 30, [(10, Pace.slow_down)])

    times = run_skipping(run())

    assert per_second(times, 10, 11) == pytest.approx(20.5, abs=1)
    # 20 a second, and 2 a second more every second.
    assert [per_second(times, start, start + 2) for start in range(10, 22, 2)] == pytest.approx(
        [21.5, 25.5, 29.5, 33, 37, 39], abs=1
    )


def test_refusals_of_one_burst_halve_the_rate_once(run_skipping):
    async def run() -> list[float]:
        pace = Pace(40, 5)
        rates = []
        for at_once in (1, 5):
            for _ in range(at_once):
                pace.slow_down()
            rates.append(pace.requests_per_second)
        await asyncio.sleep(0.5)
        pace.slow_down()
        rates.append(pace.requests_per_second)
        await asyncio.sleep(0.5)
        pace.slow_down()
        rates.append(pace.requests_per_second)
        return rates

    assert run_skipping(run()) == pytest.approx([20, 20, 21, 11], abs=0.1)


def test_a_client_that_is_refused_goes_on_at_half_the_rate(run_skipping):
    class OneRefusal(Server):
        async def __call__(self, request: httpx.Request) -> httpx.Response:
            good = await super().__call__(request)
            return httpx.Response(429) if len(self.times) == 100 else good

    server = OneRefusal(latency_seconds=0)
    run_skipping(fetch(server, *range(200), requests_per_second=40))

    times = server.times
    refused = times[99]
    assert per_second(times, refused - 1, refused) == pytest.approx(39.5, abs=1)
    assert per_second(times, refused, refused + 1) == pytest.approx(20.5, abs=1.5)


def test_a_rate_is_never_halved_below_one_a_second(run_skipping):
    async def run() -> list[float]:
        pace = Pace(40, 5)
        for _ in range(9):
            pace.slow_down()
            slowest = pace.requests_per_second
            await asyncio.sleep(1)
            pace.pause(1)
            await asyncio.sleep(1)
        modest = Pace(1, 5)
        modest.slow_down()
        return [slowest, modest.requests_per_second]

    slowest, modest = run_skipping(run())
    assert 1 <= slowest <= 4
    assert modest == 1


def test_a_rate_recovers_only_once_the_pause_asked_for_is_over(run_skipping):
    async def run() -> tuple[list[float], float, float]:
        pace = Pace(40, 5)

        def refuse(pace: Pace) -> None:
            pace.slow_down()
            pace.pause(30)

        times = await turns(pace, 36, [(5, refuse)])
        return times, pace.requests_per_second, await _rate_after(pace, 6)

    times, during_recovery, recovered = run_skipping(run())

    assert per_second(times, 5.1, 35) == 0
    assert per_second(times, 35, 36) == pytest.approx(20.5, abs=1)
    assert during_recovery == pytest.approx(22, abs=0.1)
    assert recovered == pytest.approx(34, abs=0.1)


async def _rate_after(pace: Pace, seconds: float) -> float:
    await asyncio.sleep(seconds)
    return pace.requests_per_second


def test_a_limit_holds_at_once_for_those_who_wait_already_and_is_never_above_the_ceiling(run_skipping):
    changes: list[tuple[float, Change]] = [(5, lambda pace: pace.limit(8)), (10, lambda pace: pace.limit(99))]

    async def run() -> tuple[list[float], float]:
        pace = Pace(40, 50)
        return await turns(pace, 15, changes), pace.requests_per_second

    times, rate = run_skipping(run())

    assert busiest_second([time for time in times if 5.1 <= time < 10]) <= 8
    assert per_second(times, 5, 10) == pytest.approx(8, abs=0.5)
    assert per_second(times, 10.5, 15) >= 0.95 * 40
    assert rate == 40


def test_the_last_bit_up_to_the_limit_counts_too(run_skipping):
    async def run() -> list[float]:
        return await turns(
            Pace(40, 50), 40, [(0, lambda pace: pace.limit(39.3)), (10, lambda pace: pace.limit(40))]
        )

    assert per_second(run_skipping(run()), 10, 40) == pytest.approx(39.2, abs=0.1)


def test_a_limited_run_recovers_to_its_limit(run_skipping):
    async def run() -> list[float]:
        pace = Pace(40, 5)
        pace.limit(10)
        pace.slow_down()
        return [pace.requests_per_second, await _rate_after(pace, 4), await _rate_after(pace, 99)]

    assert run_skipping(run()) == pytest.approx([5, 7, 10], abs=0.1)


def test_two_that_share_a_ceiling_keep_it_together_also_while_one_gives_way(run_skipping):
    async def run() -> list[float]:
        old, new = Pace(40, 50), Pace(40, 50)
        new.limit(20)

        async def begin_later() -> list[float]:
            await asyncio.sleep(5)
            return [5 + time for time in await turns(new, 10)]

        give_way: Change = lambda pace: pace.limit(20)  # noqa: E731
        both = await asyncio.gather(turns(old, 15, [(5, give_way)]), begin_later())
        return sorted(both[0] + both[1])

    times = run_skipping(run())

    assert busiest_second(times) <= 41
    assert per_second(times, 6, 15) >= 0.95 * 40


changes_of_pace = st.lists(
    st.tuples(
        st.floats(0, 8),
        st.one_of(
            st.just(Pace.slow_down),
            st.floats(1, 50).map(lambda rate: lambda pace: pace.limit(rate)),
            st.floats(0, 2).map(lambda seconds: lambda pace: pace.pause(seconds)),
        ),
    ),
    max_size=12,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rate=st.integers(1, 60), concurrency=st.integers(1, 20), changes=changes_of_pace)
def test_no_change_of_pace_lets_more_through_than_the_ceiling(rate, concurrency, changes, run_skipping):
    async def run() -> list[float]:
        return await turns(Pace(rate, concurrency), 8, changes)

    times = run_skipping(run())

    assert times
    assert busiest_second(times) <= rate + 1


def test_turns_are_given_in_the_order_they_were_asked_for(run_skipping):
    order: list[int] = []

    async def run() -> None:
        pace, stop = Pace(10, 5), Stop()

        async def take(number: int) -> None:
            async with pace.turn(stop):
                order.append(number)

        await asyncio.gather(*(take(number) for number in range(30)))

    run_skipping(run())

    assert order == list(range(30))


def test_a_stop_ends_the_waiting_of_all_within_one_turn(run_skipping):
    async def run() -> tuple[float, list[float]]:
        pace, stop, loop = Pace(1, 50), Stop(), asyncio.get_running_loop()
        ended: list[float] = []

        async def take() -> None:
            async with pace.turn(stop):
                ended.append(loop.time())

        tasks = [asyncio.create_task(take()) for _ in range(50)]
        await asyncio.sleep(3.5)
        stopped_at = loop.time()
        stop.set(FatalError("enough"))
        await asyncio.gather(*tasks)
        return stopped_at, ended

    stopped_at, ended = run_skipping(run())

    assert len(ended) == 50
    assert max(ended) <= stopped_at + 1.1
    assert all(later - earlier >= 1 for earlier, later in pairwise(ended[:4]))


def test_a_waiter_that_is_cancelled_keeps_nobody_waiting(run_skipping):
    async def run() -> int:
        pace, stop = Pace(2, 1), Stop()
        given = 0

        async def take() -> None:
            nonlocal given
            async with pace.turn(stop):
                given += 1

        tasks = [asyncio.create_task(take()) for _ in range(6)]
        await asyncio.sleep(0.1)
        for task in tasks[1:3]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return given

    assert run_skipping(run()) == 4


@pytest.mark.parametrize(
    ("latency_seconds", "rate", "concurrency", "wanted"),
    [
        pytest.param(0.2, 40, 5, 8, id="held-back-by-places"),
        pytest.param(0.35, 40, 5, 14, id="slower"),
        pytest.param(0.05, 40, 5, None, id="held-back-by-the-rate"),
        pytest.param(0.2, 40, 10, None, id="places-enough"),
    ],
)
def test_the_concurrency_that_would_reach_the_rate_is_known_where_places_held_back(
    latency_seconds, rate, concurrency, wanted, run_skipping
):
    async def use() -> int | None:
        pace = Pace(rate, concurrency)
        stop = Stop()

        async def ask() -> None:
            async with pace.turn(stop):
                await asyncio.sleep(latency_seconds)

        await asyncio.gather(*(ask() for _ in range(100)))
        return pace.concurrency_to_set

    assert run_skipping(use()) == wanted
