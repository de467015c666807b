"""The Spark stages, brought up to date: silver from raw, gold from silver.

Each is cached on the content of its input tables and on its code. The lake has the last word: a cached result
counts only while the lake's publication still names those inputs and every table it lists is there unchanged.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import Any

from movies.lake.changes import find_gone
from movies.lake.delta import content_version, create, open_table
from movies.lake.integrity import require_files
from movies.lake.publications import Publication, current, find_current, publish
from movies.lake.tables import FETCH_FAILURES, IMDB_RATINGS, RAW_MOVIES, SILVER_MOVIES
from stages.names import StageName
from tasks.code import stage_code
from tasks.gold import compute_gold
from tasks.publishing import Inputs, find_standing
from tasks.silver import transform_movies

# What silver is made from, ratings last and not always.
RAW_TABLES = (RAW_MOVIES, FETCH_FAILURES, IMDB_RATINGS)


class MissingInputError(Exception):
    """What a stage works on is not there; the text says which stage makes it."""


def published(lake_root: str, stage: StageName) -> Publication:
    """What a stage has left in the lake.

    Raises:
        MissingInputError: it has not run yet, or its tables were changed by something else.
    """
    found = current(lake_root, stage)
    if found is None:
        raise MissingInputError(
            f"The lake at {lake_root} has no current result of the stage '{stage}': run it first"
        )
    return found


def standing(lake_root: str, with_ratings: bool = False) -> tuple[Publication, Publication] | None:
    """What transform and KPIs have left, if neither would have anything to do now; needs no engine."""
    tables = RAW_TABLES if with_ratings else RAW_TABLES[:-1]
    found = {table.name: open_table(table, lake_root) for table in tables}
    inputs = {name: content_version(table) for name, table in found.items() if table is not None}
    if len(inputs) < len(found):
        return None
    code = stage_code(StageName.TRANSFORM)
    silver = find_current(lake_root, StageName.TRANSFORM, inputs, code) or renew_silver(
        lake_root, inputs, code
    )
    if silver is None:
        return None
    inputs = {SILVER_MOVIES.name: silver.outputs[SILVER_MOVIES.name]}
    gold = find_current(lake_root, StageName.KPIS, inputs, stage_code(StageName.KPIS))
    return None if gold is None else (silver, gold)


def renew_silver(lake_root: str, inputs: Inputs, code: str) -> Publication | None:
    """Publish silver as it is for new rows of `raw/fetch_failures` that change nothing in it.

    None if there may be anything to transform. Published, since later comparisons begin with these versions.
    """
    found = current(lake_root, StageName.TRANSFORM)
    name = FETCH_FAILURES.name
    if found is None or found.code_version != code or {**found.inputs, name: inputs[name]} != inputs:
        return None
    gone = find_gone(lake_root, found.inputs.get(name))
    if gone is None or len(gone):
        return None
    renewed = replace(found, inputs=inputs)
    publish(lake_root, renewed)
    return renewed


async def transform(lake_root: str, with_ratings: bool = False) -> Publication:
    """Bring silver up to date with the raw tables; IMDb's ratings are among them where they are wanted.

    Raises:
        MissingInputError: there are no raw movies, or no ratings.
        FilesLostError: raw tables have lost files.
    """
    raw = open_table(RAW_MOVIES, lake_root)
    if raw is None:
        raise MissingInputError(f"There are no raw movies in {lake_root}: run the stage 'ingest' first")
    # Spark cannot read a table that is not there, and a lake from elsewhere may have come without it.
    failures = create(FETCH_FAILURES, lake_root)
    require_files(RAW_MOVIES, raw)
    require_files(FETCH_FAILURES, failures)
    inputs = {RAW_MOVIES.name: content_version(raw), FETCH_FAILURES.name: content_version(failures)}
    if with_ratings:
        ratings = open_table(IMDB_RATINGS, lake_root)
        if ratings is None:
            raise MissingInputError(
                f"There are no IMDb ratings in {lake_root}: run the stage 'ingest' with IMDB_RATINGS first"
            )
        require_files(IMDB_RATINGS, ratings)
        inputs[IMDB_RATINGS.name] = content_version(ratings)
    return await _bring_up_to_date(transform_movies, StageName.TRANSFORM, inputs, lake_root)


async def kpis(lake_root: str, silver: Publication) -> Publication:
    """Bring the gold tables up to date with the published silver."""
    inputs = {SILVER_MOVIES.name: silver.outputs[SILVER_MOVIES.name]}
    return await _bring_up_to_date(compute_gold, StageName.KPIS, inputs, lake_root)


async def _bring_up_to_date(stage_task: Any, stage: StageName, inputs: Inputs, lake_root: str) -> Publication:
    code = stage_code(stage)
    is_current = find_standing(lake_root, stage, inputs, code) is not None
    contents = chain.from_iterable((read.table_id, read.version) for read in inputs.values())
    await stage_task.with_options(refresh_cache=not is_current)(lake_root, code, *contents)
    return published(lake_root, stage)
