"""The final state of runs whose process has ended without setting one."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterId,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType, TaskRun
from prefect.events.filters import EventFilter, EventNameFilter, EventResourceFilter
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Crashed

from tasks.pruning import FLOWS

# Longer than Prefect's default period of 180 s, which runs outside of jobs have.
SILENCE = timedelta(minutes=4)
NEXT = "What the run committed stays, and the next run goes on from there."
SILENT = f"No heartbeat for four minutes. {NEXT}"
PAGE = 200


async def end_silent_runs(client: PrefectClient, watched: Collection[UUID], since: datetime) -> list[FlowRun]:
    """Crash the runs of this project's flows that have stopped sending heartbeats; return them.

    Args:
        client: a client of Prefect's API.
        watched: the ids of runs that are known to be active.
        since: the time after which an active run has sent a heartbeat.
    """
    open_states = FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.CANCELLING])
    runs = await client.read_flow_runs(
        flow_filter=FlowFilter(name=FlowFilterName(any_=list(FLOWS))),
        flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=open_states)),
        limit=PAGE,
    )
    ended = []
    for run in runs:
        # A subflow run in its parent's process ends with the parent, whose container may be watched.
        is_part = run.parent_task_run_id is not None and run.deployment_id is None
        if is_part or run.id in watched or run.state is None or run.state.timestamp > since:
            continue
        last = await _last_heartbeat(client, run.id)
        # A run that never sent any may not send heartbeats at all.
        if last is None or last >= since:
            continue
        # It may have been deleted meanwhile.
        with suppress(ObjectNotFound):
            if await end_run(client, run, SILENT):
                ended.append(run)
    return ended


async def _last_heartbeat(client: PrefectClient, run_id: UUID) -> datetime | None:
    """Return when the server received the last heartbeat of a run."""
    wanted = EventFilter(
        event=EventNameFilter(name=["prefect.flow-run.heartbeat"]),
        resource=EventResourceFilter(id=[f"prefect.flow-run.{run_id}"]),
    )
    newest = (await client.read_events(wanted, limit=1)).events
    return newest[0].received if newest else None


async def end_run(client: PrefectClient, run: FlowRun, message: str, *, replace: bool = False) -> bool:
    """Crash or cancel a run that has not ended, with its open subflow runs and task runs.

    A run that is suspended, or scheduled again for another process, stays as it is. The open parts of a run
    that ended by itself are left to `end_parts`, after Prefect has recorded the last events.

    Args:
        client: a client of Prefect's API.
        run: the run whose process has ended.
        message: why the process ended.
        replace: whether a crashed run gets this message instead of its own.

    Returns:
        Whether the run was set to crashed.
    """
    if _goes_on_elsewhere(run):
        return False
    state = run.state
    if state is not None and state.is_cancelling():
        await client.set_flow_run_state(run.id, Cancelled(), force=True)
        is_crashed = False
    else:
        is_open = state is None or not state.is_final()
        is_crashed = is_open or (replace and _says_otherwise(run, message))
        if is_crashed:
            await client.set_flow_run_state(run.id, Crashed(message=message), force=True)
    if is_crashed or (state is not None and (state.is_cancelling() or state.is_cancelled())):
        await end_parts(client, run.id, message)
    return is_crashed


def _goes_on_elsewhere(run: FlowRun) -> bool:
    if run.state is None:
        return False
    # A flow's own retries are scheduled too, in the process that has ended.
    is_own_retry = run.empirical_policy.retry_type == "in_process"
    return run.state.is_paused() or (run.state.is_scheduled() and not is_own_retry)


def _says_otherwise(run: FlowRun, message: str) -> bool:
    return run.state is not None and run.state.is_crashed() and run.state.message != message


async def end_parts(client: PrefectClient, run_id: UUID, message: str) -> None:
    """Crash the open subflow runs and task runs of an ended run, or cancel them if it was cancelled."""
    state = (await client.read_flow_run(run_id)).state
    if state is not None and state.is_final():
        await _end_parts(client, run_id, Cancelled() if state.is_cancelled() else Crashed(message=message))


async def _end_parts(client: PrefectClient, run_id: UUID, state: State) -> None:
    """Set the state of the subflow runs in a run's own process and of its task runs, if needed."""
    for child in await _subflow_runs(client, run_id):
        if _is_to_be(state, child):
            await client.set_flow_run_state(child.id, state.model_copy(), force=True)
        await _end_parts(client, child.id, state)
    for task in await _task_runs(client, run_id):
        if _is_to_be(state, task):
            await client.set_task_run_state(task.id, state.model_copy(), force=True)


def _is_to_be(state: State, run: FlowRun | TaskRun) -> bool:
    """Whether a part of an ended run needs that state."""
    if run.state is None or not run.state.is_final():
        return True
    # A part that was interrupted by a cancellation reports that it crashed.
    return state.is_cancelled() and run.state.is_crashed()


async def _subflow_runs(client: PrefectClient, run_id: UUID) -> list[FlowRun]:
    """Return the subflow runs in the run's own process; those of deployments have other containers."""
    wanted = FlowRunFilter(
        parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[run_id]),
        deployment_id=FlowRunFilterDeploymentId(is_null_=True),
    )
    return await client.read_flow_runs(flow_run_filter=wanted, limit=PAGE)


async def _task_runs(client: PrefectClient, run_id: UUID) -> list[TaskRun]:
    found: list[TaskRun] = []
    wanted = FlowRunFilter(id=FlowRunFilterId(any_=[run_id]))
    while page := await client.read_task_runs(flow_run_filter=wanted, limit=PAGE, offset=len(found)):
        found += page
    return found
