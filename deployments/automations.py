"""The automations of `deployments/automations.yaml`, which `movies setup` saves on Prefect's API."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import yaml  # type: ignore[import-untyped]
from prefect.client.orchestration import PrefectClient
from prefect.events.actions import DoNothing, SendNotification
from prefect.events.schemas.automations import AutomationCore

# The tag has a digest of what `movies setup` wrote, to detect later changes by an operator.
TAG = "movies-setup:"


def read_automations(text: str) -> tuple[list[AutomationCore], list[str]]:
    """Read the automations of this version, and the names of those of earlier versions."""
    filed = yaml.safe_load(text)
    wanted = [AutomationCore.model_validate(automation) for automation in filed["automations"]]
    return wanted, filed.get("retired", [])


def notifying(automation: AutomationCore, block_id: Any) -> AutomationCore:
    """Add a notification to an automation without an action."""
    notification = SendNotification(
        block_document_id=block_id, subject=automation.name, body=automation.description
    )
    actions = [notification if isinstance(action, DoNothing) else action for action in automation.actions]
    return automation.model_copy(update={"actions": actions})


def tagged(automation: AutomationCore) -> AutomationCore:
    """Add the tag with the digest of an automation's content."""
    # `enabled` is set explicitly, because an update leaves out unset fields.
    tags = [f"{TAG}{_digest(automation)}"]
    return automation.model_copy(update={"tags": tags, "enabled": automation.enabled})


async def save_automation(client: PrefectClient, wanted: AutomationCore, *, defaults: bool) -> str:
    """Create an automation, or bring it to this version unless an operator has changed it; say which."""
    wanted = tagged(wanted)
    found = await client.read_automations_by_name(wanted.name)
    if not found:
        await client.create_automation(wanted)
        return "created"
    current = AutomationCore.model_validate(found[0].model_dump(exclude={"id"}))
    if not defaults:
        tags = [tag for tag in current.tags if tag.startswith(TAG)]
        # Without a tag it is from version 0.1.0, which reset each change.
        if tags and tags != tagged(current).tags:
            return "changed there: kept (`movies setup --defaults` resets it)"
        wanted = wanted.model_copy(update={"enabled": current.enabled})
    # An update restarts its clocks, so it is skipped if nothing has changed.
    if wanted == current:
        return "unchanged"
    await client.update_automation(found[0].id, wanted)
    return "updated"


async def delete_automation(client: PrefectClient, name: str) -> bool:
    """Delete an automation that this version no longer has; return whether there was one."""
    found = await client.read_automations_by_name(name)
    for automation in found:
        await client.delete_automation(automation.id)
    return bool(found)


def _digest(automation: AutomationCore) -> str:
    # Without defaults, because a later Prefect may have more of them.
    content = automation.model_dump(exclude={"enabled", "tags"}, exclude_defaults=True)
    text = json.dumps(
        content, sort_keys=True, default=lambda value: sorted(value) if isinstance(value, set) else str(value)
    )
    return hashlib.sha256(text.encode()).hexdigest()[:12]
