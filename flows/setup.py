"""What a Prefect API needs before the flows can be deployed there, for `movies setup`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml  # type: ignore[import-untyped]
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.blocks.system import Secret
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.events.actions import DoNothing, SendNotification
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectNotFound
from prefect.settings import get_current_settings
from prefect.types import SecretDict
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from flows.run_settings import SECRET_BLOCKS
from flows.terminal import Terminal
from proxies import check_proxies
from settings import WEB, Settings, SettingsError, load_settings, parse_url
from tmdb.redaction import redact

DEPLOYMENTS = Path(__file__).parent.parent / "deployments"
NOTIFICATION_BLOCK = "tmdb-movies-notifications"
ANSWER_SECONDS = 30.0


class SetupError(Exception):
    """The API answers, and something there or here stands in the way; the text says what (exit status 1)."""


class NotificationSettings(BaseSettings):
    """Where notifications go: a webhook that takes JSON with a `text`, as most chats have."""

    model_config = Settings.model_config

    notification_url: SecretStr | None = None


def show_setup(pool: str) -> None:
    """Create or update what the flows need on the configured API, and say so.

    Raises:
        SettingsError: a setting cannot be used, or there is no API.
        SetupError: something stands in the way.
    """
    settings = load_settings()
    check_proxies()
    webhook = _read_webhook()
    secrets = (*settings.secrets, *([webhook] if webhook else []))
    terminal = Terminal(secrets)
    try:
        asyncio.run(set_up(pool, settings, webhook, terminal.say))
    except (SettingsError, SetupError) as error:
        raise type(error)(redact(str(error), secrets)) from error
    except httpx.HTTPError as error:
        reason = redact(_reason(error), secrets)
        raise SetupError(f"Prefect's API could not be set up: {reason}") from error


async def set_up(pool: str, settings: Settings, webhook: str | None, say: Callable[[str], None]) -> None:
    """Bring work pool, Secret blocks and automations of the configured API up to date.

    Raises:
        SettingsError: no API is configured, or it does not answer.
        SetupError: the work pool's name is taken, or `deployments/` is not here.
    """
    template, automations = _read_work_pool(pool), list(_read_automations())
    async with _connect() as client:
        say(f"Prefect API at {client.api_url}")
        say(f"  work pool movies-{pool}: {await _save_work_pool(client, pool, template)}")
        for setting, block in SECRET_BLOCKS.items():
            key: SecretStr | None = getattr(settings, setting)
            if key is not None:
                await Secret(value=key).asave(block, overwrite=True)
                say(f"  {block}: saved")
        if settings.uses_sandbox:
            say("  no TMDB key is set here: Secret blocks stay as they are")
        if webhook:
            await _save_webhook(webhook)
            say(f"  {NOTIFICATION_BLOCK}: saved")
        notification = await _find_webhook(client)
        for automation in automations:
            wanted = _notifying(automation, notification) if notification else automation
            say(f'  automation "{wanted.name}": {await _save_automation(client, wanted)}')


@asynccontextmanager
async def _connect() -> AsyncIterator[PrefectClient]:
    """A client of the configured API, once it has answered as Prefect's does."""
    url = get_current_settings().api.url
    if not url:
        raise SettingsError(
            "No Prefect API is configured: start one with `prefect server start` and set PREFECT_API_URL, "
            "or choose a profile that has one"
        )
    async with get_client() as client:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await client.read_work_pools(limit=1)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, TimeoutError) as error:
            raise SettingsError(f"Prefect's API at {url} does not answer: {_reason(error)}") from error
        yield client


async def _save_work_pool(client: PrefectClient, pool: str, template: dict[str, Any]) -> str:
    name = f"movies-{pool}"
    try:
        current = await client.read_work_pool(name)
    except ObjectNotFound:
        await client.create_work_pool(WorkPoolCreate(name=name, type=pool, base_job_template=template))
        return "created"
    if current.type != pool:
        raise SetupError(f"There is a work pool {name} of type {current.type}, not {pool}: delete it first")
    if current.base_job_template == template:
        return "unchanged"
    await client.update_work_pool(name, WorkPoolUpdate(base_job_template=template))
    return "updated"


async def _save_automation(client: PrefectClient, wanted: AutomationCore) -> str:
    found = await client.read_automations_by_name(wanted.name)
    if not found:
        await client.create_automation(wanted)
        return "created"
    current = AutomationCore.model_validate(found[0].model_dump(exclude={"id"}))
    # Switched off in the UI, it stays off. An update would start its clocks anew, so none is made in vain.
    wanted = wanted.model_copy(update={"enabled": current.enabled})
    if wanted == current:
        return "unchanged"
    await client.update_automation(found[0].id, wanted)
    return "updated"


async def _save_webhook(webhook: str) -> None:
    block = CustomWebhookNotificationBlock(
        name="TMDB movies",
        url="{{ webhook }}",
        json_data={"text": "{{subject}}\n{{body}}"},
        headers=None,
        cookies=None,
        # Unlike the URL, hidden from those who look at the block.
        secrets=SecretDict({"webhook": webhook}),
    )
    await block.asave(NOTIFICATION_BLOCK, overwrite=True)


async def _find_webhook(client: PrefectClient) -> Any | None:
    """The id of the notification block, made now or earlier."""
    slug = CustomWebhookNotificationBlock.get_block_type_slug()
    try:
        document = await client.read_block_document_by_name(NOTIFICATION_BLOCK, slug, include_secrets=False)
    except ObjectNotFound:
        return None
    return document.id


def _notifying(automation: AutomationCore, block_id: Any) -> AutomationCore:
    """The automation with a notification in the place of no action at all."""
    notification = SendNotification(
        block_document_id=block_id, subject=automation.name, body=automation.description
    )
    actions = [notification if isinstance(action, DoNothing) else action for action in automation.actions]
    return automation.model_copy(update={"actions": actions})


def _read_work_pool(pool: str) -> dict[str, Any]:
    template: dict[str, Any] = json.loads(_read(DEPLOYMENTS / "work_pools" / f"{pool}.json"))
    return template


def _read_automations() -> Iterator[AutomationCore]:
    for automation in yaml.safe_load(_read(DEPLOYMENTS / "automations.yaml"))["automations"]:
        yield AutomationCore.model_validate(automation)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SetupError(f"{path} cannot be read. Run `uv run movies setup` in a checkout.") from error


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
        return "what answers there is not Prefect"
    return str(error).partition("\n")[0] or type(error).__name__
