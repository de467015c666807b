"""What the query engine says of a wrong query, in one sentence for whoever wrote it."""

from __future__ import annotations

import re

from movies.lake.catalogue import find_table
from movies.lake.errors import QueryError, UnknownTableError
from movies.lake.names import sql_name

# How the engine wraps errors into others.
_WRAPPING = re.compile(
    r"^(?:External error|Arrow error|Error during planning|Execution error|Internal error|Schema error|"
    r"This feature is not implemented|SQL error|Cast error|Compute error|type_coercion\s+caused by|"
    r"Optimizer rule '\w+' failed\s+caused by|Invalid argument error):?\s*"
)
_NO_TABLE = re.compile(r"table '(?:datafusion\.)?(?:public\.)?(?P<name>[^']+)' not found")
_NO_COLUMN = re.compile(r"No field named (?P<name>\S+?)\.(?:\s|$)")
_HINT = re.compile(r"Did you mean '(?P<hint>[^']+)'\?")
_VALID = re.compile(r"Valid fields are (?P<names>.+)\.", re.DOTALL)
_SYNTAX = re.compile(
    r'(?:Parser|Tokenizer)Error\("(?P<text>.+?)(?: at Line: (?P<line>\d+), Column: (?P<column>\d+))?"\)$',
    re.DOTALL,
)
_NO_SIGNATURE = re.compile(
    r"Function '(?P<name>\w+)' failed to match .+?but received (?P<given>\w+)", re.DOTALL
)
_NO_FUNCTION = re.compile(r"Invalid function '(?P<name>\w+)'")
_SEVERAL = "only supports a single SQL statement"
_STORAGE = re.compile(r"Object Store error|Object at location|Parquet error|IO error|Generic \w+ error")
LONGEST = 300
MOST_COLUMNS = 12


def is_about_storage(text: str) -> bool:
    """Whether an error is about the files of a table, and not about the query."""
    return _STORAGE.search(text) is not None


def name_not_found(text: str) -> str:
    """The table that is not found, as `gold.genres`; empty where something else is wrong."""
    found = _NO_TABLE.search(text)
    if found is None:
        return ""
    try:
        return sql_name(find_table(found["name"]))
    except UnknownTableError:
        return ""


def explain(text: str) -> QueryError:
    """The engine's words as an error of ours."""
    if found := _NO_TABLE.search(text):
        return _no_table(found["name"])
    if found := _NO_COLUMN.search(text):
        return QueryError(_no_column(found["name"], text))
    if found := _SYNTAX.search(text):
        place = f" (line {found['line']}, column {found['column']})" if found["line"] else ""
        problem = found["text"].replace('\\"', '"').removesuffix(".").replace("EOF", "the end of the query")
        return QueryError(f"The query is not SQL: {_lower(problem)}{place}")
    if found := _NO_SIGNATURE.search(text):
        return QueryError(f"The function {found['name']} takes no {found['given'].lower()}")
    if found := _NO_FUNCTION.search(text):
        return QueryError(f"There is no function {found['name']}: docs/queries.md says where all are listed")
    if _SEVERAL in text:
        return QueryError("One query at a time: there are several statements")
    while (shorter := _WRAPPING.sub("", text, count=1)) != text:
        text = shorter
    first = " ".join(text.partition("\n")[0].split()).removesuffix(".")
    return QueryError(f"The query cannot be answered: {first[:LONGEST]}")


def _no_table(name: str) -> QueryError:
    try:
        table = find_table(name)
    except UnknownTableError as error:
        return error
    return UnknownTableError(f"There is no table {name}: it is called {sql_name(table)}")


def _no_column(name: str, text: str) -> str:
    valid = _VALID.search(text)
    columns = list(dict.fromkeys(_last(one) for one in valid["names"].split(", "))) if valid else []
    plain = _last(name.strip('"'))
    if name.startswith('"') and plain.lower() not in columns:
        return f"There is no column {name}: text is quoted like this, {_text(plain)}"
    if plain.lower() in columns:
        return f"There is no column {name}: did you mean {plain.lower()}, without quotes?"
    if hint := _HINT.search(text):
        return f"There is no column {name}: did you mean {_last(hint['hint'])}?"
    if not columns:
        return f"There is no column {name}"
    more = f" and {len(columns) - MOST_COLUMNS} more" if len(columns) > MOST_COLUMNS else ""
    return f"There is no column {name}: there are {', '.join(columns[:MOST_COLUMNS])}{more}"


def _last(name: str) -> str:
    return name.rpartition(".")[2].strip('"')


def _text(name: str) -> str:
    quoted = name.replace("'", "''")
    return f"'{quoted}'"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
