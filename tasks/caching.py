"""When a task's result may be used again, and where it is stored."""

from __future__ import annotations

from typing import Any

from prefect.cache_policies import INPUTS, TASK_SOURCE, CacheKeyFnPolicy
from prefect.context import TaskRunContext

# Prefect's storage holds the results of all flows; those of these are in a folder of their own.
RESULTS_FOLDER = "tmdb-movies"
# The parameters, plain strings and numbers throughout, and the task's own body. What the body calls is not
# seen by it, so every cached task takes a code version among its parameters.
_INPUTS_AND_SOURCE = INPUTS + TASK_SOURCE


def _key(context: TaskRunContext, inputs: dict[str, Any]) -> str | None:
    key = _INPUTS_AND_SOURCE.compute_key(context, inputs, {})
    return None if key is None else f"{RESULTS_FOLDER}/{key}"


CACHE = CacheKeyFnPolicy(cache_key_fn=_key)
