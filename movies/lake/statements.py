"""Which SQL only reads."""

from __future__ import annotations

import re

from movies.lake.errors import QueryError

_BLANK = re.compile(r"\s+|--[^\n]*(?:\n|$)")
_WORD = re.compile(r"[A-Za-z_]+")
# EXPLAIN ANALYZE runs what it explains, so that must be a query too.
_EXPLAIN = re.compile(r"EXPLAIN\s+(?:ANALYZE\s+)?(?:VERBOSE\s+)?(?:FORMAT\s+\w+\s+)?", re.IGNORECASE)
_DESCRIBE = re.compile(r'(?:DESCRIBE|DESC)\s+[\w."/]+\s*;?\s*', re.IGNORECASE)
QUERIES = {"SELECT", "WITH", "VALUES", "FROM"}
READ_ONLY = "queries only read, and begin with SELECT or WITH (or EXPLAIN, or DESCRIBE and a table)"


def require_reading(sql: str) -> str:
    """The statement with blanks in the place of the comments it begins with.

    Raises:
        QueryError: it does something else than read, or nothing at all.
    """
    body = skip_blanks(sql)
    if not body:
        raise QueryError("The query is empty")
    if _DESCRIBE.fullmatch(body):
        return body
    explained = _EXPLAIN.match(body)
    query = skip_blanks(body[explained.end() :] if explained else body)
    # `(SELECT …) UNION …` is a query, and `(` begins nothing else.
    word = _WORD.match(query.lstrip("( \n\t"))
    if word is None or word[0].upper() not in QUERIES:
        told = (word[0].upper() if word else query[:20]) or body[:20]
        raise QueryError(f"{told} is refused: {READ_ONLY}")
    # Errors name a line and a column of what was asked, not of what is left of it.
    return re.sub(r"[^\n]", " ", sql[: len(sql) - len(body)]) + body


def is_plan(sql: str) -> bool:
    """Whether it asks how a query would be answered."""
    return _EXPLAIN.match(skip_blanks(sql)) is not None


def skip_blanks(sql: str) -> str:
    """What follows blanks and comments; block comments may be nested, as they are to the engine."""
    place = 0
    while True:
        if blank := _BLANK.match(sql, place):
            place = blank.end()
        elif sql.startswith("/*", place):
            place = _end_of_comment(sql, place)
        else:
            return sql[place:]


def _end_of_comment(sql: str, place: int) -> int:
    depth = 0
    for mark in re.compile(r"/\*|\*/").finditer(sql, place):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    return len(sql)
