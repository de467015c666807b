"""When a task's result may be used again."""

from __future__ import annotations

from prefect.cache_policies import INPUTS, TASK_SOURCE

# The parameters, plain strings and numbers throughout, and the task's own body. What the body calls is not
# seen by it, so every cached task takes a code version among its parameters.
CACHE = INPUTS + TASK_SOURCE
