"""TMDB's JSON text: parsed once into typed columns, with the names of the fields that do not fit.

Two engines read JSON with small differences. What they do alike, and what this module keeps to:

- A payload is parsed as the only element of a list. Broken text, text behind the object and anything that is
  no object then give the same null on both.
- Numbers and texts are declared as strings, lists as lists of objects of strings. A list that does not fit
  comes out as null or with null entries: only then are the texts looked at again, to tell misfits from nulls.
"""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lake.tables import RAW_MOVIES

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
