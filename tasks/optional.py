"""Optional steps, which only show something or save time: if one fails, the run logs that and goes on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec

logger = logging.getLogger(__name__)

P = ParamSpec("P")

# A server that accepts a request and never responds must not delay a run for longer.
LONGEST_SECONDS = 30.0


def optional(attempt: Callable[P, Awaitable[None]]) -> Callable[P, Awaitable[None]]:
    """Log whatever the coroutine function raises, and a time-out after `LONGEST_SECONDS`, as a warning.

    A cancellation, such as Ctrl-C, still passes through.
    """

    @wraps(attempt)
    async def attempted(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                await attempt(*args, **kwargs)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}".removesuffix(": ")
            logger.warning("%s failed, the run goes on without it: %s", attempt.__name__, reason)

    return attempted
