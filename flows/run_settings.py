"""The settings of a flow's run; where a deployment has no TMDB key, it is in Prefect's Secret blocks."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from prefect import runtime
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from flows.failure import RUN_SETTINGS
from flows.places import check_job_settings
from movies.proxies import keep_loopback_direct
from movies.settings import Settings, SettingsError, load_settings
from tasks.run_logs import log_files, set_levels, trace_of

logger = logging.getLogger(__name__)

# Settings by the names of the Secret blocks that may hold them.
SECRET_BLOCKS = {"tmdb_api_key": "tmdb-api-key", "tmdb_access_token": "tmdb-access-token"}
# Prefect sets it for every process that it starts for a run.
RUN_VARIABLE = "PREFECT__FLOW_RUN_ID"


class EnvironmentKeys(BaseSettings):
    """The keys as environment and `.env` have them, unchecked: other settings may need one to be complete."""

    model_config = Settings.model_config

    tmdb_api_key: SecretStr | None = None
    tmdb_access_token: SecretStr | None = None

    @property
    def any_set(self) -> bool:
        """Whether there is a key, blanks apart."""
        keys = (self.tmdb_api_key, self.tmdb_access_token)
        return any(key is not None and key.get_secret_value().strip() for key in keys)


@asynccontextmanager
async def run_settings(movie_ids_file: Path | None = None, **overrides: Any) -> AsyncIterator[Settings]:
    """The settings of a flow's run; in a deployment's run the four log files are written for the block.

    The command line has written them from the start.
    """
    keep_loopback_direct()
    if is_deployed():
        set_levels()  # before the first message, which is about the key
    settings = load_run_settings(movie_ids_file, **overrides)
    RUN_SETTINGS.set(settings)
    if not is_deployed():
        yield settings
        return
    check_job_settings(settings)
    logs = settings.output_dir / "logs"
    with log_files(logs, settings.secrets):
        try:
            yield settings
        except Exception as error:
            logger.error("The stack trace is in %s", logs / "project.log", extra=trace_of(error))
            raise


def load_run_settings(movie_ids_file: Path | None = None, **overrides: Any) -> Settings:
    """Read the settings as `load_settings` does, and in a deployment's run without a key the Secret blocks.

    A subflow of such a run counts as one, too. Any other run asks for no secret.

    Raises:
        SettingsError: one or more values cannot be used, or a block holds something else than a text.
    """
    if not EnvironmentKeys().any_set and is_deployed():
        overrides = _read_secret_blocks() | overrides
    return load_settings(movie_ids_file, **overrides)


def is_deployed() -> bool:
    """Whether this is a deployment's run; that takes a request, which one started by hand is spared."""
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
                raise SettingsError(f"The Secret block {block} holds no text: save the key in it as a string")
            logger.info("%s comes from the Secret block %s", setting.upper(), block)
            secrets[setting] = SecretStr(value)
    return secrets
