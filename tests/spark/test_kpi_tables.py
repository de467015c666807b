"""Gold tables against the reference, and each definition on a few literal movies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from movies.lake.delta import create
from movies.lake.gold_tables import GENRES, GOLD
from movies.lake.tables import SILVER_MOVIES
from spark.engines.session import Engine
from spark.kpis import KPIS, compute_kpis
from spark.kpis.compute import arrow_schema
from spark.kpis.directors import rank_directors
from spark.kpis.franchises import compare_segments, rank_franchises
from spark.kpis.genres import summarise_genres
from spark.kpis.overview import summarise
from spark.kpis.rankings import rank_movies
from spark.kpis.sample import sample_movies
from spark.kpis.searches import search_movies
from spark.kpis.years import summarise_years
from tests.reference import assert_agree, ids_by
from tests.spark.lakes import read_rows, write_silver
from tests.spark.queries import computed, pick
from tests.spark.transforming import LakeOf, NewLake


@pytest.mark.parametrize(
    ("payloads", "expected"),
    [
        pytest.param("tmdb_18_payloads", "expected_18", id="18-real-movies"),
        pytest.param("tmdb_sample_1601", "expected_sample_1601", id="1601-sampled-movies"),
    ],
)
def test_kpis_equal_the_reference(
    engine: Engine, transformed_lake: LakeOf, shared_data: Path, payloads: str, expected: str
) -> None:
    wanted = json.loads((shared_data / "reference" / f"{expected}.json").read_text())
    lake_root, _ = transformed_lake(engine, payloads)

    kpis = compute_kpis(engine.session, lake_root)

    assert_agree(kpis, wanted)
    silver = read_rows(lake_root, SILVER_MOVIES, by="id")
    sample = kpis["gold/movie_sample"]
    assert sample.to_pylist() == [{column: row[column] for column in sample.column_names} for row in silver]


def test_every_gold_table_has_one_kpi() -> None:
    assert tuple(kpi.table for kpi in KPIS) == GOLD


@pytest.mark.jvm
def test_describe_in_apache_spark_has_the_meanings_of_columns(jvm: Engine, tmp_path: Path) -> None:
    create(GENRES, str(tmp_path))

    rows = jvm.session.sql(f"DESCRIBE TABLE delta.`{GENRES.path(str(tmp_path))}`").collect()

    assert {row.col_name: row.comment for row in rows} == {
        name: column.meaning for name, column in GENRES.columns.items()
    }


def test_empty_silver_gives_the_rows_that_are_always_there(sail: Engine, new_lake: NewLake) -> None:
    kpis = compute_kpis(sail.session, new_lake())

    no_figures = {"movies_with_budget": 0, "movies_with_revenue": 0, "movies_with_roi": 0}
    assert {name: table.schema for name, table in kpis.items()} == {
        table.name: arrow_schema(table) for table in GOLD
    }
    assert {name: table.to_pylist() for name, table in kpis.items() if table.num_rows} == {
        "gold/overview": [
            {
                "movies": 0, "mean_budget_musd": None, "mean_revenue_musd": None, "mean_rating": None,
                **no_figures, "share_profitable": None, "median_rating": None,
            }
        ],
        "gold/franchise_comparison": [
            {
                "segment": segment, "movies": 0, "mean_revenue_musd": None, "median_roi": None,
                "mean_budget_musd": None, "mean_popularity": None, "mean_rating": None,
                **no_figures, "median_revenue_musd": None, "median_budget_musd": None,
                "movies_with_rating": 0,
            }
            for segment in ("Franchise", "Standalone")
        ],
    }  # fmt: skip


def test_silver_of_two_movies(sail: Engine, new_lake: NewLake) -> None:
    lake_root = new_lake()
    write_silver(
        lake_root,
        [
            {"id": 1, "title": "One", "release_year": 2001, "genres": "Drama", "revenue_musd": 1.0},
            {"id": 2, "title": "Two", "release_year": 2000},
        ],
    )

    kpis = compute_kpis(sail.session, lake_root, silver_version=1)

    assert kpis["gold/overview"].to_pylist() == [
        {
            "movies": 2, "mean_budget_musd": None, "mean_revenue_musd": 1.0, "mean_rating": None,
            "movies_with_budget": 0, "movies_with_revenue": 1, "movies_with_roi": 0, "share_profitable": None,
            "median_rating": None,
        }
    ]  # fmt: skip
    assert ids_by(kpis["gold/movie_rankings"].to_pylist(), "ranking") == {"highest_revenue": [1]}
    assert kpis["gold/years"]["release_year"].to_pylist() == [2000, 2001]
    assert kpis["gold/movie_sample"]["title"].to_pylist() == ["One", "Two"]
    assert compute_kpis(sail.session, lake_root, silver_version=0)["gold/movie_sample"].num_rows == 0


def test_rankings_hold_five_places_and_break_ties_by_id(sail: Engine) -> None:
    movies = [{"id": n, "title": str(n), "popularity": 1.0 if n < 6 else 2.0} for n in (7, 6, 5, 4, 3, 2, 1)]

    rows = computed(sail, rank_movies, *movies)

    assert pick(rows, "ranking", "rank", "id", "value") == [
        ("most_popular", 1, 6, 2.0),
        ("most_popular", 2, 7, 2.0),
        ("most_popular", 3, 1, 1.0),
        ("most_popular", 4, 2, 1.0),
        ("most_popular", 5, 3, 1.0),
    ]


def test_ratings_need_ten_votes_and_ties_go_by_votes(sail: Engine) -> None:
    rows = computed(
        sail,
        rank_movies,
        {"id": 1, "vote_average": 9.0, "vote_count": 9},
        {"id": 2, "vote_average": 8.0, "vote_count": 10},
        {"id": 3, "vote_average": 8.0, "vote_count": 20},
        {"id": 4, "vote_average": None, "vote_count": 30},
        {"id": 5, "vote_average": 7.0, "vote_count": 10},
    )
    ids = ids_by(rows, "ranking")
    assert (ids["highest_rated"], ids["lowest_rated"]) == ([3, 2, 5], [5, 3, 2])


def test_returns_are_ranked_from_ten_million_of_budget(sail: Engine) -> None:
    rows = computed(
        sail,
        rank_movies,
        {"id": 1, "roi": 900.0, "budget_musd": 9.99},
        {"id": 2, "roi": 2.0, "budget_musd": 10.0},
        {"id": 3, "roi": 0.5, "budget_musd": 50.0},
    )
    ids = ids_by(rows, "ranking")
    assert (ids["highest_roi"], ids["lowest_roi"]) == ([2, 3], [3, 2])


def test_rankings_come_in_their_order_with_their_values(sail: Engine) -> None:
    movie = {
        "id": 1, "title": "A", "release_year": 2000, "budget_musd": 10.0, "revenue_musd": 25.0,
        "profit_musd": 15.0, "roi": 2.5, "vote_count": 10, "vote_average": 7.0, "popularity": 3.0,
    }  # fmt: skip

    rows = computed(sail, rank_movies, movie)

    assert pick(rows, "ranking", "value") == [
        ("highest_revenue", 25.0), ("highest_budget", 10.0), ("highest_profit", 15.0),
        ("lowest_profit", 15.0), ("highest_roi", 2.5), ("lowest_roi", 2.5), ("most_voted", 10.0),
        ("most_popular", 3.0), ("highest_rated", 7.0), ("lowest_rated", 7.0),
    ]  # fmt: skip
    shown = {"ranking": "highest_revenue", "rank": 1, "value": 25.0} | movie
    assert rows[0] == shown


def test_searches_match_whole_names(sail: Engine) -> None:
    genres = "Action|Science Fiction"
    rows = computed(
        sail,
        search_movies,
        {"id": 1, "cast": "Bruce Willis Jr|A", "genres": genres},
        {"id": 2, "cast": "A|Bruce Willis", "genres": genres},
        {"id": 3, "cast": "Bruce Willis", "genres": genres, "vote_average": 6.0},
        {"id": 4, "cast": "Bruce Willis|A", "genres": genres, "vote_average": 8.0},
        {"id": 5, "cast": "Bruce Willis", "genres": "Science Fiction"},
        {"id": 6, "cast": "A|Bruce Willis|B", "genres": genres, "vote_average": 8.0},
        {"id": 7, "cast": "Uma Thurman", "director": "A|Quentin Tarantino", "runtime": None},
        {"id": 8, "cast": "Uma Thurman", "director": "Quentin Tarantino", "runtime": 154},
        {"id": 9, "cast": "Uma Thurman", "director": "Quentin Tarantino", "runtime": 111},
        {"id": 10, "cast": None, "director": "Quentin Tarantino", "runtime": 1},
    )
    assert pick(rows, "search", "rank", "id") == [
        ("bruce_willis_scifi_action", 1, 4),
        ("bruce_willis_scifi_action", 2, 6),
        ("bruce_willis_scifi_action", 3, 3),
        ("bruce_willis_scifi_action", 4, 2),
        ("tarantino_uma_thurman", 1, 9),
        ("tarantino_uma_thurman", 2, 8),
        ("tarantino_uma_thurman", 3, 7),
    ]


def test_segments_take_the_exact_median(sail: Engine) -> None:
    rows = computed(
        sail,
        compare_segments,
        *(
            {"id": n, "belongs_to_collection": "C", "roi": roi}
            for n, roi in enumerate((1.0, 9.0, 2.0, 4.0, None))
        ),
    )
    assert pick(rows, "segment", "movies", "median_roi") == [("Franchise", 5, 3.0), ("Standalone", 0, None)]


def test_medians_stand_beside_means(sail: Engine) -> None:
    movies = [
        {
            "id": n,
            "release_year": 2001,
            "genres": "Drama",
            "budget_musd": budget,
            "revenue_musd": revenue,
            "vote_average": rating,
        }
        for n, (budget, revenue, rating) in enumerate(
            [(1.0, 10.0, 5.0), (2.0, 20.0, 6.0), (6.0, None, 9.0), (None, 90.0, 7.0), (None, None, None)]
        )
    ]
    assert pick(computed(sail, summarise, *movies), "mean_rating", "median_rating") == [(6.75, 6.5)]
    money = ("mean_revenue_musd", "median_revenue_musd", "mean_budget_musd", "median_budget_musd")
    assert pick(computed(sail, summarise_years, *movies), *money) == [(40.0, 20.0, 3.0, 2.0)]
    assert pick(computed(sail, summarise_genres, *movies), *money[:2]) == [(40.0, 20.0)]
    assert pick(computed(sail, compare_segments, *movies), "segment", *money, "movies_with_rating") == [
        ("Franchise", None, None, None, None, 0),
        ("Standalone", 40.0, 20.0, 3.0, 2.0, 4),
    ]


def test_franchises_have_two_movies_and_rank_by_revenue_then_name(sail: Engine) -> None:
    rows = computed(
        sail,
        rank_franchises,
        {"id": 1, "belongs_to_collection": "Single", "revenue_musd": 999.0},
        {"id": 2, "belongs_to_collection": "B", "revenue_musd": 5.0, "budget_musd": 4.0, "vote_average": 6.0},
        {
            "id": 3,
            "belongs_to_collection": "B",
            "revenue_musd": None,
            "budget_musd": 2.0,
            "vote_average": 7.0,
        },
        {"id": 4, "belongs_to_collection": "A", "revenue_musd": 5.0},
        {"id": 5, "belongs_to_collection": "A"},
        {"id": 6, "belongs_to_collection": "Nothing known"},
        {"id": 7, "belongs_to_collection": "Nothing known"},
    )
    assert [tuple(row.values()) for row in rows] == [
        (1, "A", 2, 0.0, None, 5.0, 5.0, None, 0, 1, 0),
        (2, "B", 2, 6.0, 3.0, 5.0, 5.0, 6.5, 2, 1, 0),
        (3, "Nothing known", 2, 0.0, None, 0.0, None, None, 0, 0, 0),
    ]


def test_co_directors_are_all_credited(sail: Engine) -> None:
    rows = computed(
        sail,
        rank_directors,
        {"id": 1, "director": "B|A", "revenue_musd": 5.0, "vote_average": 6.0},
        {"id": 2, "director": "B", "vote_average": 8.0},
        {"id": 3, "director": None, "revenue_musd": 9.0},
    )
    assert [tuple(row.values()) for row in rows] == [
        (1, "A", 1, 5.0, 6.0, 0, 1, 0),
        (2, "B", 2, 5.0, 7.0, 0, 1, 0),
    ]


def test_genres_interpolate_percentiles_and_count_a_movie_once(sail: Engine) -> None:
    rows = computed(
        sail,
        summarise_genres,
        {"id": 1, "genres": "Drama|War", "roi": 1.0},
        {"id": 2, "genres": "Drama|Drama", "roi": 2.0},
        {"id": 3, "genres": "Action", "roi": None},
        {"id": 4, "genres": None, "roi": 5.0},
    )
    assert pick(rows, "genre", "movies", "roi_p25", "median_roi", "roi_p75") == [
        ("Drama", 2, 1.25, 1.5, 1.75),
        ("Action", 1, None, None, None),
        ("War", 1, 1.0, 1.0, 1.0),
    ]


def test_years_ascend_and_sums_count_null_as_zero(sail: Engine) -> None:
    rows = computed(
        sail,
        summarise_years,
        {"release_year": 2001, "revenue_musd": 4.0, "budget_musd": 1.0, "profit_musd": 3.0, "roi": 4.0},
        {"release_year": 2001},
        {"release_year": 1999},
        {"release_year": 1912, "revenue_musd": 2.0},
    )
    money = ("total_revenue_musd", "mean_revenue_musd", "mean_budget_musd", "mean_profit_musd")
    counts = ("movies", "movies_with_budget", "movies_with_revenue", "movies_with_roi", "share_profitable")
    assert pick(rows, "release_year", *money) == [
        (1912, 2.0, 2.0, None, None),
        (1999, 0.0, None, None, None),
        (2001, 4.0, 4.0, 1.0, 3.0),
    ]
    assert pick(rows, "release_year", *counts) == [
        (1912, 1, 0, 1, 0, None),
        (1999, 1, 0, 0, 0, None),
        (2001, 2, 1, 1, 1, 1.0),
    ]


def test_years_tell_real_money_where_the_price_index_covers_them(sail: Engine) -> None:
    rows = computed(
        sail,
        summarise_years,
        *({"release_year": year, "revenue_musd": 10.0, "budget_musd": 1.0} for year in (1912, 2000, 2026)),
        {"release_year": 2000},
    )
    real = ("total_revenue_real_musd", "mean_revenue_real_musd", "mean_budget_real_musd")
    in_2025 = 321.943 / 172.2
    assert pick(rows, "release_year", "price_index", "real_base_year", "movies_with_real_revenue", *real) == [
        (1912, None, 2025, 0, None, None, None),
        (2000, 172.2, 2025, 1, 10 * in_2025, 10 * in_2025, in_2025),
        (2026, None, 2025, 0, None, None, None),
    ]


def test_large_samples_are_chosen_by_hash_and_ordered_by_id(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("movies.lake.gold_tables.MOVIE_SAMPLE_ROWS", 3)
    # The three smallest of md5("1") … md5("6") belong to 4, 6 and 1: a87f…, 1679…, c4ca…
    rows = computed(engine, sample_movies, *({"id": n} for n in range(6, 0, -1)))
    assert [row["id"] for row in rows] == [1, 4, 6]
