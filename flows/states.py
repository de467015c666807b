"""The final state of a flow run in Prefect, whose message is one sentence."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

import httpx
from prefect import get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.context import FlowRunContext
from prefect.exceptions import SignatureMismatchError
from prefect.states import Completed, Failed

from flows.failure import explained, is_own, is_temporary, sentence
from tasks.run_logs import TRACE

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

# Prefect's loggers for exceptions of flows and tasks, and for those that end the process of a run.
PREFECT_LOGGERS = ("prefect.flow_runs", "prefect.task_runs", "prefect.engine")


def concluded(
    describe: Callable[[R], str],
) -> Callable[[Callable[P, Coroutine[Any, Any, R]]], Callable[P, Coroutine[Any, Any, R]]]:
    """Give a flow's final state a message: what it did, by `describe`, or the sentence of its error.

    One of the project's errors is final unless it `is_temporary`: Prefect's retries are cancelled, because
    Prefect would retry any failed state. Callers get the flow's result or its exception as usual, because
    Prefect takes them out of the state.
    """

    def decorate(run: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
        @wraps(run)
        async def conclude(*args: P.args, **kwargs: P.kwargs) -> R | State[R]:
            context = FlowRunContext.get()
            if context is None or context.flow_run is None:  # without Prefect, as in a test
                return await run(*args, **kwargs)
            try:
                result = await run(*args, **kwargs)
            except Exception as error:
                cause = explained(error)
                if not is_own(cause):
                    raise
                if _is_tried_again(context.flow_run):
                    if is_temporary(cause):
                        raise
                    await _call_retries_off(context.flow_run, cause)
                return Failed(message=sentence(cause), data=cause)
            return Completed(message=describe(result), data=result)

        # Prefect reads the parameters' types from it, and would resolve their names in this module.
        conclude.__signature__ = inspect.signature(run, eval_str=True)  # type: ignore[attr-defined]
        return cast(Callable[P, Coroutine[Any, Any, R]], conclude)

    return decorate


def shorten_errors() -> None:
    """Remove the stack traces of the project's errors from Prefect's logs."""
    for name in PREFECT_LOGGERS:
        logging.getLogger(name).addFilter(shorten_own_error)


def shorten_own_error(record: logging.LogRecord) -> bool:
    """Filter of loggers: log one of the project's errors as one sentence; its stack trace goes to the files.

    Prefect's error about unknown parameters is treated alike.
    """
    error = record.exc_info[1] if record.exc_info else None
    if not isinstance(error, Exception):
        return True
    if is_own(cause := explained(error)):
        record.msg = sentence(cause)
    elif isinstance(error, SignatureMismatchError):
        record.msg = str(error)
    else:
        return True
    record.args, record.exc_info = (), None
    setattr(record, TRACE, error)
    return True


def _is_tried_again(run: FlowRun) -> bool:
    return run.run_count <= (run.empirical_policy.retries or 0)


async def _call_retries_off(run: FlowRun, error: Exception) -> None:
    """Make Prefect treat the next failed state of this run as final."""
    policy = run.empirical_policy.model_copy(update={"retries": 0})
    try:
        async with get_client() as client:
            (await client.update_flow_run(run.id, empirical_policy=policy)).raise_for_status()
    except httpx.HTTPError:
        # Prefect would ignore the returned failed state; raise the exception instead.
        raise error from None
