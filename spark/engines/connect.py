"""Open sessions on Spark Connect servers."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from movies.proxies import keep_loopback_direct
from spark.engines.engine_options import SESSION_OPTIONS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# A missing server is reported within seconds; the client's own policy tries for minutes.
CONNECT_RETRIES = 3
FIRST_WAIT_MS, LONGEST_WAIT_MS = 200, 1000
# gRPC's fork handlers sometimes break processes that are started later, such as a JVM.
GRPC_OPTIONS = {"GRPC_VERBOSITY": "NONE", "GRPC_ENABLE_FORK_SUPPORT": "false"}


def connect(url: str, resources: ExitStack) -> SparkSession:
    """Open a new session on a Spark Connect server, and check that it answers."""
    keep_loopback_direct()
    with environment_defaults(GRPC_OPTIONS), lost_connections_not_warned_of():
        # gRPC reads its settings when it is imported.
        from pyspark.sql import SparkSession
        from pyspark.sql.connect.client.retries import DefaultPolicy

        session = SparkSession.builder.remote(url).create()
        resources.callback(session.stop)
        # Otherwise an interrupted client retries for long after its server has stopped.
        resources.callback(session.client.set_retry_policies, [])
        policy = DefaultPolicy(
            max_retries=CONNECT_RETRIES, initial_backoff=FIRST_WAIT_MS, max_backoff=LONGEST_WAIT_MS
        )
        session.client.set_retry_policies([policy])
        for option, value in SESSION_OPTIONS.items():
            session.conf.set(option, value)
    return session


@contextmanager
def lost_connections_not_warned_of() -> Iterator[None]:
    """Suppress the client's warnings about errors that it also raises."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"\[RETRIES_EXCEEDED\]")
        yield


@contextmanager
def environment_defaults(values: Mapping[str, str]) -> Iterator[None]:
    """Set missing variables for the length of the block."""
    added = [name for name in values if name not in os.environ]
    os.environ.update({name: values[name] for name in added})
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
