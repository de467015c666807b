"""The settings of a run; a deployment without a TMDB key reads it from Prefect's Secret blocks."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from functools import cache
from typing import Any

from prefect import runtime
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from flows.failure import explained
from flows.parameters import Request
from flows.places import check_job_settings
from movies.lake.delta import LakeView
from movies.proxies import keep_loopback_direct
from movies.settings import Settings, SettingsError
from tasks.context import RunContext, find_run, run_context
from tasks.run_logs import log_files, set_levels, trace_of

logger = logging.getLogger(__name__)

# Settings by the names of the Secret blocks that may hold them.
SECRET_BLOCKS = {"tmdb_api_key": "tmdb-api-key", "tmdb_access_token": "tmdb-access-token"}
# Prefect sets it for every process that it starts for a run.
RUN_VARIABLE = "PREFECT__FLOW_RUN_ID"


class EnvironmentKeys(BaseSettings):
    """The keys in environment and `.env`, unchecked, because the check of other settings needs a key."""

    model_config = Settings.model_config

    tmdb_api_key: SecretStr | None = None
    tmdb_access_token: SecretStr | None = None

    @property
    def any_set(self) -> bool:
        """Whether there is a key that is not blank."""
        keys = (self.tmdb_api_key, self.tmdb_access_token)
        return any(key is not None and key.get_secret_value().strip() for key in keys)


@asynccontextmanager
async def run_of(request: Request) -> AsyncIterator[RunContext]:
    """Return the context of the current run, or begin one with the settings of this request.

    Settings are read once per run. The command line has begun its run already and writes the log files; in a
    deployment's run they are written during the block.
    """
    if (run := find_run()) is not None:
        yield run
        return
    keep_loopback_direct()
    with ExitStack() as stack:
        if is_deployed():
            set_levels()  # before the first message, which is about the key
        settings = load_run_settings(request)
        if is_deployed():
            check_job_settings(settings)
            stack.enter_context(log_files(settings.output_dir / "logs", settings.secrets))
        run = stack.enter_context(run_context(RunContext(settings, LakeView(settings.lake))))
        try:
            yield run
        except Exception as error:
            if is_deployed():
                log = settings.output_dir / "logs" / "project.log"
                logger.error("The stack trace is in %s", log, extra=trace_of(error))
            cause = explained(error, settings)
            if cause is error:
                raise
            raise cause from error


def load_run_settings(request: Request) -> Settings:
    """Read the settings with what a request overrides, and the Secret blocks if a deployed run has no key.

    A subflow of such a run counts as one, too. Other runs read no secret.

    Raises:
        SettingsError: a value is not valid, or a block does not have a text.
    """
    if not EnvironmentKeys().any_set and is_deployed():
        return request.load_settings(**_read_secret_blocks())
    return request.load_settings()


def is_deployed() -> bool:
    """Whether this is a deployment's run; only a run that Prefect started sends a request for that."""
    return RUN_VARIABLE in os.environ and _has_deployment(os.environ[RUN_VARIABLE])


@cache  # so that no later request can fail a run that has committed its rows
def _has_deployment(run_id: str) -> bool:
    return runtime.deployment.id is not None


def _read_secret_blocks() -> dict[str, Any]:
    secrets: dict[str, Any] = {}
    with get_client(sync_client=True) as client:
        for setting, block in SECRET_BLOCKS.items():
            try:
                document = client.read_block_document_by_name(block, "secret")
            except ObjectNotFound:
                continue
            # Not through `Secret.get()`: it reads a text as JSON, and a key of digits becomes a number.
            value = document.data.get("value")
            if not isinstance(value, str):
                raise SettingsError(f"The Secret block {block} has no text. Save the key in it as a string")
            logger.info("%s comes from the Secret block %s", setting.upper(), block)
            secrets[setting] = SecretStr(value)
    return secrets
