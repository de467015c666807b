import asyncio
import json
import subprocess
from typing import Any

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.events.schemas.automations import AutomationCore
from prefect.settings import PREFECT_API_URL, temporary_settings
from typer.testing import CliRunner

from cli.app import app
from cli.setup import DEPLOYMENTS, NOTIFICATION_BLOCK, SetupError, set_up
from deployments.automations import read_automations, tagged
from deployments.work_pool import work_pool_template
from movies.lake.work_list import find_sources
from movies.settings import load_settings
from tests.movies.lake.test_work_list import Movie, commit
from tests.places import Place
from tests.prefect_servers import cleared

AUTOMATIONS, RETIRED = read_automations((DEPLOYMENTS / "automations.yaml").read_text())
FILED = [tagged(automation) for automation in AUTOMATIONS]
TEMPLATE = work_pool_template("docker", load_settings())
NO_KEY = "  no TMDB key is set: jobs use the sandbox\n"


def run_setup(place: Place, **environment: str) -> subprocess.CompletedProcess[str]:
    """`movies setup` as a user has it."""
    return place.python("-m", "cli", "setup", **({"NOTIFICATION_URL": ""} | environment))


def succeed(place: Place, **environment: str) -> str:
    """Run it, expecting success; return what was said below the first line, which names the API."""
    done = run_setup(place, **environment)
    assert (done.returncode, done.stderr) == (0, "")
    first, _, rest = done.stdout.partition("\n")
    assert first == f"Prefect API at {place.environment['PREFECT_API_URL']}/"
    return rest


async def set_up_here(
    pool: str = "docker",
    webhook: str | None = None,
    *,
    defaults: bool = False,
    forget_keys: bool = False,
    **keys: str,
) -> str:
    """The same in this process."""
    said: list[str] = []
    await set_up(
        pool, load_settings(**keys), webhook, said.append, defaults=defaults, forget_keys=forget_keys
    )
    return "".join(f"{line}\n" for line in said[1:])


def automations_said(how: str) -> str:
    return "".join(f'  automation "{automation.name}": {how}\n' for automation in FILED)


@pytest.fixture
async def client(prefect_api, no_settings):
    """A client of the tests' server, where nothing has been set up."""
    async with cleared(prefect_api) as client:
        yield client


async def automations(client: PrefectClient) -> list[AutomationCore]:
    found = await client.read_automations()
    cores = [AutomationCore.model_validate(automation.model_dump(exclude={"id"})) for automation in found]
    return sorted(cores, key=lambda automation: automation.name)


async def secret(client: PrefectClient, block: str) -> Any:
    return (await client.read_block_document_by_name(block, "secret")).data["value"]


async def test_setting_up_twice_gives_the_same(place, client):
    first = succeed(place)
    found = await client.read_automations()
    second = succeed(place)

    assert first == "  work pool movies-docker: created\n" + NO_KEY + automations_said("created")
    assert second == "  work pool movies-docker: unchanged\n" + NO_KEY + automations_said("unchanged")
    [pool] = await client.read_work_pools()
    assert (pool.name, pool.type, pool.base_job_template) == ("movies-docker", "docker", TEMPLATE)
    assert await client.read_automations() == found
    assert await automations(client) == FILED


@pytest.mark.parametrize("pool", ["ecs", "kubernetes"])
async def test_another_kind_of_pool_can_be_asked_for(pool, client):
    assert (await set_up_here(pool)).startswith(f"  work pool movies-{pool}: created\n")

    [made] = await client.read_work_pools()
    assert (made.name, made.type) == (f"movies-{pool}", pool)


async def test_keys_are_kept_in_secret_blocks_and_said_nowhere(place, client, prefect_home):
    # A key of digits is a number for those who read it as JSON.
    key, token = "12345678901234567890", "eyJ.t0ken"
    (place.folder / ".env").write_text(f"TMDB_ACCESS_TOKEN={token}\n")

    said = succeed(place, TMDB_API_KEY=key, PREFECT_LOGGING_LEVEL="DEBUG")

    assert said == (
        "  work pool movies-docker: created\n  tmdb-api-key: saved\n  tmdb-access-token: saved\n"
        + automations_said("created")
    )
    assert (await secret(client, "tmdb-api-key"), await secret(client, "tmdb-access-token")) == (key, token)
    log = (prefect_home / "server.log").read_text()
    written = [path.name for path in place.folder.iterdir()]
    assert (key in log, token in log, written) == (False, False, [".env"])


async def test_a_new_key_takes_the_place_of_the_old_one(client):
    await set_up_here(tmdb_api_key="the-old-key")
    await set_up_here(tmdb_api_key="the-new-key")

    assert await secret(client, "tmdb-api-key") == "the-new-key"


async def test_a_pool_that_was_changed_there_is_set_right(client):
    await set_up_here()
    changed = json.loads(json.dumps(TEMPLATE).replace("tmdb-movies-flow:latest", "other"))
    update = WorkPoolUpdate(base_job_template=changed, is_paused=True, concurrency_limit=3)
    await client.update_work_pool("movies-docker", update)

    said = await set_up_here()

    [pool] = await client.read_work_pools()
    assert (pool.base_job_template, pool.is_paused, pool.concurrency_limit) == (TEMPLATE, True, 3)
    assert (
        said
        == "  work pool movies-docker: updated; no longer allowed: image\n"
        + NO_KEY
        + automations_said("unchanged")
    )


@pytest.mark.parametrize("change", [{"description": "Ours"}, {"enabled": False}], ids=["changed", "off"])
async def test_an_automation_that_was_changed_there_stays_so_until_defaults_are_asked_for(client, change):
    await set_up_here()
    [made] = await client.read_automations_by_name(FILED[0].name)
    changed = FILED[0].model_copy(update=change)
    await client.update_automation(made.id, changed)

    said = await set_up_here()

    how = "unchanged" if "enabled" in change else "changed there: kept (`movies setup --defaults` resets it)"
    assert await automations(client) == [changed, *FILED[1:]]
    assert said.splitlines()[2] == f'  automation "{FILED[0].name}": {how}'

    await set_up_here(defaults=True)

    assert await automations(client) == FILED


async def test_automations_of_an_earlier_version_follow_this_one_and_stay_switched_off(client, monkeypatch):
    # As 0.1.0 made them: without a tag.
    old = AUTOMATIONS[0].model_copy(update={"description": "Old", "enabled": False})
    await client.create_automation(old)
    await client.create_automation(AUTOMATIONS[0].model_copy(update={"name": "Retired"}))

    monkeypatch.setattr("cli.setup.read_automations", lambda text: (AUTOMATIONS, ["Retired"]))
    said = await set_up_here()

    as_set = [FILED[0].model_copy(update={"enabled": False}), *FILED[1:]]
    assert await automations(client) == sorted(as_set, key=lambda automation: automation.name)
    assert said.endswith('  automation "Retired": deleted; `movies worker` does its work\n')


async def test_without_a_key_jobs_go_on_with_the_one_before_until_it_is_to_be_forgotten(client):
    await set_up_here(tmdb_api_key="the-old-key")

    kept = (
        "  no TMDB key is set: jobs still use the one in tmdb-api-key "
        "(`movies setup --forget-keys` deletes it)\n"
    )
    assert kept in await set_up_here()
    assert await secret(client, "tmdb-api-key") == "the-old-key"
    assert "  tmdb-api-key: deleted\n" in await set_up_here(forget_keys=True)
    assert NO_KEY in await set_up_here()


async def test_sandbox_movies_in_a_host_folder_of_jobs_give_way_to_real_ones(client, tmp_path):
    volume = tmp_path / "volume"
    await asyncio.to_thread(commit, str(volume / "lake"), [Movie(1)], [], "sandbox")

    said = await set_up_here(data_volume=str(volume))

    assert f"  {volume}/lake held movies of the sandbox. It was renamed to {volume}/sandbox, " in said
    assert find_sources(str(volume / "sandbox")) == {"sandbox"}


async def test_a_key_of_the_other_kind_does_not_leave_the_one_before_in_use(client):
    await set_up_here(tmdb_access_token="the-old-token")

    said = await set_up_here(tmdb_api_key="the-new-key")

    assert "  tmdb-api-key: saved\n  tmdb-access-token: deleted\n" in said
    assert [block.name for block in await client.read_block_documents()] == ["tmdb-api-key"]


async def test_a_pool_keeps_the_defaults_that_were_set_there_and_are_still_allowed(client):
    """The pool is as an earlier version made it: a list of what is forbidden, and an image without a tag."""
    earlier = json.loads(json.dumps(TEMPLATE))
    variables = earlier["variables"]["properties"]
    kept = {"AWS_ACCESS_KEY_ID": "{{ prefect.blocks.secret.store-id }}"}
    del earlier["variables"]["additionalProperties"]
    del earlier["job_configuration"]["container_create_kwargs"]["read_only"]
    variables["network_mode"] = {"type": "string", "default": "host"}
    variables["image"] = {"type": "string", "default": "tmdb-movies-flow"}
    variables["mem_limit"]["default"] = "6g"
    variables["env"] = {
        "type": "object",
        "propertyNames": {"not": {"enum": ["TMDB_API_KEY"]}},
        "default": {"INGESTION_BATCH_SIZE": "50", "AWS_SECRET_ACCESS_KEY": "s"} | kept,
    }
    await client.create_work_pool(
        WorkPoolCreate(name="movies-docker", type="docker", base_job_template=earlier)
    )

    said = await set_up_here()
    again = await set_up_here()

    [pool] = await client.read_work_pools()
    wanted = json.loads(json.dumps(TEMPLATE))
    wanted["variables"]["properties"]["mem_limit"]["default"] = "6g"
    wanted["variables"]["properties"]["env"]["default"] |= {"INGESTION_BATCH_SIZE": "50"} | kept
    assert pool.base_job_template == wanted
    assert said.splitlines()[0] == (
        "  work pool movies-docker: updated; "
        "no longer allowed: env.AWS_SECRET_ACCESS_KEY, image, network_mode"
    )
    assert again.splitlines()[0] == "  work pool movies-docker: unchanged"


async def test_notifications_go_where_they_were_once_sent_to(client):
    url = "https://chat.example/hook/s3cr3t"
    said = await set_up_here(webhook=url)
    with_block = await automations(client)
    await set_up_here()

    assert said == (
        "  work pool movies-docker: created\n"
        + NO_KEY
        + f"  {NOTIFICATION_BLOCK}: saved\n"
        + automations_said("created")
    )
    block = await client.read_block_document_by_name(
        NOTIFICATION_BLOCK, "custom-webhook", include_secrets=False
    )
    assert url not in str(block.data)
    # The automation that only tells; the others act, and stay as they are.
    assert with_block[:-1] == FILED[:-1]
    assert [action.model_dump() for action in with_block[-1].actions] == [
        {
            "type": "send-notification",
            "block_document_id": block.id,
            "subject": FILED[-1].name,
            "body": FILED[-1].description,
        }
    ]
    assert await automations(client) == with_block


async def test_a_pool_of_that_name_and_another_type_is_left_alone(client):
    await client.create_work_pool(WorkPoolCreate(name="movies-docker", type="process"))

    with pytest.raises(SetupError) as error:
        await set_up_here()

    sentence = "There is a work pool movies-docker of type process, not docker. Delete it first"
    assert str(error.value) == sentence


def test_a_wrong_url_ends_it_with_one_sentence_and_status_2(place):
    done = run_setup(place, PREFECT_API_URL="http://127.0.0.1:1/api")

    sentence = "Prefect's API at http://127.0.0.1:1/api does not answer: All connection attempts failed"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"Error: {sentence}\n")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        pytest.param(
            "{server}/elsewhere",
            "Prefect's API at {server}/elsewhere does not answer: "
            "/elsewhere/work_pools/filter gave HTTP status 404",
            id="another-server",
        ),
        pytest.param(
            "no-url",
            "Prefect's API at no-url does not answer: "
            "Request URL is missing an 'http://' or 'https://' protocol.",
            id="no-url",
        ),
        pytest.param(
            None,
            "No Prefect API is configured. Start one with `prefect server start` and set PREFECT_API_URL, "
            "or choose a profile that has one",
            id="none",
        ),
    ],
)
def test_an_api_that_cannot_be_used_is_named(url, sentence, no_settings, prefect_api):
    server = prefect_api.removesuffix("/api")

    with temporary_settings({PREFECT_API_URL: url and url.format(server=server)}):
        done = CliRunner().invoke(app, ["setup"])

    said = f"Error: {sentence.format(server=server)}\n"
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", said)


def test_a_webhook_that_is_no_url_is_named(no_settings, monkeypatch):
    monkeypatch.setenv("NOTIFICATION_URL", "chat.example")

    sentence = (
        "NOTIFICATION_URL: give a URL like https://chat.example/hook, "
        "without a user, a password or a fragment"
    )
    done = CliRunner().invoke(app, ["setup"])
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", f"Error: {sentence}\n")
