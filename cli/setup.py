"""The command `movies setup`: create what deployments need on a Prefect API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

import httpx
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.blocks.system import Secret
from prefect.client.orchestration import PrefectClient, get_client
from prefect.exceptions import ObjectNotFound
from prefect.settings import get_current_settings
from prefect.types import SecretDict
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from cli.terminal import Terminal
from deployments.automations import delete_automation, notifying, read_automations, save_automation
from deployments.job_settings import lakes_of_jobs
from deployments.work_pool import DEPLOYMENTS, SetupError, read_file, save_work_pool, work_pool_template
from flows.run_settings import SECRET_BLOCKS
from movies.lake.separation import separate_sandbox
from movies.proxies import check_proxies
from movies.settings import SANDBOX_SOURCE, WEB, Settings, SettingsError, load_settings, parse_url
from movies.tmdb.redaction import redact

NOTIFICATION_BLOCK = "tmdb-movies-notifications"
ANSWER_SECONDS = 30.0


class NotificationSettings(BaseSettings):
    """The webhook for notifications; it takes JSON with a `text`, as the webhooks of most chats do."""

    model_config = Settings.model_config

    notification_url: SecretStr | None = None
    """`https` URL of a webhook that `movies setup` registers; it gets a message when the lake gets old."""


def show_setup(pool: str, *, defaults: bool = False, forget_keys: bool = False) -> None:
    """Create or update what the flows need on the configured API, and print what was done.

    Args:
        pool: where the containers of jobs run.
        defaults: whether automations that were changed on the server are reset.
        forget_keys: whether Secret blocks of keys that are not set here are deleted.

    Raises:
        SettingsError: a setting cannot be used, or there is no API.
        SetupError: the API rejects a change.
    """
    settings = load_settings()
    check_proxies()
    webhook = _read_webhook()
    secrets = (*settings.secrets, *([webhook] if webhook else []))
    terminal = Terminal(secrets)
    try:
        asyncio.run(set_up(pool, settings, webhook, terminal.say, defaults=defaults, forget_keys=forget_keys))
    except (SettingsError, SetupError) as error:
        raise type(error)(redact(str(error), secrets)) from error
    except httpx.HTTPError as error:
        reason = redact(_reason(error), secrets)
        raise SetupError(f"Prefect's API could not be set up: {reason}") from error


async def set_up(
    pool: str,
    settings: Settings,
    webhook: str | None,
    say: Callable[[str], None],
    *,
    defaults: bool = False,
    forget_keys: bool = False,
) -> None:
    """Bring work pool, Secret blocks and automations of the configured API up to date.

    Raises:
        SettingsError: no API is configured, or it does not respond.
        SetupError: the work pool's name is taken, or there is no folder `deployments/`.
    """
    template = work_pool_template(pool, settings)
    automations, retired = read_automations(read_file(DEPLOYMENTS / "automations.yaml"))
    async with connect() as client:
        say(f"Prefect API at {client.api_url}")
        saved = await save_work_pool(client, pool, template, defaults=defaults)
        say(f"  work pool movies-{pool}: {saved}")
        for sentence in await _save_keys(client, settings, forget=forget_keys):
            say(f"  {sentence}")
        if moved := await separate_sandbox(*lakes_of_jobs(settings), SANDBOX_SOURCE):
            say(f"  {moved}")
        if webhook:
            await _save_webhook(webhook)
            say(f"  {NOTIFICATION_BLOCK}: saved")
        notification = await _find_webhook(client)
        for automation in automations:
            wanted = notifying(automation, notification) if notification else automation
            how = await save_automation(client, wanted, defaults=defaults)
            say(f'  automation "{wanted.name}": {how}')
        for name in retired:
            if await delete_automation(client, name):
                say(f'  automation "{name}": deleted; `movies worker` does its work')


async def _save_keys(client: PrefectClient, settings: Settings, *, forget: bool) -> list[str]:
    """Store the configured keys in Secret blocks; return what was done, in words.

    If another kind of key is set, the block of the former kind is deleted, because jobs would still read it.
    """
    done = []
    for setting, block in SECRET_BLOCKS.items():
        key: SecretStr | None = getattr(settings, setting)
        if key is not None:
            await Secret(value=key).asave(block, overwrite=True)
            done.append(f"{block}: saved")
        elif (document := await _find_block(client, block, "secret")) is None:
            continue
        elif forget or not settings.uses_sandbox:
            await client.delete_block_document(document)
            done.append(f"{block}: deleted")
        else:
            done.append(
                f"no TMDB key is set: jobs still use the one in {block} "
                "(`movies setup --forget-keys` deletes it)"
            )
    return done or ["no TMDB key is set: jobs use the sandbox"]


@asynccontextmanager
async def connect() -> AsyncIterator[PrefectClient]:
    """Open a client of the configured API, after checking that it is one of Prefect's."""
    url = get_current_settings().api.url
    if not url:
        raise SettingsError(
            "No Prefect API is configured. Start one with `prefect server start` and set PREFECT_API_URL, "
            "or choose a profile that has one"
        )
    async with get_client() as client:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await client.read_work_pools(limit=1)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, TimeoutError) as error:
            raise SettingsError(f"Prefect's API at {url} does not answer: {_reason(error)}") from error
        yield client


async def _save_webhook(webhook: str) -> None:
    block = CustomWebhookNotificationBlock(
        name="TMDB movies",
        url="{{ webhook }}",
        json_data={"text": "{{subject}}\n{{body}}"},
        headers=None,
        cookies=None,
        # Unlike the URL, this is hidden in the UI.
        secrets=SecretDict({"webhook": webhook}),
    )
    await block.asave(NOTIFICATION_BLOCK, overwrite=True)


async def _find_webhook(client: PrefectClient) -> UUID | None:
    """Return the id of the notification block, or None if there is none."""
    return await _find_block(client, NOTIFICATION_BLOCK, CustomWebhookNotificationBlock.get_block_type_slug())


async def _find_block(client: PrefectClient, name: str, slug: str) -> UUID | None:
    try:
        return (await client.read_block_document_by_name(name, slug, include_secrets=False)).id
    except ObjectNotFound:
        return None


def _read_webhook() -> str | None:
    url = NotificationSettings().notification_url
    webhook = url.get_secret_value().strip() if url else ""
    try:
        return parse_url(webhook, "https://chat.example/hook", WEB, may_be_signed=True) if webhook else None
    except ValueError as error:
        raise SettingsError(f"NOTIFICATION_URL: {error}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"{error.request.url.path} gave HTTP status {error.response.status_code}"
    if isinstance(error, ValueError):
        return "the server there is not Prefect"
    return str(error).partition("\n")[0] or type(error).__name__
