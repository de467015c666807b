import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from movies.lake.tables import FETCH_FAILURES, SILVER_MOVIES
from tests.places import await_requests

pytestmark = pytest.mark.slow

# 30% of all answers are bad in one way or another.
FAULT_MIX = {
    "too_many_requests": 0.05,
    "server_error": 0.05,
    "unavailable": 0.05,
    "torn_body": 0.04,
    "dropped": 0.04,
    "html": 0.03,
    "missing_credits": 0.02,
    "wrong_id": 0.01,
    "not_an_object": 0.01,
    "movies_only": True,
}
QUICK = {"INGESTION_CONCURRENCY": "40", "INGESTION_REQUESTS_PER_SECOND": "2000"}


def ids(count: int) -> str:
    return ",".join(str(number) for number in range(1, count + 1))


def await_flow(log: Path, flow: str, process: subprocess.Popen[str]) -> None:
    """Return once a run has begun with a flow."""
    while f"for flow '{flow}'" not in (log.read_text() if log.exists() else ""):
        assert process.poll() is None


def test_every_movie_comes_once_though_three_answers_in_ten_are_bad(served):
    place, sandbox = served(synthetic=150, payload_bytes=4096, faults=FAULT_MIX)

    place.succeed("--stage", "ingest", "--movie-ids", ids(150), INGESTION_MAX_RETRIES="12", **QUICK)

    assert place.movie_ids() == list(range(1, 151))
    assert place.rows(FETCH_FAILURES, "movie_id") == []
    stats = sandbox.stats()
    assert sum(stats["faults"].values()) > 30
    assert stats["requests"] == 150 + sum(stats["faults"].values())


def test_what_cannot_be_had_is_recorded_all_stages_run_and_the_run_says_it_failed(served):
    place, sandbox = served(faults={"by_movie": {597: "server_error", 24428: "missing_credits"}})

    done = place.run(INGESTION_MAX_RETRIES="1")

    assert done.returncode == 1
    assert "2 of 19 movies could not be fetched" in done.stderr
    assert "1 exhausted_retries" in done.stderr and "1 invalid_payload" in done.stderr
    assert "Traceback" not in done.stderr
    assert place.rows(FETCH_FAILURES, "movie_id", "reason", "attempts") == [
        (0, "not_found", 1),
        (597, "exhausted_retries", 2),
        (24428, "invalid_payload", 2),
    ]
    assert len(place.rows(SILVER_MOVIES, "id")) == 16
    assert (place.folder / "output" / "kpi_analysis.txt").exists()

    sandbox.set_faults({})
    place.succeed()
    assert sandbox.stats()["by_movie"].keys() == {"597", "24428"}, "only what was owed is asked for again"
    assert len(place.rows(SILVER_MOVIES, "id")) == 18


def test_ctrl_c_drains_to_a_checkpoint_and_the_next_run_goes_on(served):
    place, sandbox = served(synthetic=2000, payload_bytes=4096, faults={"latency_ms": 10})
    arguments = ("--stage", "ingest", "--movie-ids", ids(400))

    process = place.start(*arguments, INGESTION_BATCH_SIZE="1000")
    await_requests(sandbox, 50, process)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "Interrupted" in error and "Traceback" not in error
    fetched = place.movie_ids()
    assert len(fetched) == sandbox.stats()["requests"] >= 50, "what was asked for is kept"

    place.succeed(*arguments, **QUICK)
    assert place.movie_ids() == list(range(1, 401))
    assert sandbox.stats()["requests"] == 400


def test_ctrl_c_ends_a_run_at_any_stage_and_the_next_one_completes_it(served):
    place, _ = served()
    log = place.folder / "output" / "logs" / "project.log"

    for flow in ("ingest-movies", "refresh-analytics"):
        process = place.start("--refresh")
        await_flow(log, flow, process)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "Interrupted" in error and "Traceback" not in error
        log.unlink()

    place.succeed()
    assert len(place.rows(SILVER_MOVIES, "id")) == 18
    assert (place.folder / "output" / "kpi_analysis.txt").exists()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_second_signal_ends_a_run_at_once_and_leaves_no_process(number, status, place):
    log = place.folder / "output" / "logs" / "project.log"
    process = place.start()
    await_flow(log, "refresh-analytics", process)
    children = psutil.Process(process.pid).children(recursive=True)
    assert any("movies.loopback" in " ".join(child.cmdline()) for child in children), "the sandbox at least"

    began = time.monotonic()
    while process.poll() is None:
        process.send_signal(number)
        time.sleep(0.01)  # two that come at once are one
    seconds = time.monotonic() - began
    _, error = process.communicate(timeout=60)

    assert process.returncode == status
    assert "what is committed stays, and the next run goes on from there" in error
    assert "Traceback" not in error
    assert seconds < 1
    assert psutil.wait_procs(children, timeout=10)[1] == []


def test_a_key_refused_in_the_middle_keeps_what_was_fetched_before(served):
    place, sandbox = served(synthetic=400, payload_bytes=4096, faults={"latency_ms": 10})

    process = place.start("--stage", "ingest", "--movie-ids", ids(400), INGESTION_BATCH_SIZE="20")
    await_requests(sandbox, 60, process)
    sandbox.set_faults({"unauthorized": 1.0})
    _, error = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "TMDB does not accept the key" in error
    kept = place.movie_ids()
    assert 40 <= len(kept) == len(set(kept)) < 400


def test_a_pause_the_server_asks_for_is_obeyed_or_stops_the_run_at_a_checkpoint(served):
    place, sandbox = served(synthetic=60, payload_bytes=4096)
    place.succeed("--stage", "ingest", "--movie-ids", ids(40), **QUICK)
    sandbox.set_faults({"too_many_requests": 1.0, "retry_after": 4000})

    done = place.run("--stage", "ingest", "--movie-ids", ids(60), **QUICK)

    assert done.returncode == 1
    assert "asks to wait 4,000 seconds" in done.stderr
    assert "0 movies were fetched and are checkpointed, 20 are left" in done.stderr
    assert place.movie_ids() == list(range(1, 41))


def test_the_servers_rate_limit_is_met_and_nothing_is_lost(served):
    place, sandbox = served(synthetic=100, payload_bytes=4096, faults={"limit_per_second": 40})

    place.succeed(
        "--stage",
        "ingest",
        "--movie-ids",
        ids(100),
        INGESTION_CONCURRENCY="50",
        INGESTION_REQUESTS_PER_SECOND="200",
        INGESTION_MAX_RETRIES="20",
    )

    assert place.movie_ids() == list(range(1, 101))
    assert sandbox.stats()["refused"]["over_limit"] > 0


@pytest.mark.parametrize("concurrency", [1, 7])
def test_no_more_requests_are_in_flight_than_allowed(concurrency, served):
    place, sandbox = served(synthetic=60, payload_bytes=4096, faults={"latency_ms": 5})

    place.succeed(
        "--stage",
        "ingest",
        "--movie-ids",
        ids(60),
        INGESTION_CONCURRENCY=str(concurrency),
        INGESTION_REQUESTS_PER_SECOND="2000",
    )

    assert sandbox.stats()["max_in_flight"] == concurrency


@pytest.mark.parametrize("fault", ["unavailable", "html", "dropped"])
def test_an_outage_stops_at_a_checkpoint_records_no_failure_and_later_stages_run(fault, served):
    place, sandbox = served(synthetic=320, payload_bytes=4096)
    place.succeed("--stage", "ingest", "--movie-ids", ids(20), **QUICK)
    sandbox.set_faults({fault: 1.0})

    done = place.run("--movie-ids", ids(320), INGESTION_OUTAGE_MINUTES="0.05")

    assert done.returncode == 1
    assert "0 movies were fetched and are checkpointed, 300 are left" in done.stderr
    assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
    assert sandbox.stats()["requests"] < 30
    assert place.rows(FETCH_FAILURES, "movie_id") == []
    assert len(place.rows(SILVER_MOVIES, "id")) == 20
    assert (place.folder / "output" / "kpi_analysis.txt").exists()

    sandbox.set_faults({})
    place.succeed("--stage", "ingest", "--movie-ids", ids(320), **QUICK)
    assert sandbox.stats()["requests"] == 300


def test_movies_that_break_at_transport_level_are_recorded_and_the_run_goes_on_also_the_next(served):
    broken = {3: "dropped", 4: "dropped", 5: "torn_body"}
    place, _ = served(synthetic=40, payload_bytes=4096, faults={"by_movie": broken})

    for _ in range(2):
        done = place.run("--movie-ids", ids(40), INGESTION_MAX_RETRIES="1")

        assert done.returncode == 1
        assert done.stderr.startswith("Error: 3 of 40 movies could not be fetched (3 exhausted_retries)")
        assert len(place.rows(SILVER_MOVIES, "id")) == 37
    assert place.rows(FETCH_FAILURES, "movie_id") == [3, 3, 4, 4, 5, 5]
