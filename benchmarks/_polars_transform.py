"""The transform and all KPIs as one would write them by hand in polars: what `transform.py` measures against.

Usage: python benchmarks/_polars_transform.py LAKE_ROOT
"""

from __future__ import annotations

import json
import math
import re
import sys
from datetime import date

import polars as pl

from movies.lake import gold_tables, tables

TEXTS = ("title", "tagline", "original_language", "overview", "poster_path")
NUMBERS = {
    "id": pl.Int64, "budget": pl.Float64, "revenue": pl.Float64, "vote_count": pl.Int64,
    "vote_average": pl.Float64, "popularity": pl.Float64, "runtime": pl.Int32,
}  # fmt: skip
LISTS = ("genres", "production_companies", "production_countries", "spoken_languages")
NAMES = pl.List(pl.Struct({"name": pl.String}))
PAYLOAD = pl.Struct(
    dict.fromkeys((*TEXTS, "status", "release_date", *NUMBERS), pl.String)
    | {"belongs_to_collection": pl.Struct({"name": pl.String})}
    | dict.fromkeys(LISTS, NAMES)
    | {
        "credits": pl.Struct(
            {
                "cast": pl.List(pl.Struct({"name": pl.String, "order": pl.String})),
                "crew": pl.List(pl.Struct({"name": pl.String, "job": pl.String})),
            }
        )
    }
)
NUMBER = re.compile(r" *[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)? *")


def decode(payloads: pl.Series) -> pl.Series:
    """Decode the whole column; where one payload is odd, halve until only the odd ones are null."""
    try:
        return pl.DataFrame({"p": payloads}).select(pl.col("p").str.json_decode(PAYLOAD)).to_series()
    except pl.exceptions.ComputeError:
        if len(payloads) == 1:
            return pl.Series("p", [None], dtype=PAYLOAD)
        middle = len(payloads) // 2
        return pl.concat([decode(payloads[:middle]), decode(payloads[middle:])])


def misfits(payload: str) -> tuple[str, str]:
    """Say why one payload does not fit the schema."""
    try:
        document = json.loads(payload)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        return "malformed", "payload"
    fields = [
        field
        for field in NUMBERS
        if document.get(field) is not None
        and not (NUMBER.fullmatch(str(document[field])) and math.isfinite(float(document[field])))
    ]
    people = document.get("credits") or {}
    lists = {field: document.get(field) for field in LISTS}
    if isinstance(people, dict):
        lists |= {f"credits.{field}": people.get(field) for field in ("cast", "crew")}
    else:
        fields.append("credits")
    for field, entries in lists.items():
        if entries is not None and not (
            isinstance(entries, list) and all(entry is None or isinstance(entry, dict) for entry in entries)
        ):
            fields.append(field)
    try:
        date.fromisoformat(document.get("release_date") or "2000-01-01")
    except (TypeError, ValueError):
        fields.append("release_date")
    return "bad_value", ", ".join(fields)


def text(column: pl.Expr) -> pl.Expr:
    return pl.when(column.str.strip_chars() != "").then(column)


def joined(entries: pl.Expr) -> pl.Expr:
    names = entries.list.eval(pl.element().struct.field("name").str.replace_all("|", "/", literal=True))
    return joined_names(names)


def joined_names(names: pl.Expr) -> pl.Expr:
    kept = names.list.eval(pl.element().filter(pl.element().str.strip_chars() != ""))
    return pl.when(kept.list.len() > 0).then(kept.list.join("|"))


def in_order(cast: pl.Expr) -> pl.Expr:
    entry = pl.element()
    order = entry.struct.field("order").cast(pl.Float64, strict=False)
    name = entry.struct.field("name").str.replace_all("|", "/", literal=True)
    return cast.list.eval(name.sort_by(order, nulls_last=True, maintain_order=True))


def directors(crew: pl.Expr) -> pl.Expr:
    member = pl.element()
    name = member.struct.field("name").str.replace_all("|", "/", literal=True)
    return crew.list.eval(name.filter(member.struct.field("job") == "Director").unique(maintain_order=True))


def size(entries: pl.Expr) -> pl.Expr:
    return entries.list.drop_nulls().list.len().fill_null(0).cast(pl.Int32)


def transform(lake_root: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Write silver and quarantine from raw; give both."""
    raw = pl.read_delta(tables.RAW_MOVIES.path(lake_root))
    latest = ["fetched_at", "batch_id"]
    decoded = raw.with_columns(document=decode(raw["payload"]))
    odd = decoded.filter(pl.col("document").is_null()).select(pl.exclude("document"))
    reasons = pl.DataFrame(
        [misfits(payload) for payload in odd["payload"]], schema=["reason", "detail"], orient="row"
    )
    odd = odd.hstack(reasons.cast(pl.String))
    fitting = (
        decoded.filter(pl.col("document").is_not_null())
        .unnest("document")
        .unnest("credits", "belongs_to_collection", separator=".")
        .with_columns(
            pl.col(field).cast(pl.Float64, strict=False).alias(f"{field}.number") for field in NUMBERS
        )
        .with_columns(pl.col("release_date").str.to_date("%Y-%m-%d", strict=False, exact=True).alias("date"))
    )
    misfit = [
        pl.when(
            pl.col(field).is_not_null()
            & ~(
                pl.col(f"{field}.number").is_finite()
                & (
                    (pl.col(f"{field}.number").floor() == pl.col(f"{field}.number"))
                    if kind.is_integer()
                    else pl.lit(True)
                )
                & pl.col(field).str.contains(r"^[^a-df-zA-DF-Z]*$")
            ).fill_null(False)
        ).then(pl.lit(field))
        for field, kind in NUMBERS.items()
    ]
    no_date = text(pl.col("release_date")).is_not_null() & pl.col("date").is_null()
    fitting = fitting.with_columns(
        misfits=pl.concat_str(
            *misfit, pl.when(no_date).then(pl.lit("release_date")), separator=", ", ignore_nulls=True
        )
    )
    refusals = [
        ("missing_id", text(pl.col("id")).is_null(), pl.lit("id")),
        ("missing_title", text(pl.col("title")).is_null(), pl.lit("title")),
        (
            "id_mismatch",
            (pl.col("id.number") != pl.col("movie_id")).fill_null(False),
            pl.format("id {}", "id"),
        ),
        ("bad_value", pl.col("misfits") != "", pl.col("misfits")),
    ]
    judged = fitting.with_columns(
        reason=pl.coalesce(pl.when(refused).then(pl.lit(reason)) for reason, refused, _ in refusals),
        detail=pl.coalesce(pl.when(refused).then(detail) for _, refused, detail in refusals),
    )
    names = ["movie_id", "reason", "detail", "payload", "fetched_at", "batch_id"]
    last = (
        pl.concat([judged.select(names), odd.select(names)])
        .sort(latest)
        .unique("movie_id", keep="last", maintain_order=False)
    )
    quarantine = last.filter(pl.col("reason").is_not_null())
    bad = odd.filter(pl.col("reason") != "malformed").select("movie_id", *latest)
    deciding = (
        pl.concat([judged.select("movie_id", *latest, row=pl.int_range(pl.len())),
                   bad.with_columns(row=pl.lit(None, dtype=pl.Int64))], how="vertical_relaxed")
        .sort(latest)
        .unique("movie_id", keep="last", maintain_order=False)
        .drop_nulls("row")
    )  # fmt: skip
    good = judged[deciding["row"]].filter(
        pl.col("reason").is_null() & (pl.col("status") == "Released") & pl.col("date").is_not_null()
    )
    silver = to_silver(good)
    silver.write_delta(
        tables.SILVER_MOVIES.path(lake_root), mode="overwrite",
        delta_write_options={"partition_by": ["release_year"]},
    )  # fmt: skip
    quarantine.write_delta(tables.QUARANTINE.path(lake_root), mode="overwrite")
    return silver, quarantine


def to_silver(good: pl.DataFrame) -> pl.DataFrame:
    """Give silver's columns."""
    number = {field: pl.col(f"{field}.number").cast(kind, strict=False) for field, kind in NUMBERS.items()}
    known = {
        field: pl.when(pl.col(f"{field}.number") != 0).then(pl.col(f"{field}.number"))
        for field in ("budget", "revenue")
    }
    voted = pl.col("vote_count.number") != 0
    return (
        good.select(
            number["id"].alias("id"),
            *(text(pl.col(field)).alias(field) for field in TEXTS),
            text(pl.col("belongs_to_collection.name")).alias("belongs_to_collection"),
            *(joined(pl.col(field)).alias(field) for field in LISTS),
            pl.col("date").alias("release_date"),
            (known["budget"] / 1e6).alias("budget_musd"),
            (known["revenue"] / 1e6).alias("revenue_musd"),
            number["vote_count"].alias("vote_count"),
            pl.when(voted).then(number["vote_average"]).alias("vote_average"),
            number["popularity"].alias("popularity"),
            pl.when(number["runtime"] != 0).then(number["runtime"]).alias("runtime"),
            joined_names(in_order(pl.col("credits.cast"))).alias("cast"),
            size(pl.col("credits.cast")).alias("cast_size"),
            joined_names(directors(pl.col("credits.crew"))).alias("director"),
            size(pl.col("credits.crew")).alias("crew_size"),
            ((known["revenue"] - known["budget"]) / 1e6).alias("profit_musd"),
            (known["revenue"] / known["budget"]).alias("roi"),
            pl.col("date").dt.year().alias("release_year"),
        )
        .filter(pl.sum_horizontal(pl.all().is_not_null()) >= 10)
        .select(*tables.SILVER_MOVIES.columns)
    )


# The engine's other gold tables have no counterpart here.
COMPUTED = tuple(gold_tables.GOLD[: gold_tables.GOLD.index(gold_tables.MOVIE_SAMPLE) + 1])

RANKINGS = {
    "highest_revenue": ("revenue_musd", True, None),
    "highest_budget": ("budget_musd", True, None),
    "highest_profit": ("profit_musd", True, None),
    "lowest_profit": ("profit_musd", False, None),
    "highest_roi": ("roi", True, pl.col("budget_musd") >= 10),
    "lowest_roi": ("roi", False, pl.col("budget_musd") >= 10),
    "most_voted": ("vote_count", True, None),
    "most_popular": ("popularity", True, None),
    "highest_rated": ("vote_average", True, pl.col("vote_count") >= 10),
    "lowest_rated": ("vote_average", False, pl.col("vote_count") >= 10),
}


def ranking(movies: pl.LazyFrame, name: str) -> pl.LazyFrame:
    value, descending, among = RANKINGS[name]
    found = movies.filter(pl.col(value).is_not_null(), *([] if among is None else [among]))
    if value == "vote_average":
        found = found.sort([value, "vote_count", "id"], descending=[descending, True, False])
    else:
        found = found.sort([value, "id"], descending=[descending, False])
    placed = found.head(5).with_columns(
        ranking=pl.lit(name), value=pl.col(value).cast(pl.Float64), rank=pl.int_range(1, pl.len() + 1)
    )
    return placed.select(*gold_tables.MOVIE_RANKINGS.columns)


def search(movies: pl.LazyFrame, name: str, order: str, descending: bool, **names: list[str]) -> pl.LazyFrame:
    wanted = [
        pl.col(column).str.split("|").list.contains(person)
        for column, people in names.items()
        for person in people
    ]
    hits = movies.filter(*wanted).sort([order, "id"], descending=[descending, False], nulls_last=True)
    numbered = hits.with_columns(search=pl.lit(name), rank=pl.int_range(1, pl.len() + 1))
    return numbered.select(*gold_tables.MOVIE_SEARCHES.columns)


def numbered(rows: pl.LazyFrame, name: str) -> pl.LazyFrame:
    ordered = rows.sort(["total_revenue_musd", name], descending=[True, False])
    return ordered.with_columns(rank=pl.int_range(1, pl.len() + 1))


def compute_kpis(silver: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Compute the gold tables that this script knows, without the counts of figures, in one collect."""
    movies = silver.lazy()
    mean = {
        name: pl.col(column).mean().alias(name)
        for name, column in {
            "mean_budget_musd": "budget_musd", "mean_revenue_musd": "revenue_musd",
            "mean_rating": "vote_average", "mean_popularity": "popularity", "mean_profit_musd": "profit_musd",
        }.items()
    }  # fmt: skip
    count = pl.len().cast(pl.Int64).alias("movies")
    spent = pl.col("budget_musd").sum().alias("total_budget_musd")
    earned = pl.col("revenue_musd").sum().alias("total_revenue_musd")
    median = pl.col("roi").median().alias("median_roi")
    quarters = [pl.col("roi").quantile(q / 100, "linear").alias(f"roi_p{q}") for q in (25, 75)]
    in_collection = pl.col("belongs_to_collection").is_not_null()
    segments = [
        movies.filter(belongs).select(
            pl.lit(name).alias("segment"), count, mean["mean_revenue_musd"], median,
            mean["mean_budget_musd"], mean["mean_popularity"], mean["mean_rating"],
        )
        for name, belongs in (("Franchise", in_collection), ("Standalone", ~in_collection))
    ]  # fmt: skip
    sampled = movies.sort(pl.col("id").hash()).head(gold_tables.MOVIE_SAMPLE_ROWS)
    queries = {
        gold_tables.OVERVIEW.name: movies.select(count, *list(mean.values())[:3]),
        gold_tables.MOVIE_RANKINGS.name: pl.concat([ranking(movies, name) for name in RANKINGS]),
        gold_tables.MOVIE_SEARCHES.name: pl.concat(
            [
                search(
                    movies, "bruce_willis_scifi_action", "vote_average", True,
                    cast=["Bruce Willis"], genres=["Science Fiction", "Action"],
                ),
                search(
                    movies, "tarantino_uma_thurman", "runtime", False,
                    director=["Quentin Tarantino"], cast=["Uma Thurman"],
                ),
            ]
        ),
        gold_tables.FRANCHISE_COMPARISON.name: pl.concat(segments),
        gold_tables.FRANCHISES.name: numbered(
            movies.filter(in_collection)
            .group_by(collection="belongs_to_collection")
            .agg(
                count, spent, mean["mean_budget_musd"], earned, mean["mean_revenue_musd"], mean["mean_rating"]
            )
            .filter(pl.col("movies") >= 2),
            "collection",
        ),
        gold_tables.DIRECTORS.name: numbered(
            movies.drop_nulls("director")
            .with_columns(pl.col("director").str.split("|"))
            .explode("director")
            .group_by("director")
            .agg(count, earned, mean["mean_rating"]),
            "director",
        ),
        gold_tables.GENRES.name: movies.drop_nulls("genres")
        .with_columns(genre=pl.col("genres").str.split("|").list.unique())
        .explode("genre")
        .group_by("genre")
        .agg(
            count, mean["mean_rating"], mean["mean_revenue_musd"], mean["mean_popularity"], median, *quarters
        )
        .sort(["movies", "genre"], descending=[True, False]),
        gold_tables.YEARS.name: movies.group_by("release_year")
        .agg(count, earned, mean["mean_revenue_musd"], mean["mean_budget_musd"], mean["mean_profit_musd"])
        .sort("release_year"),
        gold_tables.MOVIE_SAMPLE.name: sampled.sort("id"),
    }  # fmt: skip
    found = pl.collect_all([_declared(queries[table.name], table) for table in COMPUTED])
    return {table.name: frame for table, frame in zip(COMPUTED, found, strict=True)}


def _declared(rows: pl.LazyFrame, table: tables.Table) -> pl.LazyFrame:
    computed = rows.collect_schema().names()
    return rows.select(column for column in table.columns if column in computed)


def main(lake_root: str) -> None:
    silver, quarantine = transform(lake_root)
    kpis = compute_kpis(silver)
    first = kpis["gold/movie_rankings"]["id"].to_list()
    rows = {name: frame.height for name, frame in kpis.items()}
    sys.stdout.write(json.dumps([silver.height, quarantine.height, first, rows]) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
