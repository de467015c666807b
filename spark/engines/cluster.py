"""Options of a driver, on one machine or on a cluster whose machines may be lost."""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING

from spark.engines.engine_options import CHECKPOINT, KEPT_BY, PERSIST, data_options

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

logger = logging.getLogger(__name__)

CLUSTER_OPTIONS = {
    # Spark's default, which it reduces to fit cores and data.
    "spark.sql.shuffle.partitions": "200",
    # A silent machine counts as lost after this time; the default is two minutes.
    "spark.network.timeout": "60s",
    # Recompute all shuffle files of a lost machine at once, not one by one as each is missed.
    "spark.files.fetchFailure.unRegisterOutputOnHost": "true",
    # A task may be on several lost machines in a row.
    "spark.task.maxFailures": "8",
    "spark.stage.maxConsecutiveAttempts": "8",
    "spark.cleaner.referenceTracking.cleanCheckpoints": "true",
    # Cached results are lost with their machine, so their lineage is needed, which a local checkpoint drops.
    KEPT_BY: PERSIST,
}


def is_cluster(master: str) -> bool:
    """Return whether a Spark master may use other machines than the driver's."""
    return not master.startswith("local")


def driver_options(master: str, cores: int | None, movies: int = 0) -> dict[str, str]:
    """Return options of a driver in this process or container, for a number of cores and movies."""
    if not is_cluster(master):
        master = f"local[{cores}]" if cores and master == "local[*]" else master
        return {**data_options(movies), "spark.master": master}
    options = {**data_options(movies), **CLUSTER_OPTIONS, "spark.master": master}
    if cores:
        options["spark.cores.max"] = str(cores)
    if address := address_towards(master):
        options["spark.driver.host"] = address
    return options


def address_towards(master: str) -> str | None:
    """Return this machine's address as seen from a master, for executors to connect to.

    The name of a machine may mean its loopback, or be unknown to others. Return None if the master's name
    cannot be resolved; Spark has a better error for that.
    """
    host, _, port = master.rpartition("://")[2].split(",")[0].rpartition(":")
    try:
        [(family, kind, _, _, address), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        with socket.socket(family, kind) as probe:
            probe.connect(address)  # sends nothing
            return str(probe.getsockname()[0])
    except OSError:
        return None


def keep_on_server(session: SparkSession) -> None:
    """Let a session on a cluster's Spark Connect server store results so that they survive a lost machine."""
    master, folder = (_read_option(session, name) for name in ("spark.master", "spark.checkpoint.dir"))
    if not master or not is_cluster(master):
        return
    if folder:
        session.conf.set(KEPT_BY, CHECKPOINT)
    else:
        logger.warning(
            "The Spark Connect server is on a cluster and has no spark.checkpoint.dir. If a machine is "
            "lost, the run fails and must be repeated (docs/cluster.md)."
        )


def _read_option(session: SparkSession, option: str) -> str | None:
    """Return a server's value of an option, or None if it is not set or not readable."""
    from pyspark.errors import PySparkException

    try:
        return session.conf.get(option, None)
    except PySparkException:
        return None
