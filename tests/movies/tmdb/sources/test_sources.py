"""What each source names, by the sandbox's own word, over real sockets."""

from __future__ import annotations

from array import array
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

import movies.tmdb.sources.export
from movies.sandbox import Sandbox
from movies.tmdb.client import TmdbClient, open_client
from movies.tmdb.pace import Pace
from movies.tmdb.retry import RetryPolicy
from movies.tmdb.sources import Found, Ids, Position, build_source
from movies.tmdb.sources.export import Export
from movies.tmdb.tmdb_errors import BudgetSpent, ListFailedError, ListOutageError, StoppedError

MOVIES = 12_000
TODAY = datetime.now(UTC).date()
DAY = timedelta(days=1)


class Server:
    """A server as a source sees it."""

    def __init__(self, client: TmdbClient, exports_url: str = "") -> None:
        self._client, self._exports_url = client, exports_url

    async def client(self) -> TmdbClient:
        return self._client

    async def exports_url(self) -> str:
        return self._exports_url


@asynccontextmanager
async def connected(sandbox: Sandbox, max_requests: int | None = None) -> AsyncIterator[Server]:
    async with open_client(
        sandbox.base_url,
        api_key=sandbox.key,
        pace=Pace(100_000, 20),
        concurrency=20,
        policy=RetryPolicy(max_retries=3, base_seconds=0.01),
        max_requests=max_requests,
    ) as client:
        yield Server(client, sandbox.exports_url)


async def find(sandbox: Sandbox, source: str, position: Position | None = None, **filters: str) -> Found:
    async with connected(sandbox) as server:
        return await build_source(source, filters).find(server, position or Position())


@pytest.fixture(scope="module")
def large() -> Iterator[Sandbox]:
    # The day is given, or there would be no daily file yet in the small hours.
    with Sandbox(synthetic=MOVIES, payload_bytes=1_000, today=TODAY) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(large) -> Iterator[Sandbox]:
    large.set_faults()
    yield large
    large.set_faults()


@pytest.fixture(scope="module")
def catalogue(large) -> list[int]:
    """All ids of the sandbox, which its payloads and lists come from."""
    from movies.sandbox.movie_catalogue import load_catalogue

    return sorted({*load_catalogue(), *range(1, MOVIES + 1)})


async def test_ids_are_named_in_their_order_without_asking_anybody(sandbox):
    async with connected(sandbox) as server:
        found = await Ids(movie_ids=(3, 1, 2)).find(server, Position())

    assert found == Found(array("q", [3, 1, 2]))
    assert sandbox.stats()["requests"] == 0


async def test_an_export_names_all_movies_and_is_no_part_of_the_pace(sandbox, catalogue):
    found = await find(sandbox, "export")

    assert sorted(found.movie_ids) == catalogue
    assert sandbox.stats()["by_kind"] == {"export": 1}


async def test_an_export_is_cut_by_popularity(sandbox):
    all_movies, known, nobody = [
        set((await find(sandbox, "export", min_popularity=least)).movie_ids) for least in ("0", "25", "1e9")
    ]

    assert nobody == set()
    assert known < all_movies
    from movies.sandbox.synthetic import SyntheticMovies

    facts = SyntheticMovies(MOVIES)
    assert {id_ for id_ in known if id_ > 2_000_000 or id_ <= MOVIES} >= {
        id_ for id_ in range(11_000, MOVIES) if facts.facts(id_).popularity >= 25.001
    }


@pytest.mark.parametrize("days_back", [1, 3])
async def test_where_todays_export_is_not_there_yet_an_earlier_days_is_read(days_back):
    with Sandbox(synthetic=5, today=TODAY - days_back * DAY) as sandbox:
        found = await find(sandbox, "export")

        assert {1, 2, 3, 4, 5} <= set(found.movie_ids)
        assert sandbox.stats()["by_kind"] == {"export": days_back + 1}


async def test_without_any_recent_export_the_run_stops_with_a_sentence():
    sentence = r"There is no daily file of ids of \S+ or 3 days before"
    with (
        Sandbox(synthetic=5, today=TODAY - 30 * DAY) as sandbox,
        pytest.raises(ListFailedError, match=sentence),
    ):
        await find(sandbox, "export")


async def test_an_export_that_comes_torn_is_read_again(sandbox, monkeypatch, catalogue):
    real = movies.tmdb.sources.export._lines
    torn = []

    async def tear_once(chunks, file):
        if not torn:
            torn.append(True)
            raise httpx.ReadError("torn")
        async for lines in real(chunks, file):
            yield lines

    monkeypatch.setattr(movies.tmdb.sources.export, "_lines", tear_once)

    assert len((await find(sandbox, "export")).movie_ids) == len(catalogue)
    assert sandbox.stats()["by_kind"] == {"export": 2}


async def test_a_signed_address_of_exports_is_asked_whole_and_shown_without_its_query(
    sandbox, caplog, monkeypatch
):
    caplog.set_level("INFO", "movies.tmdb.sources")
    asked = set()

    async def refuse(self: object, file: str, client: object) -> None:
        asked.add(file)
        httpx.Response(500, request=httpx.Request("GET", file)).raise_for_status()

    monkeypatch.setattr(Export, "_download", refuse)
    async with connected(sandbox) as server:
        with pytest.raises(ListFailedError) as raised:
            await Export()._read_day(await server.client(), "https://h/p?sig=s3cr3t%2Bkey", date(2026, 1, 2))

    assert asked == {"https://h/p/movie_ids_01_02_2026.json.gz?sig=s3cr3t%2Bkey"}
    shown = "https://h/p/movie_ids_01_02_2026.json.gz?*** could not be fetched: HTTPStatusError: "
    assert str(raised.value).startswith(shown)
    assert "s3cr3t" not in str(raised.value) + str(raised.value.__cause__) + caplog.text


async def test_a_store_of_exports_that_does_not_answer_is_an_outage(sandbox):
    sandbox.set_faults(server_error=1.0)

    with pytest.raises(ListOutageError, match=r"movie_ids_\S+ could not be fetched: HTTPStatusError: .*500"):
        await find(sandbox, "export")


async def test_discover_reads_every_page_of_a_short_list(sandbox):
    found = await find(sandbox, "discover", **{"with_genres": "878", "vote_count.gte": "15000"})

    async with httpx.AsyncClient(params={"api_key": sandbox.key}) as http:
        answer = await http.get(
            f"{sandbox.base_url}/discover/movie", params={"with_genres": "878", "vote_count.gte": "15000"}
        )
    assert len(found.movie_ids) == len(set(found.movie_ids)) == answer.json()["total_results"] > 100


async def test_discover_splits_a_list_of_more_than_500_pages_by_dates(sandbox, catalogue):
    found = await find(sandbox, "discover")

    assert len(catalogue) > 500 * 20
    assert sorted(found.movie_ids) == catalogue
    assert sandbox.stats()["refused"] == {}, "no page beyond 500 is asked for"


async def test_a_page_that_comes_badly_is_asked_for_again(sandbox):
    before = await find(sandbox, "discover", with_genres="878")
    sandbox.set_faults(server_error=0.3, html=0.1, first_attempts=2)

    assert await find(sandbox, "discover", with_genres="878") == before


async def test_a_page_that_cannot_be_had_stops_the_run_since_the_list_would_have_a_hole(sandbox):
    sandbox.set_faults(server_error=1.0)

    with pytest.raises(ListFailedError, match="discover/movie could not be fetched, page 1: 500"):
        await find(sandbox, "discover")


async def test_a_budget_ends_the_reading_of_lists(sandbox):
    async with connected(sandbox, max_requests=4) as server:
        with pytest.raises(StoppedError):
            await build_source("discover", {"with_genres": "878"}).find(server, Position())
        assert isinstance((await server.client()).stop.reason, BudgetSpent)
    assert 1 <= sandbox.stats()["requests"] <= 4


def changed_on(day: date, catalogue: list[int]) -> set[int]:
    """The sandbox's rule: every tenth day, by the id."""
    return {movie_id for movie_id in catalogue if (movie_id + day.toordinal()) % 10 == 0}


async def test_changes_since_the_cursor_are_all_found_over_gaps_of_any_length(sandbox, catalogue):
    followed = datetime.now(UTC) - 40 * DAY

    found = await find(sandbox, "changes", Position(followed=followed))

    assert sorted(found.movie_ids) == catalogue
    assert sandbox.stats()["refused"] == {}, "no window is longer than TMDB allows"
    assert found.begun == found.followed
    assert abs(found.followed - datetime.now(UTC)) < timedelta(minutes=2)


async def test_each_changed_movie_is_needed_since_the_end_of_its_last_day(sandbox, catalogue):
    followed = datetime.now(UTC) - 3 * DAY

    found = await find(sandbox, "changes", Position(followed=followed))

    needed = dict(zip(found.movie_ids, found.needed_since, strict=True))
    # A window ends on the next day, which TMDB may count or not.
    assert needed.keys() == set().union(*(changed_on(TODAY - n * DAY, catalogue) for n in range(4)))
    midnight = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC)
    for movie_id in changed_on(TODAY - 3 * DAY, catalogue):
        assert needed[movie_id] == midnight - 2 * DAY
    for movie_id in changed_on(TODAY, catalogue):
        assert needed[movie_id] == found.begun


async def test_a_walk_that_was_broken_off_today_goes_on_as_it_began(sandbox):
    begun = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=2)

    today = await find(sandbox, "changes", Position(followed=begun - 2 * DAY, broken_off=begun))
    yesterday = await find(sandbox, "changes", Position(followed=begun - 2 * DAY, broken_off=begun - DAY))

    assert today.begun == today.followed == begun
    assert yesterday.begun > begun, "the days since then are over, and say enough"


async def test_what_is_owed_is_asked_for_along_with_the_changes(sandbox):
    found = await find(sandbox, "changes", Position(followed=datetime.now(UTC), owed=array("q", [999_999])))

    assert dict(zip(found.movie_ids, found.needed_since, strict=True))[999_999] == found.begun


async def test_without_a_cursor_the_oldest_payload_says_where_to_begin(sandbox, catalogue):
    oldest = datetime.now(UTC) - 5 * DAY

    found = await find(sandbox, "changes", Position(oldest_fetch=oldest))

    assert set(found.movie_ids) == set().union(*(changed_on(TODAY - n * DAY, catalogue) for n in range(6)))


async def test_a_date_may_be_given_to_begin_with(sandbox, catalogue):
    found = await find(sandbox, "changes", since=str(TODAY - DAY))

    assert set(found.movie_ids) == changed_on(TODAY, catalogue) | changed_on(TODAY - DAY, catalogue)


@pytest.mark.parametrize(
    ("source", "filters", "sentence"),
    [
        ("dreams", {}, "There is no source 'dreams'. Choose one of ids, changes, discover, export"),
        (
            "export",
            {"popularity": "5"},
            "The source export has no filter 'popularity'. Choose one of min_",
        ),
        (
            "export",
            {"min_popularity": "much"},
            "The filter min_popularity of the source export: ",
        ),
        ("discover", {"with_genre": "18"}, "The source discover has no filter 'with_genre'. Choose one of "),
        ("discover", {"page": "2"}, "The source discover has no filter 'page'. Choose one of "),
        ("discover", {"primary_release_date.gte": "2026"}, "The filter primary_release_date.gte is not "),
        ("changes", {"since": "yesterday"}, "The filter since of the source changes: Input should be"),
    ],
)
def test_a_source_or_filter_that_is_not_known_is_said_in_a_sentence(source, filters, sentence):
    with pytest.raises(ValueError) as caught:
        build_source(source, filters)

    assert str(caught.value).startswith(sentence)
