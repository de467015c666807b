import logging
from pathlib import Path

import flows.maintain
import tasks.showing
from movies.project import OWN_PACKAGES
from movies.tmdb.drift import FieldDrift
from movies.tmdb.pace import Pace
from movies.tmdb.stop import Stop
from spark.engines.cluster import keep_on_server
from tasks.leased_slots import LeasedSlots
from tasks.run_logs import FILES, LARGEST_BYTES, OF_THE_RUN, log_files
from tasks.shared_pace import SharedPace
from tasks.showing import show_drift

ROOT = Path(__file__).parents[2]


def test_each_room_writes_its_file_and_project_log_has_them_all_without_keys(tmp_path):
    with log_files(tmp_path, ("s3cr3t",)):
        logging.getLogger("movies.tmdb.client").info("fetched with %s", "s3cr3t")
        logging.getLogger("spark.transform").info("transformed")
        logging.getLogger("movies.report.output_files").info("drawn")
        try:
            raise ValueError("GET /3/movie/1?api_key=abc with s3cr3t")
        except ValueError:
            logging.getLogger("cli.run_command").exception("the run failed")
    logging.getLogger("movies.tmdb.client").info("after the run")

    texts = {name: (tmp_path / name).read_text() for name in FILES}
    lines = {
        name: [line.partition(": ")[2] for line in text.splitlines() if " INFO " in line]
        for name, text in texts.items()
    }
    assert lines == {
        "ingestion.log": ["fetched with ***"],
        "etl.log": ["transformed"],
        "analytics.log": ["drawn"],
        "project.log": ["fetched with ***", "transformed", "drawn"],
    }
    assert "ValueError: GET /3/movie/1?api_key=*** with ***" in texts["project.log"]
    assert "Traceback" in texts["project.log"]


def test_a_full_log_file_makes_room_for_a_new_one_and_stays_until_that_is_full(tmp_path):
    log, before = tmp_path / "project.log", tmp_path / "project.log.1"
    for first in (b"a", b"b"):
        log.write_bytes(first * (LARGEST_BYTES + 1))
        with log_files(tmp_path, ()):
            logging.getLogger("movies.tmdb.client").info("fetched")

        assert log.read_text().endswith("INFO    movies.tmdb.client: fetched\n")
        assert (log.stat().st_size < 100, before.read_bytes()[:1]) == (True, first)

    with log_files(tmp_path, ()):
        logging.getLogger("movies.tmdb.client").info("fetched again")

    assert log.read_text().count("\n") == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*FILES, before.name])


def loggers() -> set[str]:
    """The names of all loggers that the project's modules make."""
    paths = [path for package in OWN_PACKAGES for path in (ROOT / package).rglob("*.py")]
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in paths
        if "logging.getLogger(__name__)" in path.read_text(encoding="utf-8")
    }


def test_every_logger_has_its_file_and_every_name_in_the_routing_is_one():
    routed = {name: file for file, names in FILES.items() for name in names if file != "project.log"}
    found = {
        logger: sorted(
            {file for name, file in routed.items() if logger == name or logger.startswith(f"{name}.")}
        )
        for logger in loggers()
    }

    assert sorted(logger for logger, files in found.items() if not files) == sorted(OF_THE_RUN)
    assert [logger for logger, files in found.items() if len(files) > 1] == []
    packages = {".".join(path.parent.relative_to(ROOT).parts) for path in ROOT.rglob("*/__init__.py")}
    assert sorted(set(routed) - packages - loggers()) == []


class SessionOnACluster:
    """A session of a Spark Connect server whose cluster keeps results nowhere."""

    class conf:
        @staticmethod
        def get(option: str, _: object) -> str | None:
            return {"spark.master": "spark://master:7077"}.get(option)


async def test_what_the_packages_warn_of_is_in_the_file_of_their_component(tmp_path, monkeypatch):
    async def no_artifact(*_: object, **__: object) -> None:
        return None

    monkeypatch.setattr(tasks.showing, "acreate_table_artifact", no_artifact)
    monkeypatch.setattr(tasks.showing, "announce_drift", lambda *_: None)
    slots = LeasedSlots(None, "tmdb-movies-runs", 1)

    with log_files(tmp_path, ()):
        SharedPace(Pace(40, 5), Stop(), slots, slots)._go_on_without_answer(ConnectionError("no API"))
        await show_drift(str(tmp_path), [FieldDrift(*("x" for _ in FieldDrift.__dataclass_fields__))])
        keep_on_server(SessionOnACluster())
        flows.maintain.logger.info("tables maintained")

    texts = {name: (tmp_path / name).read_text() for name in FILES}
    said = {
        "does not say how many runs share": ["ingestion.log"],
        "payloads of TMDB have changed": ["ingestion.log"],
        "tables maintained": ["ingestion.log"],
        "has no spark.checkpoint.dir": ["etl.log"],
    }
    assert {
        words: [name for name, text in texts.items() if words in text and name != "project.log"]
        for words in said
    } == said
    assert all(words in texts["project.log"] for words in said)


def test_no_record_commands_a_terminal_or_looks_like_two(tmp_path):
    with log_files(tmp_path, ("s3cr3t/k3y",)):
        try:
            raise ValueError("first\x1b[2J\nsecond s3cr3t%2Fk3y")
        except ValueError:
            logging.getLogger("movies.tmdb.client").exception(
                "503 \x9b31m\n2026-01-01 INFO tmdb: all is well"
            )

    first, *trace = (tmp_path / "project.log").read_text().splitlines()
    assert first.endswith(r"ERROR   movies.tmdb.client: 503 \x9b31m\n2026-01-01 INFO tmdb: all is well")
    assert trace[0] == "Traceback (most recent call last):"
    assert trace[-2:] == [r"ValueError: first\x1b[2J", "second ***"]
