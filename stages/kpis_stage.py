"""The stage that makes gold from silver: checks silver, then computes every gold table from the same scan."""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import UTC, datetime

from movies.lake.commits import replace
from movies.lake.gold_tables import GOLD
from movies.lake.publications import find_publication
from movies.lake.tables import DATA_QUALITY, RAW_MOVIES, SILVER_MOVIES
from stages.names import StageName
from stages.publishing import Order, Written
from stages.spark_run import SparkRun
from stages.stage import SPARK_LIBRARIES, TableStage

logger = logging.getLogger(__name__)

KPIS_STAGE = TableStage(
    name=StageName.KPIS, reads=(SILVER_MOVIES,), writes=GOLD, module=__name__, libraries=SPARK_LIBRARIES
)


def write_gold(order: Order, spark: SparkRun) -> Written:
    """Check silver, and write the changed gold tables unless a check fails.

    Raises:
        DataQualityError: a check failed that was not accepted; its results are in `gold/data_quality`.
    """
    from spark.checks import run_checks
    from spark.checks.check_run import CHECKED_COLUMNS
    from spark.kpis import KPIS, compute_tables, read_movies
    from spark.kpis.kpi import MOVIE_COLUMNS

    silver = find_publication(order.lake_root, StageName.TRANSFORM)
    raw = {} if silver is None else {"raw_movies_version": silver.inputs[RAW_MOVIES.name].version}
    origin = order.origin(**raw)
    columns = dict.fromkeys((*MOVIE_COLUMNS, *CHECKED_COLUMNS))
    movies = read_movies(spark.session, order.lake_root, order.versions[SILVER_MOVIES.name], columns)
    # Compare with the checks of the last published gold, because the last attempt may have been wrong.
    before = None if order.previous is None else order.previous.facts.get("quality")
    results = run_checks(movies, before, datetime.now(UTC).date())
    quality = replace(DATA_QUALITY, order.lake_root, results.to_arrow(), origin)
    results.require(spark.accepted_checks)
    if warnings := results.describe_failed("warning"):
        logger.warning("%s", warnings)
    rows = compute_tables(movies)
    outputs = {
        kpi.table.name: replace(kpi.table, order.lake_root, rows[kpi.table.name], origin) for kpi in KPIS
    }
    return outputs, {
        "rows": {name: table.num_rows for name, table in rows.items()},
        "quality": results.values,
        "data_quality": asdict(quality),
        "warnings": [result.check for result in results.failed("warning")],
        "accepted": sorted(result.check for result in results.failed("error")),
    }
