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

    def add_run(self, flow: str, days: float, artifact: str, state: str = "COMPLETED", **part_of: str) -> str:
        """Add a run with an artifact and two lines of log, and return its id."""
        flow_id = self.ask("/flows/", {"name": flow})["id"]
        planned = {"scheduled_time": (datetime.now(UTC) - timedelta(days=days)).isoformat()}
        scheduled = {"type": "SCHEDULED", "state_details": planned}
        run = self.ask("/flow_runs/", {"flow_id": flow_id, "state": scheduled} | part_of)["id"]
        if state != "SCHEDULED":
            self.ask(f"/flow_runs/{run}/set_state", {"state": {"type": state}, "force": True})
        self.add_artifact(artifact, "x", flow_run_id=run)
        line = {"name": "n", "level": 20, "message": "m", "timestamp": datetime.now(UTC).isoformat()}
        self.ask("/logs/", [line | {"flow_run_id": run}] * 2)
        return str(run)

    def add_task(self, run: str, artifact: str) -> str:
        """Add a task run to a run, with a state, an artifact and a line of log, and return its id."""
        key = {"task_key": "made-by-a-test", "dynamic_key": artifact}
        task = str(self.ask("/task_runs/", {"flow_run_id": run} | key)["id"])
        self.ask(f"/task_runs/{task}/set_state", {"state": {"type": "COMPLETED"}, "force": True})
        of = {"flow_run_id": run, "task_run_id": task}
        self.add_artifact(artifact, "x", **of)
        line = {"name": "n", "level": 20, "message": "m", "timestamp": datetime.now(UTC).isoformat()}
        self.ask("/logs/", [line | of])
        return task

    def add_artifact(self, key: str, data: str, **of: str) -> None:
        """Add a version of an artifact to a run, or to a task of it."""
        self.ask("/artifacts/", {"key": key, "type": "markdown", "data": data} | of)

    def versions(self, key: str) -> list[str]:
        """The data of an artifact's versions, the newest first."""
        body = {"artifacts": {"key": {"any_": [key]}}, "sort": "CREATED_DESC"}
        return [artifact["data"] for artifact in self.ask("/artifacts/filter", body)]

    def tasks_of(self, *runs: str) -> list[str]:
        """The task runs of the runs that are still there."""
        body = {"task_runs": {"flow_run_id": {"any_": runs}}}
        return [task["id"] for task in self.ask("/task_runs/filter", body)]

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
