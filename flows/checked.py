"""Flows that refuse parameters which cannot be meant before they begin, whoever starts them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

from prefect import get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import ParameterTypeError
from prefect.flows import Flow
from prefect.states import Failed

from flows.parameters import PLACES, ParameterError, check_names, check_parameters
from flows.places import check_job_places, is_in_container
from flows.run_settings import is_deployed
from flows.states import shorten_errors

P = ParamSpec("P")
R = TypeVar("R")


class CheckedFlow(Flow[P, R]):
    """A flow whose parameters are validated by their types and by `flows.parameters`."""

    def validate_parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Read what is empty as the default, since a form sends that, and refuse what cannot be.

        Raises:
            ParameterError: a parameter cannot be used.
        """
        check_names(self.name, parameters, self.parameters.properties)
        given = {name: self._read(name, value) for name, value in parameters.items()}
        try:
            cast = super().validate_parameters(given)
        except ParameterTypeError as error:
            _, *problems = str(error).split("\n - ")
            raise ParameterError("; ".join(problems) or str(error)) from None
        # A path that was a URL is none any more.
        check_parameters(cast | {name: given[name] for name in PLACES if name in given})
        # In this order, since the second takes a request.
        if is_in_container() and is_deployed():
            check_job_places(cast)
        return cast

    def _read(self, name: str, value: Any) -> Any:
        # Without IMDb's ratings, whatever the settings say: that is what blank means of them.
        is_blank = isinstance(value, str) and not value.strip() and name != "imdb_ratings"
        return self.parameters.properties[name].get("default") if is_blank or value == [] else value


def flow(
    *, on_crashed: Sequence[Callable[..., Any]] = (), **options: Any
) -> Callable[[Callable[P, R]], CheckedFlow[P, R]]:
    """Make a function a flow, with the options of Prefect's decorator of this name."""
    # Here, since Prefect looks at the parameters of a run before it enters it.
    shorten_errors()

    def decorate(function: Callable[P, R]) -> CheckedFlow[P, R]:
        return CheckedFlow(function, on_crashed=[explain_unknown_parameter, *on_crashed], **options)

    return decorate


async def explain_unknown_parameter(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Say in a run's state which parameter it was given that its flow does not have.

    Prefect 3.8 compares the names before it enters the run, so that its process ends without a word.
    """
    try:
        check_names(flow.name, flow_run.parameters, flow.parameters.properties)
    except ParameterError as error:
        async with get_client() as client:
            await client.set_flow_run_state(flow_run.id, Failed(message=str(error)), force=True)
