"""The transform to silver by `from_json` and list functions alone, as it was: a line to measure against.

It runs on every engine without Python workers, and keeps the same rules; those by columns are silver's own.
"""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from movies.lake.tables import FETCH_FAILURES, QUARANTINE, RAW_MOVIES, SILVER_MOVIES
from spark.frames import keep_result, read_table
from spark.silver import (
    MINIMUM_VALUES,
    add_money,
    add_release_year,
    null_unvoted_averages,
    null_zero_amounts,
    set_deleted_aside,
)

TEXTS = ("title", "tagline", "status", "original_language", "overview", "poster_path")
# TMDB's number fields and the type that silver keeps them in, or computes their column from.
NUMBERS = {
    "id": "long",
    "budget": "double",
    "revenue": "double",
    "vote_count": "long",
    "vote_average": "double",
    "popularity": "double",
    "runtime": "integer",
}
NAME_LISTS = ("genres", "production_companies", "production_countries", "spoken_languages")
CREDIT_LISTS = ("cast", "crew")
FIELDS = (*TEXTS, *NUMBERS, "release_date", "belongs_to_collection", *NAME_LISTS, *CREDIT_LISTS)

_STRICT_JSON = {"allowSingleQuotes": "false", "allowNonNumericNumbers": "false"}
_SCALARS = [f"{field}:string" for field in (*TEXTS, *NUMBERS, "release_date")]
_PAYLOADS = "array<struct<{}>>".format(
    ",".join(
        [
            *_SCALARS,
            "belongs_to_collection:struct<name:string>",
            *(f"{field}:array<struct<name:string>>" for field in NAME_LISTS),
            "credits:struct<cast:array<struct<name:string,order:string>>,"
            "crew:array<struct<name:string,job:string>>>",
        ]
    )
)
_LIST_TEXTS = "struct<{}>".format(",".join(f"{field}:string" for field in (*NAME_LISTS, "credits")))
_CREDIT_TEXTS = "struct<cast:string,crew:string>"

# Blank is what Unicode calls white space; `\s` and trim() differ between engines.
_NOT_BLANK = (
    r"[^\x{0009}-\x{000D}\x{001C}-\x{0020}\x{0085}\x{00A0}\x{1680}\x{2000}-\x{200A}"
    r"\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]"
)
# The JVM's cast would also take `1d`, `0x1p3` and `NaN`.
_NUMBER = r"^ *[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)? *$"
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
# One engine takes a number beyond a double's range for broken JSON: as text it is read by both.
_HUGE_NUMBER = r"([:\[,]\s*)(-?[0-9][0-9.]*[eE]\+?[0-9]{3,})"
_LARGEST_DOUBLE = 1.7976931348623157e308
_BOUNDS = {"long": 2.0**63, "integer": 2.0**31}


def has_text(text: Column) -> Column:
    """Whether there is more than white space; false for null."""
    return F.coalesce(text.rlike(_NOT_BLANK), F.lit(False))


def blank_to_null(text: Column) -> Column:
    """Null for blank text, other text as it is."""
    return F.when(has_text(text), text)


def finite_number(text: Column) -> Column:
    """The finite double that a text spells in decimal digits, else null."""
    number = F.when(text.rlike(_NUMBER), F.trim(text).try_cast("double"))
    return F.when(F.abs(number) <= _LARGEST_DOUBLE, number)


def fitting_number(text: Column, kind: str) -> Column:
    """The number of that type, read as a double first so that `96.0` and `1.5e8` are whole numbers."""
    number = finite_number(text)
    if kind not in _BOUNDS:
        return number
    bound = _BOUNDS[kind]
    whole = (number == F.floor(number)) & (number >= -bound) & (number < bound)
    return F.when(whole, number.try_cast(kind))


def calendar_date(text: Column) -> Column:
    """The day that a text spells as `yyyy-MM-dd`, from year 1 on, else null."""
    return F.when(text.rlike(_DATE) & ~text.startswith("0000"), text.try_cast("date"))


def parse_payloads(raw: DataFrame) -> DataFrame:
    """Add TMDB's fields, `is_malformed` and `misfits` to raw rows (contract, section 3, rules of silver).

    `misfits` names the fields whose value does not fit, joined by `, `; it is blank where all fit. A field
    that does not fit is null, as is every field of a malformed payload.
    """
    return (
        raw.transform(read_documents)
        .transform(read_fields)
        .transform(read_odd_lists)
        .transform(name_misfits)
        .select(*RAW_MOVIES.columns, "is_malformed", "has_id", *FIELDS, "misfits")
    )


def read_documents(raw: DataFrame) -> DataFrame:
    """Add `document`, the payload's object, null where it is malformed."""
    return (
        raw.withColumn("documents", _parse_as_list(F.col("payload")))
        .withColumn("document", _only_one(F.col("documents")))
        .withColumn("mended", F.when(_may_be_mended(), _parse_as_list(_quote_huge_numbers())))
        .withColumn("document", F.coalesce(F.col("document"), _only_one(F.col("mended"))))
    )


def read_fields(documents: DataFrame) -> DataFrame:
    """Add a column for each of `FIELDS`, with `is_malformed` and `has_id`: a blank id counts as missing."""
    document = F.col("document")
    date_text = blank_to_null(document["release_date"])
    return documents.select(
        "*",
        document.isNull().alias("is_malformed"),
        has_text(document["id"]).alias("has_id"),
        *(document[field].alias(field) for field in TEXTS),
        *(fitting_number(document[field], kind).alias(field) for field, kind in NUMBERS.items()),
        date_text.alias("date_text"),
        calendar_date(date_text).alias("release_date"),
        document["belongs_to_collection"]["name"].alias("belongs_to_collection"),
        *(document[field].alias(field) for field in NAME_LISTS),
        *(document["credits"][field].alias(field) for field in CREDIT_LISTS),
    )


def read_odd_lists(documents: DataFrame) -> DataFrame:
    """Add `list_texts` and `credit_texts`, the JSON texts of lists, where one is null or has null entries."""
    odd = [F.col(field).isNull() | (_nulls(F.col(field)) > 0) for field in (*NAME_LISTS, *CREDIT_LISTS)]
    is_odd = ~F.col("is_malformed") & reduce(lambda left, right: left | right, odd)
    list_texts = F.from_json(F.col("payload"), _LIST_TEXTS, _STRICT_JSON)
    credit_texts = F.from_json(F.col("list_texts.credits"), _CREDIT_TEXTS, _STRICT_JSON)
    return documents.withColumn("list_texts", F.when(is_odd, list_texts)).withColumn(
        "credit_texts", credit_texts
    )


def name_misfits(documents: DataFrame) -> DataFrame:
    """Add `misfits`, the names of fields whose text is there while their column, or part of it, is null."""
    document = F.col("document")
    misfit = {field: document[field].isNotNull() & F.col(field).isNull() for field in NUMBERS}
    misfit["id"] &= F.col("has_id")
    misfit["release_date"] = F.col("date_text").isNotNull() & F.col("release_date").isNull()
    for field in NAME_LISTS:
        misfit[field] = _is_no_list_of_objects(F.col(f"list_texts.{field}"), F.col(field))
    for field in CREDIT_LISTS:
        misfit[f"credits.{field}"] = _is_no_list_of_objects(F.col(f"credit_texts.{field}"), F.col(field))
    misfit["credits"] = F.col("list_texts.credits").isNotNull() & document["credits"].isNull()
    names = (F.when(is_misfit, field) for field, is_misfit in misfit.items())
    return documents.withColumn("misfits", F.concat_ws(", ", *names))


def _parse_as_list(payload: Column) -> Column:
    return F.from_json(F.concat(F.lit("["), payload, F.lit("]")), _PAYLOADS, _STRICT_JSON)


def _only_one(documents: Column) -> Column:
    return F.when(F.size(documents) == 1, F.get(documents, 0))


def _may_be_mended() -> Column:
    return F.col("document").isNull() & F.col("payload").rlike(_HUGE_NUMBER)


def _quote_huge_numbers() -> Column:
    return F.regexp_replace("payload", _HUGE_NUMBER, '$1"$2"')


def _nulls(entries: Column) -> Column:
    return F.size(entries) - F.size(F.array_compact(entries))


def _is_no_list_of_objects(text: Column, entries: Column) -> Column:
    """Whether a list's text holds more than the entries read from it and the nulls given as such."""
    given_nulls = _nulls(F.from_json(text, "array<string>", _STRICT_JSON))
    return F.when(text.isNotNull(), entries.isNull() | (_nulls(entries) > given_nulls))


TEXT_COLUMNS = (
    "title",
    "tagline",
    "belongs_to_collection",
    "original_language",
    "overview",
    "poster_path",
)


def null_blank_texts(movies: DataFrame) -> DataFrame:
    """Turn blank texts into null; other texts are kept as they are, padding included."""
    return movies.withColumns({column: blank_to_null(F.col(column)) for column in TEXT_COLUMNS})


def count_credits(movies: DataFrame) -> DataFrame:
    """Add `cast_size`, `crew_size`: entries as TMDB gives them, nulls passed over, 0 where there are none."""
    return movies.withColumns(
        {f"{people}_size": _size(F.array_compact(F.col(people))) for people in ("cast", "crew")}
    )


def name_directors(movies: DataFrame) -> DataFrame:
    """Add `director`, every distinct crew member whose job is Director, from `crew`, which goes."""
    directors = F.filter(F.col("crew"), lambda member: member["job"] == "Director")
    return movies.withColumn("director", _joined(F.array_distinct(_names(directors)))).drop("crew")


def name_cast(movies: DataFrame) -> DataFrame:
    """Join the cast's names by TMDB's `order`; equal orders stay as they come, missing ones are last."""

    def sortable(member: Column, position: Column) -> Column:
        order = F.coalesce(finite_number(member["order"]), F.lit(float("inf")))
        return F.struct(order.alias("order"), position.alias("position"), member["name"].alias("name"))

    in_order = F.array_sort(F.transform(F.col("cast"), sortable))
    return movies.withColumn("cast", _joined(_names(in_order)))


def join_name_lists(movies: DataFrame) -> DataFrame:
    """Replace genres, companies, countries and languages by their names."""
    return movies.withColumns({column: _joined(_names(F.col(column))) for column in NAME_LISTS})


def add_refusals(payloads: DataFrame) -> DataFrame:
    """Add `reason`, the first one to quarantine a payload, and the field in `detail`; else nulls."""
    refusals = {
        "malformed": (F.col("is_malformed"), F.lit("payload")),
        "missing_id": (~F.col("has_id"), F.lit("id")),
        "missing_title": (~has_text(F.col("title")), F.lit("title")),
        "id_mismatch": (F.col("id") != F.col("movie_id"), F.concat(F.lit("id "), F.col("id").cast("string"))),
        "bad_value": (F.col("misfits") != "", F.col("misfits")),
    }
    return payloads.withColumns(
        {
            "reason": F.coalesce(*(F.when(refused, reason) for reason, (refused, _) in refusals.items())),
            "detail": F.coalesce(*(F.when(refused, detail) for refused, detail in refusals.values())),
        }
    )


def add_filters(payloads: DataFrame) -> DataFrame:
    """Add `filtered`, the first reason to leave a movie out though its payload is fine; else null."""
    filters = {
        "not_released": ~F.col("status").eqNullSafe("Released"),
        "no_release_date": F.col("release_date").isNull(),
        "too_few_values": _count_values() < MINIMUM_VALUES,
    }
    reasons = F.coalesce(*(F.when(filtered, reason) for reason, filtered in filters.items()))
    return payloads.withColumn("filtered", F.when(F.col("reason").isNull(), reasons))


def keep_deciding(payloads: DataFrame) -> DataFrame:
    """Keep each movie's latest payload, and its latest well-formed one where that is another.

    Adds `is_latest`, which quarantine goes by, and `decides`, which silver goes by: a malformed payload
    leaves the last good one in silver. `latest_at` is when the movie's latest payload was fetched.
    """
    by_movie = Window.partitionBy("movie_id")
    latest = (F.col("fetched_at").desc(), F.col("batch_id").desc())
    return (
        payloads.withColumn("is_latest", F.row_number().over(by_movie.orderBy(*latest)) == 1)
        .withColumn("nth_formed", F.row_number().over(by_movie.orderBy("is_malformed", *latest)))
        .withColumn("decides", (F.col("nth_formed") == 1) & ~F.col("is_malformed"))
        .withColumn("latest_at", F.max("fetched_at").over(by_movie))
        .filter("is_latest or decides")
        .drop("nth_formed")
    )


def judge_payloads(payloads: DataFrame) -> DataFrame:
    """Apply every rule to parsed payloads: silver's columns, with what becomes of each payload."""
    judged = (
        payloads.transform(null_blank_texts)
        .transform(null_zero_amounts)
        .transform(null_unvoted_averages)
        .transform(count_credits)
        .transform(name_directors)
        .transform(name_cast)
        .transform(join_name_lists)
        .transform(add_money)
        .transform(add_release_year)
        .transform(add_refusals)
        .transform(add_filters)
    )
    # Payloads are long: only those that quarantine will show go on.
    refused_payload = F.when(F.col("reason").isNotNull(), F.col("payload")).alias("payload")
    return judged.select(
        "movie_id", "fetched_at", "batch_id", refused_payload,
        "is_malformed", "reason", "detail", "filtered", *SILVER_MOVIES.columns,
    ).transform(keep_deciding)  # fmt: skip


def silver_movies(judged: DataFrame) -> DataFrame:
    """Select the rows and columns of `silver/movies`."""
    return judged.filter("decides and reason is null and filtered is null").select(*SILVER_MOVIES.columns)


def quarantined_payloads(judged: DataFrame) -> DataFrame:
    """Select the rows and columns of `silver/quarantine`."""
    return judged.filter("is_latest and reason is not null").select(
        "movie_id", "reason", "detail", "payload", "fetched_at", "batch_id"
    )


def _size(entries: Column) -> Column:
    return F.when(entries.isNotNull(), F.size(entries)).otherwise(0)


def _names(entries: Column) -> Column:
    # `|` separates names in silver, so it cannot be part of one.
    named = F.filter(entries, lambda entry: has_text(entry["name"]))
    return F.transform(named, lambda entry: F.translate(entry["name"], "|", "/"))


def _joined(names: Column) -> Column:
    return F.nullif(F.array_join(names, "|"), F.lit(""))


def _count_values() -> Column:
    present = [F.col(column).isNotNull().cast("integer") for column in SILVER_MOVIES.columns]
    return reduce(lambda left, right: left + right, present)


def transform(session: SparkSession, lake_root: str) -> int:
    """Rebuild silver and quarantine with the engine's own commits; give the movies in silver."""
    raw = read_table(session, RAW_MOVIES.path(lake_root))
    failures = read_table(session, FETCH_FAILURES.path(lake_root))
    judged = keep_result(
        raw.transform(parse_payloads).transform(judge_payloads).transform(set_deleted_aside, failures)
    )
    silver = silver_movies(judged)
    by_year = silver.repartition("release_year").write.format("delta").mode("overwrite")
    by_year.partitionBy("release_year").save(SILVER_MOVIES.path(lake_root))
    refused = quarantined_payloads(judged)
    refused.write.format("delta").mode("overwrite").save(QUARANTINE.path(lake_root))
    return silver.count()
