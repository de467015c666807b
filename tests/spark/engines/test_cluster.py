"""What drivers are started with, on one machine and on several, and how results are kept there."""

from __future__ import annotations

import logging
import socket
from argparse import Namespace
from collections.abc import Iterator

import pytest
from pyspark.errors import PySparkException

from spark.engines.cluster import address_towards, driver_options, keep_on_server
from spark.engines.connect_server import command
from spark.engines.engine_options import CHECKPOINT, KEPT_BY, LARGE_DATA_OPTIONS, PERSIST, SMALL_DATA_OPTIONS
from spark.frames import keep_result


class Conf(dict[str, str]):
    """The options of a session; those of which nothing may be known are refused."""

    refused = False

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        if self.refused:
            raise PySparkException(f"{name} is not available")
        return super().get(name, default)

    def set(self, name: str, value: str) -> None:
        self[name] = value


class Session:
    """A session that has options, and nothing else."""

    def __init__(self, **options: str) -> None:
        self.conf = Conf({f"spark.{name.replace('_', '.')}": value for name, value in options.items()})


class Frame:
    """A frame that tells how it was kept."""

    def __init__(self, session: Session) -> None:
        self.sparkSession = session

    def persist(self) -> str:
        return "persisted"

    def checkpoint(self) -> str:
        return "checkpointed"

    def localCheckpoint(self) -> str:
        return "checkpointed locally"


@pytest.fixture
def master() -> Iterator[str]:
    """Something that listens where a master would."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"spark://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize(
    ("master", "cores", "used"),
    [("local[*]", None, "local[*]"), ("local[*]", 3, "local[3]"), ("local[2]", 3, "local[2]")],
)
def test_one_machine_has_options_for_small_data(master: str, cores: int | None, used: str) -> None:
    assert driver_options(master, cores) == SMALL_DATA_OPTIONS | {"spark.master": used}
    assert driver_options(master, cores, 20_000) == LARGE_DATA_OPTIONS | {"spark.master": used}


def test_a_driver_on_a_cluster_is_called_back_where_the_master_is_reached_from(master: str) -> None:
    options = driver_options(master, 3)

    assert options["spark.driver.host"] == "127.0.0.1"
    assert (options["spark.master"], options["spark.cores.max"]) == (master, "3")
    assert options[KEPT_BY] == PERSIST
    assert "spark.cores.max" not in driver_options(master, None)


def test_the_first_of_several_masters_counts(master: str) -> None:
    assert address_towards(f"{master},nowhere.invalid:7077") == "127.0.0.1"


@pytest.mark.parametrize("master", ["spark://nowhere.invalid:7077", "spark://", "spark://nowhere.invalid"])
def test_a_master_that_is_not_known_is_left_to_spark(master: str) -> None:
    assert "spark.driver.host" not in driver_options(master, None)


def test_a_server_s_work_is_done_where_it_is_told(master: str) -> None:
    options = Namespace(
        master=master,
        cores=2,
        address="0.0.0.0",
        port=15002,
        driver_memory="1g",
        conf=["spark.checkpoint.dir=/c"],
    )

    told = command(options)

    assert {f"spark.master={master}", "spark.cores.max=2", "spark.checkpoint.dir=/c"} < set(told)


@pytest.mark.parametrize(
    ("kept_by", "kept"),
    [(None, "checkpointed locally"), (PERSIST, "persisted"), (CHECKPOINT, "checkpointed")],
)
def test_results_are_kept_as_the_session_says(kept_by: str | None, kept: str) -> None:
    session = Session()
    if kept_by:
        session.conf.set(KEPT_BY, kept_by)
    assert keep_result(Frame(session)) == kept  # type: ignore[arg-type,comparison-overlap]


def test_a_server_on_a_cluster_keeps_results_in_the_folder_that_its_machines_share() -> None:
    session = Session(master="spark://master:7077", checkpoint_dir="/scratch/checkpoints")
    keep_on_server(session)  # type: ignore[arg-type]
    assert session.conf[KEPT_BY] == CHECKPOINT


def test_a_server_on_a_cluster_without_such_a_folder_is_warned_of(caplog) -> None:
    session = Session(master="yarn")
    with caplog.at_level(logging.WARNING, "spark.engines.cluster"):
        keep_on_server(session)  # type: ignore[arg-type]
    assert KEPT_BY not in session.conf
    assert "no spark.checkpoint.dir. If a machine is lost, the run fails" in caplog.text


@pytest.mark.parametrize("refused", [False, True])
def test_a_server_that_is_no_cluster_or_tells_nothing_keeps_results_as_ever(refused: bool, caplog) -> None:
    session = Session(master="local[*]", checkpoint_dir="/c") if not refused else Session()
    session.conf.refused = refused
    keep_on_server(session)  # type: ignore[arg-type]
    assert (KEPT_BY in session.conf, caplog.text) == (False, "")
