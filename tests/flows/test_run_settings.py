import errno
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from prefect import flow
from prefect.blocks.system import Secret
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterParentFlowRunId,
    LogFilter,
    LogFilterFlowRunId,
)

from flows import run_names
from flows.failure import FolderError
from flows.request import AnalyticsRequest, IngestRequest
from flows.run_settings import load_run_settings, run_of
from movies.lake.cursor import move_cursor
from movies.settings import SettingsError
from tests.places import Place
from tests.prefect_servers import cleared

PROBE = """
import asyncio
import json
import sys
from pathlib import Path
from prefect import flow
from flows.request import IngestRequest
from flows.run_settings import load_run_settings


@flow
async def child() -> dict:
    settings = load_run_settings(IngestRequest())
    return {"key": settings.tmdb_api_key, "server": settings.tmdb_base_url}


@flow
async def probe(answer: str) -> None:
    seen = [await child.fn(), await child()]
    Path(answer).write_text(json.dumps(seen, default=lambda secret: secret.get_secret_value()))


if __name__ == "__main__":
    asyncio.run(probe(sys.argv[1]))
"""
SERVER = "http://tmdb.example/3"
# Whatever any library has to say is in the run's logs.
LOG_ALL = {
    "PREFECT_LOGGING_EXTRA_LOGGERS": "flows,httpx,httpcore",
    "PREFECT_LOGGING_LEVEL": "DEBUG",
    "PREFECT_LOGGING_ROOT_LEVEL": "DEBUG",
}


@pytest.fixture
async def client(prefect_api, no_settings):
    """A client of the tests' server without any block, in a process that has no key."""
    async with cleared(prefect_api) as client:
        yield client


@pytest.fixture
def deployed(monkeypatch):
    """What runs in this process counts as a deployment's run."""
    monkeypatch.setattr("flows.run_settings.is_deployed", lambda: True)


async def save(block: str, value: object) -> None:
    await Secret(value=value).asave(block, overwrite=True)


def execute(place: Place, *command: str, **environment: str) -> str:
    """Run Python in a process of its own, expecting success; return all it said."""
    done = place.python(*command, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


async def read_messages(client: PrefectClient, flow_run_id: str) -> list[str]:
    """All that a run and its subflows logged; the API gives a page at a time."""
    subflows = await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[UUID(flow_run_id)])
        )
    )
    runs = LogFilter(
        flow_run_id=LogFilterFlowRunId(any_=[UUID(flow_run_id), *(subflow.id for subflow in subflows)])
    )
    messages: list[str] = []
    while page := await client.read_logs(log_filter=runs, limit=200, offset=len(messages)):
        messages += [log.message for log in page]
    return messages


@pytest.mark.slow
async def test_a_deployments_run_and_its_subflow_take_the_key_from_the_secret_block(
    client, place, prefect_home
):
    await save("tmdb-api-key", "k3y")
    (place.folder / "probe.py").write_text(PROBE)
    answer = place.folder / "answer.json"
    deployment = await client.create_deployment(
        await client.create_flow(flow(lambda answer: None, name="probe")),
        "docker",
        path=str(place.folder),
        entrypoint="probe.py:probe",
        enforce_parameter_schema=False,
    )
    run = await client.create_flow_run_from_deployment(deployment, parameters={"answer": str(answer)})

    command = ("-m", "prefect", "flow-run", "execute", str(run.id))
    said = execute(place, *command, **LOG_ALL, TMDB_BASE_URL=SERVER)

    seen = {"key": "k3y", "server": SERVER}
    assert json.loads(answer.read_text()) == [seen, seen]
    logs = await read_messages(client, str(run.id))
    assert "TMDB_API_KEY comes from the Secret block tmdb-api-key" in logs
    assert "k3y" not in said + str(logs) + (prefect_home / "server.log").read_text()


async def test_a_run_started_by_hand_reads_no_block(client, place):
    await save("tmdb-api-key", "k3y")
    (place.folder / "probe.py").write_text(PROBE)

    execute(place, "probe.py", "answer.json")

    seen = {"key": None, "server": None}
    assert json.loads((place.folder / "answer.json").read_text()) == [seen, seen]


async def test_both_blocks_are_read(client, deployed):
    await save("tmdb-api-key", "12345-and-more")
    await save("tmdb-access-token", "t0ken-and-more\n")

    settings = load_run_settings(IngestRequest(lake_root="/data/lake"))

    assert (settings.secrets, settings.lake) == (("12345-and-more", "t0ken-and-more"), "/data/lake")


@pytest.mark.parametrize(
    ("name", "secrets"), [("TMDB_API_KEY", ("mine-alone",)), ("TMDB_ACCESS_TOKEN", ("mine-alone",))]
)
async def test_a_key_of_the_environment_wins(name, secrets, client, deployed, monkeypatch):
    await save("tmdb-api-key", "k3y")
    await save("tmdb-access-token", "t0ken")
    monkeypatch.setenv(name, "mine-alone")

    assert load_run_settings(IngestRequest()).secrets == secrets


async def test_without_blocks_movies_come_from_the_sandbox(client, deployed):
    assert load_run_settings(IngestRequest()).uses_sandbox


async def test_a_block_that_holds_no_text_is_named(client, deployed):
    await save("tmdb-access-token", {"token": "t0ken"})

    with pytest.raises(SettingsError) as error:
        load_run_settings(IngestRequest())

    assert (
        str(error.value) == "The Secret block tmdb-access-token has no text. Save the key in it as a string"
    )


async def test_a_file_of_ids_is_read_as_ever(client, tmp_path):
    (tmp_path / "ids").write_text("603, 604")

    assert load_run_settings(IngestRequest(movie_ids_file=tmp_path / "ids")).ingestion_movie_ids == (603, 604)


async def test_a_run_whose_key_is_in_a_block_is_named_by_the_lake_of_real_movies(
    client, deployed, tmp_path, monkeypatch
):
    await save("tmdb-api-key", "a-whole-key")
    monkeypatch.setenv("REAL_LAKE", str(tmp_path / "real"))
    monkeypatch.setenv("SANDBOX_LAKE", str(tmp_path / "sandbox"))
    move_cursor(str(tmp_path / "real"), datetime(2026, 11, 29, 7, tzinfo=UTC))
    given = {"source": "changes", "filters": None, "lake_root": None, "refresh": False}
    monkeypatch.setattr(run_names.runtime.flow_run, "parameters", given, raising=False)

    assert run_names.name_ingestion() == "changes since 2026-11-29"


async def test_a_full_disk_of_a_run_is_one_of_the_folders_that_it_was_given(client, deployed, tmp_path):
    await save("tmdb-api-key", "a-whole-key")
    lake, output, temporary = tmp_path / "lake", tmp_path / "output", Path(tempfile.gettempdir())

    with pytest.raises(FolderError) as raised:
        async with run_of(AnalyticsRequest(lake_root=str(lake), output_dir=output)):
            raise OSError(errno.ENOSPC, "No space left on device")

    assert str(raised.value).startswith(f"{lake} or {output} or {temporary} cannot be used: ")
