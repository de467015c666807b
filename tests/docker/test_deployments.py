"""The deployments as containers: what runs, what does not, and what happens when a job is killed."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from docker.models.containers import Container

from deployments.ended_runs import NEXT
from movies.lake.gold_tables import OVERVIEW
from movies.lake.tables import FETCH_FAILURES, RAW_MOVIES, SILVER_MOVIES
from movies.report.plots import PLOTS
from tests.docker.conftest import RUN_SECONDS, Service
from tests.places import await_requests

pytestmark = pytest.mark.docker

PIPELINE, REFRESH = "movie-pipeline/docker", "refresh-analytics/docker"
KILLED = f"Its container was ended by SIGKILL. {NEXT}"
OUT_OF_MEMORY = f"Its container ran out of memory of 48 MB. Raise the job variable mem_limit. {NEXT}"
# How soon states are true after a container has ended.
TRUE_SECONDS = 60.0
CACHED = dict.fromkeys(("transform", "kpis", "report", "plots", "dashboard"), "Cached")


def test_a_first_run_fills_tables_report_and_plots_and_a_second_starts_no_spark(service: Service) -> None:
    assert service.run(PIPELINE) == 0

    assert len(service.rows(RAW_MOVIES, "movie_id")) == 18
    assert service.rows(FETCH_FAILURES, "movie_id", "reason") == [(0, "not_found")]
    assert len(service.rows(SILVER_MOVIES, "id")) == 18
    assert service.rows(OVERVIEW, "movies") == [18]
    output = service.data / "output"
    assert (output / "kpi_analysis.txt").stat().st_size > 1000
    assert (output / "dashboard.html").stat().st_size > 1_000_000
    assert sorted(path.name for path in (output / "plots").iterdir()) == sorted(
        f"{name}.png" for name in PLOTS
    )
    assert sorted(path.name for path in (output / "logs").iterdir()) == [
        "analytics.log",
        "etl.log",
        "ingestion.log",
        "project.log",
    ]
    assert "flows.ingest" in (output / "logs" / "ingestion.log").read_text()
    [refresh] = service.flow_runs("refresh-analytics")
    assert refresh["state_name"] == "Completed"
    requests = service.sandbox.stats()["requests"]

    assert service.run(PIPELINE) == 0

    assert len(service.flow_runs("refresh-analytics")) == 1
    assert service.sandbox.stats()["requests"] == requests
    assert service.jobs() == []


def test_a_job_leaves_neither_its_container_nor_its_scratch_volume(service: Service) -> None:
    process = service.start("ingest-movies/docker", movie_ids=[19995])  # which is there
    mounts = await_running_job(service, "ingest-movies").attrs["Mounts"]
    volumes = {mount["Name"] for mount in mounts if mount["Destination"] == "/scratch"}
    process.communicate(timeout=RUN_SECONDS)
    await_no_job(service)

    assert len(volumes) == 1
    assert volumes & {volume.name for volume in service.docker.volumes.list()} == set()


def test_a_refresh_run_again_by_itself_finds_its_spark_tasks_cached(service: Service) -> None:
    assert service.run(REFRESH) == 0

    assert service.task_states(service.flow_runs("refresh-analytics")[0]["id"]) == CACHED


def test_a_forecast_of_too_few_movies_is_completed_and_says_how_many_there_are(service: Service) -> None:
    assert service.run("forecast-revenue/docker") == 0

    [run] = service.flow_runs("forecast-revenue")
    assert run["state"]["message"] == "18 of the 200 movies it needs"


def test_rows_landed_by_an_ingestion_alone_have_the_analytics_refreshed(service: Service) -> None:
    before = len(service.flow_runs("refresh-analytics"))

    assert service.run("ingest-movies/docker", movie_ids=[1, 2, 3]) == 0

    refresh = await_new_run(service, "refresh-analytics", before)
    assert refresh["state_name"] == "Completed"
    assert {1, 2, 3} < set(service.rows(SILVER_MOVIES, "id"))


def test_an_id_that_tmdb_does_not_have_starts_no_refresh(service: Service) -> None:
    before = len(service.flow_runs("refresh-analytics"))
    movies = len(service.rows(SILVER_MOVIES, "id"))

    assert service.run(PIPELINE, movie_ids=[2_000_000_000]) == 0

    assert len(service.flow_runs("refresh-analytics")) == before
    run = service.flow_runs("movie-pipeline")[0]
    assert (run["name"], run["state"]["message"]) == (
        "1 id",
        f"0 movies, 1 not found, {movies} in silver",
    )


def test_what_a_retry_cannot_mend_fails_a_job_at_once_with_one_sentence(service: Service) -> None:
    assert service.run(REFRESH, as_of_version=1_000_000) == 1

    run = service.flow_runs("refresh-analytics")[0]
    said = run["state"]["message"].partition(":")[0]
    assert (run["run_count"], said) == (1, "silver/movies has no version 1000000")
    logs = service.post("logs/filter", logs={"flow_run_id": {"any_": [run["id"]]}})
    assert not [line["message"] for line in logs if "Traceback" in line["message"]]


def test_a_job_killed_in_the_middle_fails_the_run_and_the_next_goes_on_from_there(service: Service) -> None:
    movie_ids = list(range(1, 301))
    service.sandbox.set_faults({})
    before = service.sandbox.stats()["requests"]

    process = service.start("ingest-movies/docker", movie_ids=movie_ids)
    await_requests(service.sandbox, before + 150, process)
    await_running_job(service, "ingest-movies").kill()
    process.communicate(timeout=RUN_SECONDS)
    assert process.returncode == 1
    kept = len(service.rows(RAW_MOVIES, "movie_id"))
    state = service.flow_runs("ingest-movies")[0]["state"]
    assert (state["name"], state["message"]) == ("Crashed", KILLED)

    assert service.run("ingest-movies/docker", movie_ids=movie_ids) == 0
    fetched = service.rows(RAW_MOVIES, "movie_id")
    assert len(fetched) == len(set(fetched)) == 18 + 300
    # Two batches of twenty were open, and what a batch lacks is fetched again with it.
    assert service.sandbox.stats()["requests"] - before <= 300 + 2 * 20 + 5
    assert kept >= 18 + 100


def test_a_killed_pipeline_crashes_its_ingestion_and_the_tasks_of_both(service: Service) -> None:
    process = start_slow_pipeline(service)
    await_running_job(service, "movie-pipeline").kill()
    process.communicate(timeout=RUN_SECONDS)
    service.sandbox.set_faults({})

    run = service.flow_runs("movie-pipeline")[0]
    await_states(service, run, runs={"Crashed"}, tasks={"Crashed", "Completed"})
    await_no_job(service)


def test_a_cancelled_pipeline_cancels_its_ingestion_and_the_tasks_of_both(service: Service) -> None:
    process = start_slow_pipeline(service)
    run = service.flow_runs("movie-pipeline")[0]
    service.post(f"flow_runs/{run['id']}/set_state", state={"type": "CANCELLING"})
    process.communicate(timeout=RUN_SECONDS)
    service.sandbox.set_faults({})

    await_states(service, run, runs={"Cancelled"}, tasks={"Cancelled", "Completed"})
    await_no_job(service)


def test_a_job_that_runs_out_of_memory_says_so_with_its_limit(service: Service) -> None:
    limits = ["--job-variable", "mem_limit=48m", "--job-variable", "memswap_limit=48m"]

    done = service.prefect("deployment", "run", "ingest-movies/docker", "--watch", *limits)

    assert done.returncode == 1
    state = service.flow_runs("ingest-movies")[0]["state"]
    assert (state["name"], state["message"]) == ("Crashed", OUT_OF_MEMORY)


def test_a_job_that_ended_while_no_worker_watched_it_is_crashed_and_its_container_removed(
    service: Service,
) -> None:
    """A container with the labels of a job that this worker did not start: a killed worker's."""
    [pool] = service.post("work_pools/filter")
    run = service.post("flow_runs/", flow_id=service.flow_runs("ingest-movies")[0]["flow_id"])
    service.post(f"flow_runs/{run['id']}/set_state", state={"type": "RUNNING"}, force=True)
    labels = {"io.prefect.flow-run-id": run["id"], "io.prefect.flow-name": "ingest-movies"}
    labels |= {"io.prefect.work-pool-id": pool["id"], "tmdb-movies.remove": "true"}

    service.docker.containers.run("tmdb-movies-flow", ["sh", "-c", "exit 3"], labels=labels, detach=True)

    await_states(service, run, runs={"Crashed"}, tasks=set())
    await_no_job(service)


def test_a_good_run_leaves_each_thing_once_in_the_workers_log_and_no_action_fails(
    service: Service,
) -> None:
    before = len(service.worker_log)

    assert service.run("ingest-movies/docker", movie_ids=[1]) == 0

    await_no_job(service)
    run = service.flow_runs("ingest-movies")[0]
    lines = [line.partition(" - ")[2] for line in service.worker_log[before:].splitlines()]
    # The run has another name by now, which says what it did.
    assert [re.sub(r"(Worker|Flow run) '.*?'", r"\1", line) for line in lines] == [
        f"Worker submitting flow run '{run['id']}'",
        "Flow run submitted to infrastructure",
    ]
    assert run["name"] == "1 id"
    # After all that was killed, cancelled and failed before, too.
    feed = {"event": {"prefix": ["prefect.automation.action", "prefect.automation.triggered"]}}
    events = service.post("events/filter", filter=feed)["events"]
    assert [event for event in events if event["event"].endswith(".failed")] == []
    # What landed was followed by a refresh, and nothing else was triggered.
    assert {event["resource"]["prefect.resource.name"] for event in events} == {
        "Refresh the analytics when new movies have landed"
    }


@pytest.mark.parametrize("attempt", range(2))
def test_a_job_killed_as_soon_as_its_container_is_there_crashes_the_run(
    service: Service, attempt: int
) -> None:
    """More than once: Docker may remove the container before or after the worker reads its exit status."""
    process = service.start("ingest-movies/docker", refresh=True)
    job = await_running_job(service, "ingest-movies")
    job.kill()
    output, _ = process.communicate(timeout=RUN_SECONDS)

    assert process.returncode == 1, output
    assert service.flow_runs("ingest-movies")[0]["state_name"] == "Crashed"
    await_no_job(service)


def test_a_movie_that_cannot_be_had_fails_the_run(service: Service) -> None:
    service.sandbox.set_faults({"by_movie": {350: "missing_credits"}})

    assert service.run(PIPELINE, movie_ids=[350, 351]) == 1

    assert 351 in service.rows(SILVER_MOVIES, "id")
    assert (350, "invalid_payload") in service.rows(FETCH_FAILURES, "movie_id", "reason")
    service.sandbox.set_faults({})


def test_maintenance_packs_the_tables_and_leaves_the_analytics_current(service: Service) -> None:
    assert service.run(PIPELINE) == 0
    before = len(service.flow_runs("refresh-analytics"))

    assert service.run("maintain-lake/docker") == 0
    assert service.run(PIPELINE) == 0

    assert len(service.flow_runs("refresh-analytics")) == before


def test_no_trace_of_the_key_is_left_anywhere(service: Service, tmp_path: Path) -> None:
    """Not in the containers' settings, the images, the API's answers, the data volume or the logs."""
    key = service.sandbox.key
    inspected: list[str] = []
    done = threading.Event()

    def inspect_jobs() -> None:
        while not done.wait(0.2):
            inspected.extend(json.dumps(job.attrs) for job in service.jobs())

    watcher = threading.Thread(target=inspect_jobs)
    watcher.start()
    try:
        assert service.run(PIPELINE, refresh=True) == 0
    finally:
        done.set()
        watcher.join()

    assert any("refresh-analytics" in text or "tmdb-movies-spark" in text for text in inspected)
    assert not [text for text in inspected if key in text]
    for path in (
        "flow_runs/filter",
        "task_runs/filter",
        "deployments/filter",
        "artifacts/filter",
        "logs/filter",
    ):
        assert key not in json.dumps(all_pages(service, path)), path
    assert key not in json.dumps(service.post("work_pools/filter"))
    for image in ("tmdb-movies-flow", "tmdb-movies-spark"):
        assert key not in json.dumps(service.docker.images.get(image).history())
    assert [
        path for path in service.data.rglob("*") if path.is_file() and key.encode() in path.read_bytes()
    ] == []
    assert key not in service.worker_log
    key_files = subprocess.run(
        ["grep", "-rlF", key, service.environment["PREFECT_HOME"]], capture_output=True, text=True
    )
    assert key_files.stdout == ""


def start_slow_pipeline(service: Service) -> subprocess.Popen[str]:
    """Start a pipeline and return it in the midst of its ingestion, which has half a minute to go."""
    service.sandbox.set_faults({"latency_ms": 2000})
    before = service.sandbox.stats()["requests"]
    process = service.start(PIPELINE, movie_ids=list(range(1, 301)), refresh=True)
    await_requests(service.sandbox, before + 25, process)
    return process


def all_pages(service: Service, path: str) -> list[Any]:
    found: list[Any] = []
    while page := service.post(path, limit=200, offset=len(found)):
        found += page
    return found


def await_running_job(service: Service, flow: str) -> Container:
    """The container of a flow's job, once it runs; another flow's may run beside it."""
    deadline = time.monotonic() + RUN_SECONDS
    while True:
        for job in service.jobs():
            if (job.labels["io.prefect.flow-name"], job.status) == (flow, "running"):
                return job
        assert time.monotonic() < deadline, "no job was started in time"
        threading.Event().wait(0.02)


def await_no_job(service: Service) -> None:
    """Return once no job's container is left, running or not."""
    deadline = time.monotonic() + RUN_SECONDS
    while found := service.jobs():
        assert time.monotonic() < deadline, f"left behind: {found}"
        threading.Event().wait(0.2)


def await_states(service: Service, run: dict[str, Any], **expected: set[str]) -> None:
    """Return once all runs and tasks of a run have one of the states; tasks may lack some of theirs."""
    deadline = time.monotonic() + TRUE_SECONDS
    while not (
        (found := service.states(run))["runs"] == expected["runs"] and found["tasks"] <= expected["tasks"]
    ):
        assert time.monotonic() < deadline, f"not true in time: {found}"
        threading.Event().wait(0.2)


def await_new_run(service: Service, flow: str, before: int) -> dict[str, Any]:
    """The newest run of a flow, once there are more of them and it has ended."""
    deadline = time.monotonic() + RUN_SECONDS
    while True:
        runs = service.flow_runs(flow)
        if len(runs) > before and runs[0]["state_type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
            return runs[0]
        assert time.monotonic() < deadline, f"no new run of {flow} ended in time: {runs[:1]}"
        threading.Event().wait(0.2)


@pytest.mark.parametrize(
    ("flow", "parameters", "sentence"),
    [
        (
            "ingest-movies",
            {"movie_ids": [603], "source": "export"},
            "Movie ids are for the source ids, not for export. Leave out the ids or the source",
        ),
        (
            "movie-pipeline",
            {"accept_checks": ["nonsense"]},
            "There is no data quality check called nonsense. docs/data-quality.md lists all",
        ),
        (
            "ingest-movies",
            {"lake_root": "/tmp/lost"},
            "LAKE_ROOT: files that a job writes to /tmp/lost are lost with its container",
        ),
        (
            "movie-pipeline",
            {"output_dir": "/tmp/lost"},
            "OUTPUT_DIR: files that a job writes to /tmp/lost are lost with its container",
        ),
        (
            "ingest-movies",
            {"movie_ids_file": "/proc/self/environ"},
            "movie_ids_file: a job cannot read /proc/",
        ),
        (
            "ingest-movies",
            {"movie_idz": [603]},
            "ingest-movies has no parameter movie_idz; it has movie_ids, ",
        ),
    ],
    ids=["pair", "check", "lake", "output", "file", "unknown"],
)
def test_a_job_refuses_what_cannot_be_meant_and_its_state_says_why(
    service: Service, flow: str, parameters: dict[str, Any], sentence: str
) -> None:
    requests, before = service.sandbox.stats()["requests"], service.rows(RAW_MOVIES, "movie_id")

    # Prefect's command line would refuse an unknown parameter itself; its API and the UI's form do not.
    run = service.run_by_api(f"{flow}/docker", parameters)

    assert run["state_name"] == "Failed"
    assert sentence in run["state"]["message"]
    assert "\n" not in run["state"]["message"]
    assert service.sandbox.stats()["requests"] == requests
    assert service.rows(RAW_MOVIES, "movie_id") == before


def test_blank_parameters_of_a_form_are_the_defaults_and_files_of_the_volume_are_read(
    service: Service,
) -> None:
    (service.data / "ids.txt").write_text("19995\n0\n")
    given = {"movie_ids_file": "/data/ids.txt", "lake_root": "", "imdb_ratings": ""}

    run = service.run_by_api("ingest-movies/docker", given)

    assert run["state_name"] == "Completed"
    await_no_job(service)
