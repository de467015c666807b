"""Runs of deployments as a worker starts them, in a process on this machine instead of a container."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun

from movies.project import OWN_PACKAGES
from tests.places import PROJECT_ROOT, Place

ENTRYPOINTS = {
    "movie-pipeline": "flows.pipeline.movie_pipeline",
    "ingest-movies": "flows.ingest.ingest_movies",
    "forecast-revenue": "flows.forecast.forecast_revenue",
}
RETRY_AT_ONCE = {"PREFECT_FLOWS_DEFAULT_RETRIES": "1", "PREFECT_FLOWS_DEFAULT_RETRY_DELAY_SECONDS": "0"}


@dataclass
class DeployedRun:
    """A run that has ended, as Prefect's API has it, with those of its subflows, and what they logged."""

    run: FlowRun
    children: list[FlowRun]
    log: str

    @property
    def states(self) -> dict[str, tuple[str, str | None]]:
        """Name and message of the last state of each run, by the run's name."""
        ended = {run.name: run.state for run in (self.run, *self.children)}
        return {name: (state.name or "", state.message) for name, state in ended.items() if state}


def run_deployment(place: Place, flow: str, parameters: dict[str, Any], **environment: str) -> DeployedRun:
    """Run a flow to its end as a deployment that Prefect tries once more if it failed."""
    with SyncPrefectClient(place.environment["PREFECT_API_URL"]) as client:
        deployment = client.create_deployment(
            client.create_flow_from_name(flow),
            "here",
            entrypoint=ENTRYPOINTS[flow],
            enforce_parameter_schema=False,
        )
        run_id = client.create_flow_run_from_deployment(deployment, parameters=parameters).id
        given = {
            "PREFECT__FLOW_RUN_ID": str(run_id),
            "PREFECT_LOGGING_EXTRA_LOGGERS": ",".join(OWN_PACKAGES),
            "PYTHONPATH": str(PROJECT_ROOT),
            # As the images have it: the run's working folder is one of Prefect's, which goes with it.
            "LAKE_ROOT": place.lake,
            "OUTPUT_DIR": str(place.folder / "output"),
        }
        command = ("-m", "prefect", "flow-run", "execute", str(run_id))
        done = place.python(*command, **(RETRY_AT_ONCE | given | environment))

        def ask(path: str, **body: object) -> list[Any]:
            return list(client.request("POST", path, json=body).json())

        children = ask("/flow_runs/filter", flow_runs={"parent_flow_run_id": {"any_": [str(run_id)]}})
        runs = [str(run_id), *(child["id"] for child in children)]
        lines = ask("/logs/filter", logs={"flow_run_id": {"any_": runs}}, sort="TIMESTAMP_ASC")
        return DeployedRun(
            client.read_flow_run(run_id),
            [FlowRun.model_validate(child) for child in children],
            done.stderr + "\n".join(line["message"] for line in lines),
        )
