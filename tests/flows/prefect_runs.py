"""Runs on Prefect's API that are as old as a test wants them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from prefect.client.orchestration import SyncPrefectClient


class Api:
    """Prefect's API, as far as runs, artifacts and logs go."""

    def __init__(self, url: str) -> None:
        self._url = url

    def ask(self, path: str, body: Any) -> Any:
        # Prefect's client asks again when a busy server answers 503.
        with SyncPrefectClient(self._url) as client:
            answer = client.request("POST", path, json=body)
        return answer.json() if answer.content else None

    def add_run(self, flow: str, days: float, artifact: str, state: str = "COMPLETED") -> str:
        """Add a run with an artifact and two lines of log, and return its id."""
        flow_id = self.ask("/flows/", {"name": flow})["id"]
        planned = {"scheduled_time": (datetime.now(UTC) - timedelta(days=days)).isoformat()}
        scheduled = {"type": "SCHEDULED", "state_details": planned}
        run = self.ask("/flow_runs/", {"flow_id": flow_id, "state": scheduled})["id"]
        self.ask(f"/flow_runs/{run}/set_state", {"state": {"type": state}, "force": True})
        self.ask("/artifacts/", {"key": artifact, "type": "markdown", "data": "x", "flow_run_id": run})
        line = {"name": "n", "level": 20, "message": "m", "timestamp": datetime.now(UTC).isoformat()}
        self.ask("/logs/", [line | {"flow_run_id": run}] * 2)
        return str(run)

    def left_of(self, *runs: str) -> dict[str, tuple[int, int]]:
        """How many artifacts and lines of log those of the runs have that are still there."""
        of_runs = {"id": {"any_": runs}}
        there = [run["id"] for run in self.ask("/flow_runs/filter", {"flow_runs": of_runs})]
        of = {"flow_run_id": {"any_": runs}}
        found = {
            kind: [one["flow_run_id"] for one in self.ask(f"/{kind}/filter", {kind: of})]
            for kind in ("artifacts", "logs")
        }
        orphans = {*found["artifacts"], *found["logs"]} - {*there}
        return {run: (found["artifacts"].count(run), found["logs"].count(run)) for run in [*there, *orphans]}
