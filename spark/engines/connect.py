"""Sessions on Spark Connect servers, whoever runs them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from movies.proxies import keep_loopback_direct
from spark.engines.options import SESSION_OPTIONS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# A server that is not there is told in seconds; the client's own policy tries for minutes.
CONNECT_RETRIES = 3
FIRST_WAIT_MS, LONGEST_WAIT_MS = 200, 1000
# Its handlers of `fork` break what a process that speaks gRPC starts next, such as a JVM now and then.
GRPC_OPTIONS = {"GRPC_VERBOSITY": "NONE", "GRPC_ENABLE_FORK_SUPPORT": "false"}


def connect(url: str, resources: ExitStack) -> SparkSession:
    """Open a session of its own on a Spark Connect server, proven by a first answer."""
    keep_loopback_direct()
    with environment_defaults(GRPC_OPTIONS), lost_connections_not_warned_of():
        # gRPC reads its settings when it is imported.
        from pyspark.sql import SparkSession
        from pyspark.sql.connect.client.retries import DefaultPolicy

        session = SparkSession.builder.remote(url).create()
        resources.callback(session.stop)
        # Without, a client that was interrupted asks a stopping server for ever, and a dead one for long.
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
    """Leave it at the exception: the client warns of what it raises as well."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"\[RETRIES_EXCEEDED\]")
        yield


@contextmanager
def environment_defaults(values: Mapping[str, str]) -> Iterator[None]:
    """Set those variables that are not set, for as long as they are read."""
    added = [name for name in values if name not in os.environ]
    os.environ.update({name: values[name] for name in added})
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
