"""Flows whose parameters are declared by a request and checked before the run begins."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Sequence
from functools import wraps
from typing import Any, TypeVar, get_type_hints

from prefect import get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.flows import Flow
from prefect.states import Failed

from flows.parameters import ParameterError, Request, check_names
from flows.places import check_job_places, is_in_container
from flows.run_settings import is_deployed
from flows.states import concluded, shorten_errors

Q = TypeVar("Q", bound=Request)
R = TypeVar("R")

# For these, a blank text is a value: it means without IMDb's ratings, whatever the settings are.
BLANK_IS_A_VALUE = ("imdb_ratings",)


class CheckedFlow(Flow[..., Any]):
    """A flow whose parameters are the fields of a request; the request checks them."""

    request: type[Request]

    def validate_parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Check parameters as Prefect does, and by the request; empty fields of a form have their default.

        Raises:
            ParameterError: a parameter is not valid.
        """
        given = {name: value for name, value in parameters.items() if not _is_empty(name, value)}
        request = self.request.read(given, self.name)
        # In this order, because the second takes a request to Prefect.
        if is_in_container() and is_deployed():
            check_job_places(request.parameters)
        return request.parameters


def flow(
    request: type[Q],
    describe: Callable[[R], str],
    *,
    on_crashed: Sequence[Callable[..., Any]] = (),
    **options: Any,
) -> Callable[[Callable[[Q], Coroutine[Any, Any, R]]], CheckedFlow]:
    """Turn a function of a request into a flow; the options are those of Prefect's decorator `flow`.

    The flow's parameters are the fields of the request. Prefect reads their help from the docstring, which is
    therefore generated. `describe` returns the message of a completed run's state.
    """
    # Here, because Prefect looks at the parameters of a run before it enters it.
    shorten_errors()

    def decorate(function: Callable[[Q], Coroutine[Any, Any, R]]) -> CheckedFlow:
        conclude = concluded(describe)(function)

        signature = _signature(request)

        @wraps(function)
        async def run(*values: Any, **parameters: Any) -> R:
            return await conclude(request(**signature.bind(*values, **parameters).arguments))

        run.__signature__ = signature  # type: ignore[attr-defined]
        run.__doc__ = f"{function.__doc__}\n\n    Args:\n{_describe_fields(request)}"
        made = CheckedFlow(run, on_crashed=[explain_unknown_parameter, *on_crashed], **options)
        made.request = request
        return made

    return decorate


def _signature(request: type[Request]) -> inspect.Signature:
    annotations = get_type_hints(request, include_extras=True)
    return inspect.Signature(
        [
            inspect.Parameter(
                name,
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=field.default,
                annotation=annotations[name],
            )
            for name, field in request.model_fields.items()
        ]
    )


def _describe_fields(request: type[Request]) -> str:
    return "".join(f"        {name}: {field.description}\n" for name, field in request.model_fields.items())


def _is_empty(name: str, value: Any) -> bool:
    is_blank = isinstance(value, str) and not value.strip() and name not in BLANK_IS_A_VALUE
    return is_blank or value == []


async def explain_unknown_parameter(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Report an unknown parameter in the state of a run.

    Prefect 3.8 compares the names before it enters the run, whose process then exits without a message.
    """
    try:
        check_names(flow.name, flow_run.parameters, flow.parameters.properties)
    except ParameterError as error:
        async with get_client() as client:
            await client.set_flow_run_state(flow_run.id, Failed(message=str(error)), force=True)
