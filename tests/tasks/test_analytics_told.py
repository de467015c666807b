"""How the Spark tasks are told of on a run's page."""

from __future__ import annotations

from typing import Any

import pytest

from stages.publishing import describe
from tasks.spark_tables import compute_gold, transform_movies


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        pytest.param(
            {
                "judged": None,
                "movies": 1601,
                "filtered": {"not_released": 2, "deleted": 1},
                "quarantined": {},
                "fetched_until": "2026-11-20T14:03:00+00:00",
            },
            "1,601 movies, 3 filtered, 0 in quarantine, all validated",
            id="transform",
        ),
        pytest.param(
            {"judged": 12, "movies": 1601, "filtered": {}, "quarantined": {"malformed": 1}},
            "1,601 movies, 0 filtered, 1 in quarantine, 12 changed validated",
            id="update",
        ),
        pytest.param({"rows": {"gold/genres": 12, "gold/years": 9}}, "21 rows in 2 tables", id="kpis"),
    ],
)
def test_what_a_stage_has_made_is_told_in_words(facts: dict[str, Any], told: str) -> None:
    assert describe(facts) == told


def test_tasks_are_named_by_plain_words() -> None:
    names = [name for task in (transform_movies, compute_gold) for name in (task.name, task.task_run_name)]

    assert [repr(name) for name in names] == ["'transform'", "'transform'", "'kpis'", "'kpis'"]
