"""Decode TMDB's JSON into typed columns in Python, with the same result on every engine.

The module is sent to the machines of a Spark cluster. It needs pyarrow and msgspec there, and no other module
of this project. A payload is decoded by the documented types. If that fails, it is read value by value, with
the same result for valid values, and a list of the invalid fields.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from math import inf, isfinite
from types import MappingProxyType
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa

TEXTS = ("title", "tagline", "status", "original_language", "overview", "poster_path", "imdb_id")
# TMDB's number fields and the types that silver has them in, or computes from.
NUMBERS = MappingProxyType(
    {
        "id": "long",
        "budget": "double",
        "revenue": "double",
        "vote_count": "long",
        "vote_average": "double",
        "popularity": "double",
        "runtime": "integer",
    }
)
NAME_LISTS = ("genres", "production_companies", "production_countries", "spoken_languages")
# Columns of the raw row that the decoded row has, too.
KEPT = ("movie_id", "fetched_at", "batch_id")
DECODED = MappingProxyType(
    {
        "movie_id": "long",
        "fetched_at": "timestamp",
        "batch_id": "string",
        "is_malformed": "boolean",
        "reason": "string",
        "detail": "string",
        "payload": "string",
        **dict.fromkeys(TEXTS, "string"),
        **NUMBERS,
        "release_date": "date",
        **dict.fromkeys(("belongs_to_collection", *NAME_LISTS), "string"),
        "cast": "string",
        "cast_size": "integer",
        "director": "string",
        "crew_size": "integer",
    }
)
ARROW_TYPES = MappingProxyType(
    {
        "long": pa.int64(),
        "integer": pa.int32(),
        "double": pa.float64(),
        "string": pa.string(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us", "UTC"),
    }
)
SCHEMA = pa.schema([pa.field(name, ARROW_TYPES[kind]) for name, kind in DECODED.items()])
# One more than the largest long and integer, and the largest whole number up to which a double is exact.
LONG, INTEGER, EXACT = 2.0**63, 2.0**31, 2**53
# Python's `float` and `date` accept more (`1_0`, `nan`, `2001-W01-1`), which is invalid here.
# No two parts of the pattern match the same characters, so long texts are matched in one pass.
DECIMAL = re.compile(r" *[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)? *")
IMDB_ID = re.compile(r"(?:\S*/title/)?(tt[0-9]{7,10})(?:[/?#]\S*)?", re.IGNORECASE | re.ASCII)
CALENDAR_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

# TMDB nests five levels; Python's own limit is higher, and differs by version and caller.
MOST_LEVELS = 100
# Length of the text of an unexpected error.
DETAIL_SIGNS = 200

Number = int | float | str


class Named(msgspec.Struct):
    """An entry of a list whose names silver has."""

    name: str | None = None


class CastMember(msgspec.Struct):
    """An entry of `credits.cast`."""

    name: str | None = None
    order: Number | None = None


class CrewMember(msgspec.Struct):
    """An entry of `credits.crew`."""

    name: str | None = None
    job: str | None = None


class Credits(msgspec.Struct):
    """What `append_to_response=credits` adds to a movie."""

    cast: list[CastMember | None] | None = None
    crew: list[CrewMember | None] | None = None


class Payload(msgspec.Struct):
    """The fields of TMDB's movie details that silver uses."""

    id: Number | None = None
    title: str | None = None
    tagline: str | None = None
    status: str | None = None
    original_language: str | None = None
    overview: str | None = None
    poster_path: str | None = None
    imdb_id: str | None = None
    budget: Number | None = None
    revenue: Number | None = None
    vote_count: Number | None = None
    vote_average: Number | None = None
    popularity: Number | None = None
    runtime: Number | None = None
    release_date: str | None = None
    belongs_to_collection: Named | None = None
    genres: list[Named | None] | None = None
    production_companies: list[Named | None] | None = None
    production_countries: list[Named | None] | None = None
    spoken_languages: list[Named | None] | None = None
    credits: Credits | None = None


def decode_payloads(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Decode batches of raw rows into batches of `DECODED`, a row for each payload.

    A rejected payload has its `reason`, the invalid fields in `detail`, and its text in `payload`. Invalid
    fields are null, as are all fields of a malformed payload (contract, section 3, rules of silver). No
    payload stops the batch: one that raises an unexpected error is `undecodable`, with the error in `detail`.
    """
    read = msgspec.json.Decoder(Payload).decode
    made = [field for field in SCHEMA if field.name not in KEPT]
    for batch in batches:
        ids = batch.column("movie_id").to_pylist()
        texts = _texts(batch.column("payload"))
        rows = [_decode_any(text, movie_id, read) for movie_id, text in zip(ids, texts, strict=True)]
        arrays = [batch.column(name).cast(SCHEMA.field(name).type) for name in KEPT]
        yield pa.RecordBatch.from_arrays([*arrays, *_columns(rows, made)], schema=SCHEMA)


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Decode the batches of an Arrow stream into another one, each as soon as it arrives."""
    decoded = decode_payloads(pa.ipc.open_stream(source))
    with pa.ipc.new_stream(sink, SCHEMA) as written:
        for batch in decoded:
            written.write_batch(batch)
            sink.flush()


def _texts(column: pa.Array) -> Iterator[memoryview | None]:
    """Yield the bytes of each text without a copy, or None for null."""
    if not pa.types.is_string(column.type):
        column = column.cast(pa.string())
    _, offsets, data = column.buffers()
    starts = memoryview(offsets or b"").cast("i")[column.offset :]
    texts = memoryview(data or b"")
    for place, is_there in enumerate(column.is_valid().to_pylist()):
        yield texts[starts[place] : starts[place + 1]] if is_there else None


def _columns(rows: list[tuple[Any, ...]], fields: list[pa.Field]) -> list[pa.Array]:
    """Convert rows to a column for each field."""
    columns = zip(*rows, strict=True) if rows else [()] * len(fields)
    return [pa.array(values, field.type) for field, values in zip(fields, columns, strict=True)]


def _decode_any(
    text: memoryview | None, movie_id: int, read: Callable[[memoryview], Payload]
) -> tuple[Any, ...]:
    """Return one payload's values, even if decoding raises an unexpected error."""
    try:
        return _decode(text, movie_id, read)
    except MemoryError:
        # The machine is the cause, not the payload.
        raise
    except Exception as error:
        shown = "".join(sign if sign.isprintable() else "\ufffd" for sign in str(error)[:DETAIL_SIGNS])
        return _malformed(text, "undecodable", f"{type(error).__name__}: {shown}")


def _decode(text: memoryview | None, movie_id: int, read: Callable[[memoryview], Payload]) -> tuple[Any, ...]:
    """Return one payload's values, in the order of `DECODED` from `is_malformed` on."""
    if text is None:
        return _malformed(None)
    invalid: list[str] = []
    try:
        movie = read(text)
    except (msgspec.MsgspecError, RecursionError):
        document = _read_document(str(text, "utf-8"))
        if document is None:
            return _malformed(text)
        if is_deep(document):
            return _malformed(text, detail=f"payload nested deeper than {MOST_LEVELS} levels")
        movie = _read_values(document, invalid)
    numbers = (
        _whole(movie.id, LONG),
        _double(movie.budget),
        _double(movie.revenue),
        _whole(movie.vote_count, LONG),
        _double(movie.vote_average),
        _double(movie.popularity),
        _whole(movie.runtime, INTEGER),
    )
    title, day_text = _text(movie.title), _text(movie.release_date)
    day = None if day_text is None else _day(day_text)
    if None in numbers or day is None:
        given = (*(getattr(movie, field) for field in NUMBERS), day_text)
        named = zip((*NUMBERS, "release_date"), given, (*numbers, day), strict=True)
        invalid = [name for name, value, fit in named if value is not None and fit is None] + invalid
    has_id = movie.id is not None and (not isinstance(movie.id, str) or _text(movie.id) is not None)
    reason, detail = _rejection(has_id, title, numbers[0], movie_id, invalid)
    credits, collection = movie.credits, movie.belongs_to_collection
    cast = _entries(credits.cast) if credits is not None else []
    crew = _entries(credits.crew) if credits is not None else []
    return (
        False,
        reason,
        detail,
        None if reason is None else str(text, "utf-8"),
        title,
        _text(movie.tagline),
        movie.status,
        _text(movie.original_language),
        _text(movie.overview),
        _text(movie.poster_path),
        _imdb_id(movie.imdb_id),
        *numbers,
        day,
        None if collection is None else _text(collection.name),
        _joined(_entries(movie.genres)),
        _joined(_entries(movie.production_companies)),
        _joined(_entries(movie.production_countries)),
        _joined(_entries(movie.spoken_languages)),
        _joined(_in_order(cast)),
        len(cast),
        "|".join(dict.fromkeys(_names([one for one in crew if one.job == "Director"]))) or None,
        len(crew),
    )


def _malformed(
    text: memoryview | None, reason: str = "malformed", detail: str = "payload"
) -> tuple[Any, ...]:
    """Return the values of an unreadable payload; the last readable one stays in silver."""
    payload = None if text is None else str(text, "utf-8", "replace")
    made = dict.fromkeys(name for name in DECODED if name not in KEPT)
    found = {"is_malformed": True, "reason": reason, "detail": detail, "payload": payload}
    return tuple((made | found).values())


def _rejection(
    has_id: bool, title: str | None, found_id: float | None, movie_id: int, invalid: list[str]
) -> tuple[str | None, str | None]:
    """Return the first reason to reject a well-formed payload, with the field, otherwise nulls."""
    if not has_id:
        return "missing_id", "id"
    if title is None:
        return "missing_title", "title"
    if found_id is not None and found_id != movie_id:
        return "id_mismatch", f"id {found_id}"
    return ("bad_value", ", ".join(invalid)) if invalid else (None, None)


def _text(text: str | None) -> str | None:
    """Return a text, or null if it is blank."""
    return None if not text or text.isspace() else text


def _imdb_id(text: str | None) -> str | None:
    """Return the IMDb id in a text, which may be a page's address; other texts are unchanged."""
    named = IMDB_ID.fullmatch(text.strip()) if text else None
    return named[1].lower() if named else _text(text)


def _whole(value: Number | None, bound: float) -> int | None:
    """Return a whole number within the bound, or null; `96.0` and `1.5e8` are whole numbers."""
    if type(value) is int and -EXACT <= value <= EXACT:
        return value if -bound <= value < bound else None
    number = _double(value)
    return int(number) if number is not None and number.is_integer() and -bound <= number < bound else None


def _double(value: Number | None) -> float | None:
    """Return the finite double of a number or a decimal text, otherwise null."""
    if value is None or (isinstance(value, str) and not DECIMAL.fullmatch(value)):
        return None
    try:
        # Adding 0 turns -0 into 0, because whole numbers have no -0.
        number = float(value) + 0.0
    except OverflowError:
        return None
    return number if isfinite(number) else None


def _day(text: str) -> date | None:
    """Return the day of a text `yyyy-MM-dd`, from year 1 on, otherwise null."""
    try:
        return date.fromisoformat(text) if CALENDAR_DAY.fullmatch(text) else None
    except ValueError:
        return None


def _entries(entries: list[Any] | None) -> list[Any]:
    """Return a list's entries without nulls; a null list has none."""
    return [entry for entry in entries if entry is not None] if entries else []


def _names(entries: list[Any]) -> list[str]:
    """Return the names that are not blank, with `/` for `|`, which separates names in silver."""
    names = [name for entry in entries if (name := entry.name) and not name.isspace()]
    return [name.replace("|", "/") for name in names] if "|" in "".join(names) else names


def _joined(entries: list[Any]) -> str | None:
    return "|".join(_names(entries)) or None if entries else None


def _in_order(cast: list[CastMember]) -> list[CastMember]:
    """Sort the cast by TMDB's `order`, stably and without an `order` last; usually it is sorted already."""
    places = [member.order for member in cast]
    return cast if places == [*range(len(cast))] else sorted(cast, key=_place)


def _place(member: CastMember) -> float:
    order = _double(member.order)
    return inf if order is None else order


class _Digits(str):
    """A JSON number, as it is written."""


def _read_document(text: str) -> Mapping[str, Any] | None:
    """Parse a JSON object, with numbers as they are written; return None if the text is not one."""
    try:
        document = json.loads(text, parse_int=_Digits, parse_float=_Digits, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def is_deep(document: Any) -> bool:
    """Return whether objects and lists are nested deeper than `MOST_LEVELS`."""
    level = [document] if isinstance(document, dict | list) else []
    for _ in range(MOST_LEVELS):
        insides = (outer.values() if isinstance(outer, dict) else outer for outer in level)
        level = [inner for inside in insides for inner in inside if isinstance(inner, dict | list)]
    return bool(level)


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _read_values(document: Mapping[str, Any], invalid: list[str]) -> Payload:
    """Read the valid values of an object, and add the names of invalid lists to `invalid`."""
    collection, credits = document.get("belongs_to_collection"), document.get("credits")
    texts: dict[str, Any] = {
        field: _as_text(document.get(field)) for field in (*TEXTS, *NUMBERS, "release_date")
    }
    lists: dict[str, Any] = {
        field: _read_list(document.get(field), Named, field, invalid) for field in NAME_LISTS
    }
    people = credits if isinstance(credits, dict) else {}
    movie = Payload(
        **texts,
        belongs_to_collection=_read_entry(collection, Named),
        **lists,
        credits=Credits(
            _read_list(people.get("cast"), CastMember, "credits.cast", invalid),
            _read_list(people.get("crew"), CrewMember, "credits.crew", invalid),
        ),
    )
    if credits is not None and not isinstance(credits, dict):
        invalid.append("credits")
    return movie


def _read_list(entries: Any, kind: type[msgspec.Struct], name: str, invalid: list[str]) -> list[Any] | None:
    if entries is None:
        return None
    is_list = isinstance(entries, list)
    if not is_list or not all(entry is None or isinstance(entry, dict) for entry in entries):
        invalid.append(name)
    return [_read_entry(entry, kind) for entry in entries] if is_list else None


def _read_entry(entry: Any, kind: type[msgspec.Struct]) -> Any:
    if not isinstance(entry, dict):
        return None
    return kind(**{field: _as_text(entry.get(field)) for field in kind.__struct_fields__})


def _as_text(value: Any) -> str | None:
    """Return a JSON value as text: a string without quotes, others as written, without white space."""
    if value is None:
        return None
    text = value if isinstance(value, str) else _written(value)
    # Half of a surrogate pair is not a character and cannot be UTF-8.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _written(value: Any) -> str:
    if isinstance(value, _Digits):
        return value
    if isinstance(value, dict):
        pairs = (f"{json.dumps(name, ensure_ascii=False)}:{_written(inner)}" for name, inner in value.items())
        return f"{{{','.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_written, value))}]"
    return json.dumps(value, ensure_ascii=False)


class WithoutPandas:
    """Keeps Arrow from importing pandas, which takes 50 MB and a fifth of a second."""

    def find_spec(self, name: str, *_: object) -> None:
        """Raise for pandas, as if it were not installed."""
        if name == "pandas":
            raise ModuleNotFoundError


if __name__ == "__main__":
    sys.meta_path.insert(0, WithoutPandas())
    serve(sys.stdin.buffer, sys.stdout.buffer)
