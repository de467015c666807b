"""Each check on movies that break it and on good ones, alone and beside the figures of an earlier run."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from movies.lake.arrow import arrow_schema
from movies.lake.tables import DATA_QUALITY, SILVER_MOVIES
from spark.checks import CHECKS, CheckResult, CheckResults, DataQualityError, run_checks
from spark.checks.check_run import CHECKED_COLUMNS
from spark.checks.comparisons import LittleDrift
from spark.engines.session import Engine
from spark.frames import read_table
from tests.spark.lakes import Rows
from tests.spark.queries import earning, frame_of
from tests.spark.transforming import LakeOf

TODAY = dt.date(2026, 11, 24)
FUTURE = {"release_date": dt.date(2027, 1, 1), "release_year": 2027}
NAN = float("nan")
INFINITE = float("inf")
UNKNOWN_MONEY = dict.fromkeys(("budget_musd", "revenue_musd", "profit_musd", "roi"))
# Which checks have too little to go by, in a first run and with less than a hundred movies.
COMPARING = {check.name for check in CHECKS if check.name.startswith(("known_", "median_", "movie_count"))}
WANTING_MANY = {check.name for check in CHECKS if check.name.startswith("missing_")} | {
    "budget_unit",
    "revenue_unit",
}


def good(movie_id: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": movie_id,
        "title": f"Movie {movie_id}",
        "release_date": dt.date(1999, 3, 31),
        "release_year": 1999,
        "genres": "Action|Science Fiction",
        "original_language": "en",
        "cast": "Keanu Reeves|Carrie-Anne Moss",
        "cast_size": 2,
        "director": "Lana Wachowski|Lilly Wachowski",
        "crew_size": 2,
        "budget_musd": 63.0,
        "revenue_musd": 463.5,
        "profit_musd": 400.5,
        "roi": 463.5 / 63.0,
        "vote_count": 26_000,
        "vote_average": 8.2,
        "popularity": 80.5,
        "runtime": 136,
    } | changes


def many(count: int, **changes: Any) -> Rows:
    return [good(movie_id, **changes) for movie_id in range(1, count + 1)]


def three(**changes: Any) -> Rows:
    """Three movies, the second with a fault."""
    return [good(1), good(2, **changes), good(3)]


def frame(engine: Engine, movies: Rows) -> Any:
    return frame_of(engine, CHECKED_COLUMNS, movies)


def checked(engine: Engine, movies: Rows, previous: Mapping[str, float] | None = None) -> CheckResults:
    return run_checks(frame(engine, movies), previous, TODAY)


def failed(results: Iterable[CheckResult]) -> list[str]:
    return [result.check for result in results if result.status == "failed"]


def of(results: Iterable[CheckResult], name: str) -> CheckResult:
    [result] = [result for result in results if result.check == name]
    return result


def names_of(cases: Iterable[Any]) -> set[str]:
    return {case.values[0] for case in cases}


def found(result: CheckResult) -> tuple[Any, ...]:
    return result.status, result.value, result.rows, result.failing_rows, result.examples


ONE_ROW_AT_FAULT = [
    pytest.param("identified", {"title": None}, [], id="no-title"),
    pytest.param("identified", {"release_date": None, "release_year": None}, [], id="no-date"),
    pytest.param("release_year_agrees", {"release_year": 1998}, [], id="another-year"),
    pytest.param("release_year_agrees", {"release_year": None}, [], id="no-year"),
    pytest.param("unknown_is_null", earning(0.0, None), ["budget_floor"], id="no-budget-as-0"),
    pytest.param("unknown_is_null", earning(None, 0.0), ["revenue_floor"], id="no-revenue-as-0"),
    pytest.param("unknown_is_null", {"runtime": 0}, ["runtime_range"], id="no-runtime-as-0"),
    pytest.param("rated_by_votes", {"vote_count": 0}, [], id="rated-by-nobody"),
    pytest.param("rated_by_votes", {"vote_count": None}, [], id="rated-by-who-knows-how-many"),
    pytest.param("finite_figures", {"popularity": INFINITE}, [], id="infinite"),
    pytest.param("finite_figures", {"popularity": NAN}, [], id="not-a-number"),
    pytest.param("profit_agrees", {"profit_musd": 400.6}, [], id="another-profit"),
    pytest.param("profit_agrees", {"profit_musd": None}, [], id="no-profit"),
    pytest.param(
        "profit_agrees", earning(None, 1.0) | {"profit_musd": 1.0}, [], id="profit-of-half-the-money"
    ),
    pytest.param("roi_agrees", {"roi": 7.0}, [], id="another-return"),
    pytest.param("roi_agrees", {"roi": None}, [], id="no-return"),
    pytest.param("credits_agree", {"crew_size": 0}, [], id="director-without-crew"),
    pytest.param("credits_agree", {"cast_size": 0}, [], id="cast-of-nobody"),
    pytest.param("rating_range", {"vote_average": 10.1}, [], id="rated-over-10"),
    pytest.param("rating_range", {"vote_average": -0.1}, [], id="rated-under-0"),
    pytest.param("counts_range", {"vote_count": -1}, [], id="negative-votes"),
    pytest.param("counts_range", {"popularity": -1.0}, [], id="negative-popularity"),
    pytest.param("money_not_negative", earning(63.0, -1.0), [], id="negative-revenue"),
    pytest.param("money_not_negative", earning(-1.0, None), [], id="negative-budget"),
    pytest.param("money_ceiling", earning(1_001.0, 1_001.0), [], id="budget-in-dollars"),
    pytest.param("money_ceiling", earning(63.0, 5_001.0), [], id="revenue-in-dollars"),
    pytest.param("budget_floor", earning(0.0001, 0.01), [], id="budget-of-100-dollars"),
    pytest.param("revenue_floor", earning(63.0, 0.0001), [], id="revenue-of-100-dollars"),
    pytest.param("roi_ceiling", earning(0.01, 10.1), [], id="return-of-1010"),
    pytest.param("runtime_range", {"runtime": -90}, [], id="negative-runtime"),
    pytest.param("runtime_range", {"runtime": 1_001}, [], id="runtime-of-a-day"),
    pytest.param(
        "release_year_range",
        {"release_date": dt.date(1869, 12, 31), "release_year": 1869},
        [],
        id="before-film",
    ),
    pytest.param(
        "release_year_range",
        {"release_date": dt.date(2037, 1, 1), "release_year": 2037} | UNKNOWN_MONEY,
        ["released_by_now"],
        id="in-eleven-years",
    ),
    pytest.param("released_by_now", FUTURE | UNKNOWN_MONEY, [], id="next-year"),
    pytest.param("revenue_after_release", FUTURE, ["released_by_now"], id="revenue-before-release"),
]


@pytest.mark.parametrize(("name", "changes", "beside"), ONE_ROW_AT_FAULT)
def test_a_row_that_breaks_a_check_is_counted_and_named(
    engine: Engine, name: str, changes: dict[str, Any], beside: list[str]
) -> None:
    results = checked(engine, three(**changes))

    assert sorted(failed(results)) == sorted([name, *beside])
    assert found(of(results, name)) == ("failed", 1 / 3, 3, 1, "2")


def test_rows_beyond_the_first_of_their_id_are_counted_and_the_ids_named(engine: Engine) -> None:
    results = checked(engine, [good(7), good(1), good(7), good(5), good(7), good(5)])

    assert failed(results) == ["unique_ids"]
    assert found(of(results, "unique_ids")) == ("failed", 3 / 6, 6, 3, "5, 7")


def test_a_movie_without_an_id_is_counted_though_it_cannot_be_named(engine: Engine) -> None:
    results = checked(engine, [good(1), good(2) | {"id": None}])

    assert failed(results) == ["identified"]
    assert found(of(results, "identified")) == ("failed", 1 / 2, 2, 1, None)


EMPTY_COLUMNS = [
    pytest.param("missing_budgets", {"budget_musd": None, "profit_musd": None, "roi": None}, id="budget"),
    pytest.param("missing_revenues", {"revenue_musd": None, "profit_musd": None, "roi": None}, id="revenue"),
    pytest.param("missing_runtimes", {"runtime": None}, id="runtime"),
    pytest.param("missing_ratings", {"vote_average": None}, id="rating"),
    pytest.param("missing_popularity", {"popularity": None}, id="popularity"),
    pytest.param("missing_languages", {"original_language": None}, id="language"),
    pytest.param("missing_genres", {"genres": None}, id="genres"),
    pytest.param("missing_casts", {"cast": None}, id="cast"),
    pytest.param("missing_directors", {"director": None}, id="director"),
]


@pytest.mark.parametrize(("name", "changes"), EMPTY_COLUMNS)
def test_a_column_that_is_empty_in_a_hundred_movies_is_told(
    engine: Engine, name: str, changes: dict[str, Any]
) -> None:
    results = checked(engine, many(100, **changes))

    assert failed(results) == [name]
    assert found(of(results, name)) == ("failed", 1.0, 100, 100, "1, 2, 3, 4, 5")
    assert failed(checked(engine, many(99, **changes))) == []


OTHER_UNITS = [
    pytest.param("budget_unit", earning(63e6, 463.5), id="budget-in-dollars"),
    pytest.param("budget_unit", earning(63e-6, 463.5), id="budget-divided-twice"),
    pytest.param("revenue_unit", earning(63.0, 463.5e6), id="revenue-in-dollars"),
    pytest.param("revenue_unit", earning(63.0, 46.35e-6), id="revenue-divided-twice"),
]


@pytest.mark.parametrize(("name", "changes"), OTHER_UNITS)
def test_money_in_another_unit_is_an_error(engine: Engine, name: str, changes: dict[str, Any]) -> None:
    results = checked(engine, many(100, **changes))

    assert [result.check for result in results.failed("error")] == [name]
    median = changes[name.replace("unit", "musd")]
    assert found(of(results, name)) == ("failed", median, 100, None, None)


KNOWN_COLUMNS = [
    ("known_budgets", "budget_musd"),
    ("known_revenues", "revenue_musd"),
    ("known_runtimes", "runtime"),
    ("known_ratings", "vote_average"),
    ("known_popularity", "popularity"),
    ("known_genres", "genres"),
    ("known_casts", "cast"),
    ("known_directors", "director"),
]


@pytest.mark.parametrize(("name", "column"), KNOWN_COLUMNS)
def test_values_lost_since_the_last_run_are_an_error(engine: Engine, name: str, column: str) -> None:
    unknown = {column: None} | (dict.fromkeys(("profit_musd", "roi")) if column.endswith("_musd") else {})
    movies = [good(1), *(good(movie_id, **unknown) for movie_id in range(2, 21))]
    last = checked(engine, many(20)).values

    results = checked(engine, movies, last)

    assert failed(results) == [name]
    assert found(of(results, name)) == ("failed", 1.0, 20, None, None)
    assert of(results, name).limit == "at least 90% of the last run's, or 5 fewer; it had 20"


@pytest.mark.parametrize(
    ("movies", "before", "status"),
    [
        pytest.param(0, None, "skipped", id="first-run"),
        pytest.param(0, 5, "passed", id="the-last-few-gone"),
        pytest.param(0, 6, "failed", id="all-gone"),
        pytest.param(13, 18, "passed", id="five-of-18-gone"),
        pytest.param(12, 18, "failed", id="six-of-18-gone"),
        pytest.param(90, 100, "passed", id="a-tenth-gone"),
        pytest.param(89, 100, "failed", id="over-a-tenth-gone"),
        pytest.param(100, 18, "passed", id="many-come"),
    ],
)
def test_rows_are_counted_against_the_last_run(
    engine: Engine, movies: int, before: float | None, status: str
) -> None:
    last = {} if before is None else {"movie_count": float(before)}

    results = checked(engine, many(movies), last)

    assert found(of(results, "movie_count")) == (status, float(movies), movies, None, None)
    assert failed(results) == (["movie_count"] if status == "failed" else [])


MEDIAN_COLUMNS = [
    ("median_budget", "known_budgets", 63.0, 2.0),
    ("median_revenue", "known_revenues", 463.5, 2.0),
    ("median_runtime", "known_runtimes", 136.0, 1.25),
    ("median_rating", "known_ratings", 8.2, 1.25),
    ("median_popularity", "known_popularity", 80.5, 2.0),
]


@pytest.mark.parametrize(("name", "known", "median", "factor"), MEDIAN_COLUMNS)
def test_a_median_that_drifts_is_a_warning(
    engine: Engine, name: str, known: str, median: float, factor: float
) -> None:
    movies = many(150)

    def status(before: float, known_before: float) -> tuple[str, float | None]:
        result = of(checked(engine, movies, {name: before, known: known_before}), name)
        return result.status, result.value

    assert status(median * factor * 1.01, 150) == ("failed", median)
    assert status(median / factor / 1.01, 150) == ("failed", median)
    assert status(median * factor / 1.01, 150) == ("passed", median)
    assert status(median * 100, 99) == ("skipped", median)
    assert status(0.0, 150) == ("skipped", median)
    assert {check.severity for check in CHECKS if check.name == name} == {"warning"}


def test_medians_of_a_lake_that_grew_by_half_may_be_other_ones(engine: Engine) -> None:
    last = {"median_budget": 200.0, "known_budgets": 100.0}

    assert of(checked(engine, many(150), last), "median_budget").status == "failed"
    assert of(checked(engine, many(151), last), "median_budget").status == "skipped"


def test_good_movies_pass_and_what_needs_an_earlier_run_or_more_movies_is_skipped(engine: Engine) -> None:
    few, enough = checked(engine, many(3)), checked(engine, many(100))

    assert {result.check for result in few if result.status == "skipped"} == COMPARING | WANTING_MANY
    assert {result.check for result in enough if result.status == "skipped"} == COMPARING
    assert failed([*few, *enough]) == []
    again = checked(engine, many(100), enough.values)
    assert {result.status for result in again} == {"passed"}


def test_a_share_of_odd_values_is_passed_over_and_still_counted(engine: Engine) -> None:
    movies = [good(1, runtime=1_001), *(good(movie_id) for movie_id in range(2, 101))]

    results = checked(engine, movies)

    assert found(of(results, "runtime_range")) == ("passed", 0.01, 100, 1, None)


def test_null_fails_only_what_asks_for_values(engine: Engine) -> None:
    kept = ("id", "title", "release_date", "release_year", "cast_size", "crew_size")
    bare = [{column: good(1)[column] if column in kept else None for column in CHECKED_COLUMNS}]

    assert failed(checked(engine, bare)) == []


def test_empty_silver_gives_every_row_and_no_error(engine: Engine) -> None:
    results = checked(engine, [])

    assert [result.check for result in results] == [check.name for check in CHECKS]
    assert {result.check for result in results if result.status == "skipped"} == COMPARING | WANTING_MANY
    assert failed(results) == []
    assert {result.rows for result in results} == {0}
    assert results.to_arrow().schema == arrow_schema(DATA_QUALITY)


@pytest.mark.parametrize(
    ("payloads", "skipped", "warnings"),
    [
        pytest.param("tmdb_18_payloads", COMPARING | WANTING_MANY, {}, id="18-real-movies"),
        pytest.param("tmdb_sample_1601", COMPARING, {}, id="1601-sampled-movies"),
        pytest.param(
            "edge_payloads",
            COMPARING | WANTING_MANY,
            {
                "money_not_negative": "950012",
                "money_ceiling": "950013",
                "release_year_range": "950031",
                "released_by_now": "950031",
                "revenue_after_release": "950031",
            },
            id="odd-movies",
        ),
    ],
)
def test_real_payloads_give_no_error(
    engine: Engine, transformed_lake: LakeOf, payloads: str, skipped: set[str], warnings: dict[str, str]
) -> None:
    lake_root, _ = transformed_lake(engine, payloads)
    silver = read_table(engine.session, SILVER_MOVIES.path(lake_root))

    results = run_checks(silver, None, TODAY)

    assert {result.check: result.status for result in results} == {
        check.name: "skipped" if check.name in skipped else "failed" if check.name in warnings else "passed"
        for check in CHECKS
    }
    assert {result.check: result.examples for result in results.failed("warning")} == warnings
    results.require()


def test_checks_that_pass_take_one_pass_and_examples_of_all_that_fail_another(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound, faulty = frame(engine, three()), frame(engine, three(runtime=0, roi=None, vote_average=11.0))
    asked: Counter[str] = Counter()

    def count(method: str) -> None:
        original = getattr(type(sound), method)

        def counted(*arguments: Any, **named: Any) -> Any:
            asked[method] += 1
            return original(*arguments, **named)

        monkeypatch.setattr(type(sound), method, counted)

    for method in ("toArrow", "collect", "toPandas", "count", "head", "toLocalIterator", "agg"):
        count(method)

    run_checks(sound, None, TODAY)
    assert asked == {"toArrow": 1, "agg": 1}

    assert len(failed(run_checks(faulty, None, TODAY))) == 4
    assert asked == {"toArrow": 3, "agg": 2}


def test_results_are_rows_of_the_table(sail: Engine) -> None:
    rows = checked(sail, [good(1), good(1), good(2)], {"movie_count": 3.0}).to_arrow().to_pylist()

    by_check = {row["check"]: row for row in rows}
    assert list(by_check) == [check.name for check in CHECKS]
    assert by_check["unique_ids"] == {
        "check": "unique_ids",
        "severity": "error",
        "status": "failed",
        "value": 1 / 3,
        "limit": "none",
        "rows": 3,
        "failing_rows": 1,
        "examples": "1",
        "definition": "No two movies have the same id.",
    }
    assert by_check["movie_count"] == {
        "check": "movie_count",
        "severity": "error",
        "status": "passed",
        "value": 3.0,
        "limit": "at least 90% of the last run's, or 5 fewer; it had 3",
        "rows": 3,
        "failing_rows": None,
        "examples": None,
        "definition": "Silver has kept its movies since the last run.",
    }


def test_errors_are_raised_as_one_sentence_with_figures_and_ids(sail: Engine) -> None:
    movies = [*many(6, vote_average=11.0), good(9), good(9)]
    results = checked(sail, movies, {"movie_count": 18.0})

    with pytest.raises(DataQualityError) as raised:
        results.require()

    assert str(raised.value) == (
        f"{results.describe_failed('error')}. What was published before stays; "
        "`--accept unique_ids --accept rating_range --accept movie_count` publishes this"
    )
    assert results.describe_failed("error") == (
        "3 data quality checks failed: unique_ids (1 of 8 movies, id 9; allowed: none); "
        "rating_range (6 of 8 movies, ids 1, 2, 3, 4, 5 and others; allowed: none); "
        "movie_count (8; allowed: at least 90% of the last run's, or 5 fewer; it had 18)"
    )


def test_warnings_are_a_sentence_and_raise_nothing(sail: Engine) -> None:
    results = checked(sail, three(runtime=1_001))

    results.require()
    assert results.describe_failed("error") is None
    assert results.describe_failed("warning") == (
        "1 data quality warning: runtime_range (1 of 3 movies, id 2; allowed: at most 1% of movies)"
    )


def test_every_check_has_a_name_of_its_own_and_one_sentence() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    assert [c.definition for c in CHECKS if not re.fullmatch(r"[A-Z][^.\n]*\.", c.definition)] == []


def test_every_check_is_tried_on_movies_that_break_it() -> None:
    tried = {name for cases in (ONE_ROW_AT_FAULT, EMPTY_COLUMNS, OTHER_UNITS) for name in names_of(cases)}
    tried |= {name for name, *_ in (*KNOWN_COLUMNS, *MEDIAN_COLUMNS)} | {"unique_ids", "movie_count"}
    assert tried == {check.name for check in CHECKS}


def test_medians_go_by_the_count_of_their_own_column() -> None:
    counts = {check.name: check.rule.aggregates[-1] for check in CHECKS if check.name.startswith("known_")}
    drifts = [check.rule for check in CHECKS if isinstance(check.rule, LittleDrift)]

    assert [counts[rule.known] for rule in drifts] == [f"count({rule.column})" for rule in drifts]
