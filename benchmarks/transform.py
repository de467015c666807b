"""Time the transform and all KPIs on the embedded engine, beside the same work written by hand in polars.

Each run is a whole process: interpreter, imports, engine, reading the raw table, writing silver and
quarantine, computing every KPI. The two take turns, so that a busy machine slows both.

Usage: python benchmarks/transform.py [--movies 10000] [--runs 5] [--engine sail]
"""

from __future__ import annotations

import argparse
import compileall
import datetime as dt
import gzip
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PROJECT_ROOT = Path(__file__).resolve().parent.parent
REAL_PAYLOADS = PROJECT_ROOT.parent / "shared" / "data" / "tmdb_18_payloads.ndjson.gz"
# The mean of what TMDB answers is far below that of the 18 greatest films: keep this much of their credits.
CAST, CREW = 25, 28
BATCH = 1000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--movies", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--engine", default="sail", help="as SPARK_MASTER")
    parser.add_argument("--inside", metavar="LAKE_ROOT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        run_pipeline(options.engine, options.inside)
    else:
        compare(options.engine, options.movies, options.runs)


def compare(engine: str, movies: int, runs: int) -> None:
    """Run both in turns on one lake and tell medians and their ratio."""
    for package in ("lake", "spark", "benchmarks"):
        compileall.compile_dir(PROJECT_ROOT / package, quiet=1)
    with tempfile.TemporaryDirectory() as lake_root:
        size = fill_lake(lake_root, movies)
        tell(
            f"{movies} payloads of {size / 1024:.1f} KB on average, {runs} runs each, {os.cpu_count()} cores"
        )
        here = [sys.executable, str(PROJECT_ROOT / "benchmarks" / "transform.py"), "--engine", engine]
        commands = {
            engine: [*here, "--inside", lake_root],
            "polars": [sys.executable, str(PROJECT_ROOT / "benchmarks" / "_polars_transform.py"), lake_root],
        }
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(runs):
            outcomes = {}
            for name, command in commands.items():
                started = time.perf_counter()
                ended = subprocess.run(
                    command, check=True, stdout=subprocess.PIPE, text=True, env=environment()
                )
                seconds[name].append(time.perf_counter() - started)
                outcomes[name] = json.loads(ended.stdout)
            if outcomes[engine][:4] != outcomes["polars"][:4]:
                raise SystemExit(f"the two disagree: {outcomes}")
            tell("  ".join(f"{name} {times[-1]:.2f} s" for name, times in seconds.items()))
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    tell("median: " + ", ".join(f"{name} {median:.2f} s" for name, median in medians.items()))
    tell(f"ratio: {medians[engine] / medians['polars']:.2f}")
    tell(f"parts of the last run: {outcomes[engine][4]}")


def run_pipeline(engine_name: str, lake_root: str) -> None:
    """Transform and compute KPIs once, and tell what came out and how long each part took."""
    started = time.perf_counter()
    from spark.kpis import compute_kpis
    from spark.session import open_engine
    from spark.transform import transform

    laps = {"imports": time.perf_counter() - started}

    def lap(part: str) -> None:
        laps[part] = time.perf_counter() - started - sum(laps.values())

    with open_engine(engine_name) as engine:
        lap("open_engine")
        counts = transform(engine.session, lake_root)
        lap("transform")
        kpis = compute_kpis(engine.session, lake_root)
        lap("compute_kpis")
    ranked = kpis["gold/movie_rankings"]["id"].to_pylist()
    rows = {name: table.num_rows for name, table in kpis.items()}
    refused = sum(counts.quarantined.values())
    parts = {part: round(seconds, 3) for part, seconds in laps.items()}
    tell(json.dumps([counts.movies, refused, ranked, rows, parts]))


def fill_lake(lake_root: str, movies: int) -> float:
    """Write that many payloads in batches, as ingestion does; give their mean size."""
    import pyarrow as pa
    from deltalake import DeltaTable, Field, Schema, WriterProperties, write_deltalake
    from deltalake.schema import PrimitiveType

    from lake.tables import FETCH_FAILURES, QUARANTINE, RAW_MOVIES, SILVER_MOVIES

    for table in (RAW_MOVIES, FETCH_FAILURES, SILVER_MOVIES, QUARANTINE):
        fields = [Field(column, PrimitiveType(kind)) for column, kind in table.columns.items()]
        DeltaTable.create(
            table.path(lake_root), Schema(fields), partition_by=list(table.partition_by),
            configuration={"delta.dataSkippingStatsColumns": next(iter(table.columns))},
        )  # fmt: skip
    stamp = pa.timestamp("us", "UTC")
    kinds = {"long": pa.int64(), "timestamp": stamp, "string": pa.string()}
    schema = pa.schema({column: kinds[kind] for column, kind in RAW_MOVIES.columns.items()})
    fetched_at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    chance, total, templates = random.Random(18), 0, read_templates()
    for first in range(1, movies + 1, BATCH):
        ids = range(first, min(first + BATCH, movies + 1))
        payloads = [json.dumps(vary(templates[n % len(templates)], n, chance)) for n in ids]
        total += sum(map(len, payloads))
        rows = [
            {"movie_id": n, "payload": payload, "fetched_at": fetched_at, "batch_id": str(first)}
            for n, payload in zip(ids, payloads, strict=True)
        ]
        write_deltalake(
            RAW_MOVIES.path(lake_root), pa.Table.from_pylist(rows, schema=schema), mode="append",
            writer_properties=WriterProperties(compression="ZSTD"),
        )  # fmt: skip
    return total / movies


def read_templates() -> list[dict[str, Any]]:
    """The 18 real payloads with shorter credits; plausible ones of the same size where those are absent."""
    if not REAL_PAYLOADS.exists():
        return [make_template(n) for n in range(18)]
    with gzip.open(REAL_PAYLOADS, "rt") as lines:
        templates = [json.loads(line) for line in lines]
    for movie in templates:
        people = movie["credits"]
        directors = [member for member in people["crew"] if member["job"] == "Director"]
        others = [member for member in people["crew"] if member["job"] != "Director"]
        movie["credits"] = {"cast": people["cast"][:CAST], "crew": (directors + others)[:CREW]}
    return templates


def make_template(n: int) -> dict[str, Any]:
    def person(number: int, **role: Any) -> dict[str, Any]:
        return {
            "adult": False, "gender": 2, "id": number, "known_for_department": "Acting",
            "name": f"Person {number}", "original_name": f"Person {number}", "popularity": number / 7,
            "profile_path": f"/{number:027d}.jpg", "credit_id": f"{number:024x}",
        } | role  # fmt: skip

    cast = [
        person(100 * n + place, character=f"Role {place}", cast_id=place, order=place)
        for place in range(CAST)
    ]
    crew = [
        person(100 * n + 50 + place, department="Directing", job="Writer" if place else "Director")
        for place in range(CREW)
    ]
    named = ["Drama", "Action", "Comedy", "War", "Family", "Science Fiction"]
    return {
        "adult": False, "backdrop_path": f"/{n:027d}.jpg", "budget": 50_000_000, "revenue": 150_000_000,
        "belongs_to_collection": {"id": n, "name": f"Collection {n}"} if n % 2 else None,
        "genres": [{"id": number, "name": named[(n + number) % 6]} for number in range(3)],
        "imdb_id": f"tt{n:07d}", "original_language": "en", "original_title": f"Film {n}",
        "overview": "What happens. " * 25, "popularity": 10.5 + n, "poster_path": f"/{n:027d}.jpg",
        "production_companies": [{"id": n, "name": f"Company {n}", "origin_country": "US"}] * 3,
        "production_countries": [{"iso_3166_1": "US", "name": "United States of America"}],
        "runtime": 100 + n, "spoken_languages": [{"iso_639_1": "en", "name": "English"}],
        "status": "Released", "tagline": "A line.", "title": f"Film {n}", "video": False,
        "vote_average": 6.5, "vote_count": 1000 + n, "credits": {"cast": cast, "crew": crew},
    }  # fmt: skip


def vary(movie: dict[str, Any], n: int, chance: random.Random) -> dict[str, Any]:
    """Give a movie an id, a date and figures of its own."""
    return movie | {
        "id": n,
        "title": f"{movie['title']} {n}",
        "release_date": f"{chance.randint(1950, 2024)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
        "budget": int(movie["budget"] * chance.uniform(0.2, 1.5)),
        "revenue": int(movie["revenue"] * chance.uniform(0.1, 1.5)),
        "vote_average": round(chance.uniform(3, 9), 3),
        "popularity": round(chance.uniform(1, 90), 4),
    }


def environment() -> dict[str, str]:
    """What a process run from the project's root would see, with its bytecode kept."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return own | {"PYTHONPATH": str(PROJECT_ROOT)}


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
