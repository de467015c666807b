"""What a driver is started with: on one machine, or on a cluster whose machines reach it and may be lost."""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING

from spark.engines.options import CHECKPOINT, KEPT_BY, PERSIST, data_options

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

logger = logging.getLogger(__name__)

CLUSTER_OPTIONS = {
    # Spark's own, joined to as many as there are cores and data for.
    "spark.sql.shuffle.partitions": "200",
    # A machine that goes without a word is missed after this long, and not after two minutes.
    "spark.network.timeout": "60s",
    # What a lost machine had written for others is written anew at once, not file by file as each is missed.
    "spark.files.fetchFailure.unRegisterOutputOnHost": "true",
    # A task may meet several machines that are about to go.
    "spark.task.maxFailures": "8",
    "spark.stage.maxConsecutiveAttempts": "8",
    "spark.cleaner.referenceTracking.cleanCheckpoints": "true",
    # What a machine has kept goes with it: how to compute it must not be forgotten, as by a local checkpoint.
    KEPT_BY: PERSIST,
}


def is_cluster(master: str) -> bool:
    """Whether a Spark master stands for other machines than the driver's."""
    return not master.startswith("local")


def driver_options(master: str, cores: int | None, movies: int = 0) -> dict[str, str]:
    """Options of a driver in this process or container, with its share of the cores, for so many movies."""
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
    """This machine's address on the way to a master: executors are asked to call back there.

    The name of a machine often stands for its loopback, or is known to itself alone. None where the master's
    name is not known either, which Spark tells better.
    """
    host, _, port = master.rpartition("://")[2].split(",")[0].rpartition(":")
    try:
        [(family, kind, _, _, address), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        with socket.socket(family, kind) as probe:
            probe.connect(address)  # which sends nothing
            return str(probe.getsockname()[0])
    except OSError:
        return None


def keep_on_server(session: SparkSession) -> None:
    """Let a session on a cluster's Spark Connect server keep results where no lost machine takes them."""
    master, folder = (_told(session, name) for name in ("spark.master", "spark.checkpoint.dir"))
    if not master or not is_cluster(master):
        return
    if folder:
        session.conf.set(KEPT_BY, CHECKPOINT)
    else:
        logger.warning(
            "The Spark Connect server is on a cluster and has no spark.checkpoint.dir: should a machine be "
            "lost, the run fails, and the next one does it again (docs/cluster.md)."
        )


def _told(session: SparkSession, option: str) -> str | None:
    """What a server says of an option; None where it has none, or tells nobody."""
    from pyspark.errors import PySparkException

    try:
        return session.conf.get(option, None)
    except PySparkException:
        return None
