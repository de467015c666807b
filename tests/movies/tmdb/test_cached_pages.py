"""Walks of changes whose pages come from a cache."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from email.utils import format_datetime

import httpx
import pytest

from movies.tmdb.client import open_client
from movies.tmdb.pace import Pace
from movies.tmdb.sources import Found, Position, build_source
from tests.movies.tmdb.sources.test_sources import Server

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def find(run_skipping, position: Position, age_of: Callable[[date], timedelta]) -> Found:
    """Ask a server behind a cache: of each day one page with one movie, whose id is the day's number."""

    def answer(request: httpx.Request) -> httpx.Response:
        day = date.fromisoformat(request.url.params["start_date"])
        age = age_of(day)
        cached = min(age, HOUR)
        headers = {
            "Date": format_datetime(datetime.now(UTC) - cached, usegmt=True),
            "Age": str(round(cached.total_seconds())),
            "X-Memc-Age": str(round((age - cached).total_seconds())),
        }
        page = {"page": 1, "results": [{"id": day.toordinal()}], "total_pages": 1, "total_results": 1}
        return httpx.Response(200, json=page, headers=headers)

    async def run() -> Found:
        async with open_client(
            "http://tmdb.test/3", pace=Pace(1000, 5), concurrency=5, transport=httpx.MockTransport(answer)
        ) as client:
            return await build_source("changes", {}).find(Server(client), position)

    return run_skipping(run())


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


def close(moment: datetime, other: datetime) -> bool:
    return abs(moment - other) < timedelta(minutes=2)


def test_a_walk_begins_when_its_oldest_page_was_made(now, run_skipping):
    today = now.date()
    ages = {today - 2 * DAY: timedelta(0), today - DAY: 7 * HOUR, today: HOUR}

    found = find(run_skipping, Position(followed=now - 2 * DAY), ages.__getitem__)

    assert close(found.begun, now - 7 * HOUR)
    assert found.followed == found.begun
    needed = dict(zip(found.movie_ids, found.needed_since, strict=True))
    assert sorted(needed) == [(today - n * DAY).toordinal() for n in (2, 1, 0)]
    midnight = datetime.combine(today, time(), UTC)
    assert needed == {
        (today - 2 * DAY).toordinal(): midnight - DAY,
        (today - DAY).toordinal(): min(midnight, found.begun),
        today.toordinal(): found.begun,
    }


def test_an_old_page_takes_back_nothing_that_has_been_followed(now, run_skipping):
    found = find(run_skipping, Position(followed=now - HOUR), lambda day: 20 * HOUR)

    assert close(found.begun, now - 20 * HOUR)
    assert found.followed == now - HOUR


def test_a_cursor_from_the_future_is_none(now, run_skipping):
    today = now.date()
    position = Position(followed=now.replace(year=2119), oldest_fetch=now - 3 * DAY)

    found = find(run_skipping, position, lambda day: timedelta(0))

    assert sorted(found.movie_ids) == [(today - n * DAY).toordinal() for n in (3, 2, 1, 0)]
    assert close(found.followed, now)
