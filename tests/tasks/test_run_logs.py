import logging

from tasks.run_logs import FILES, LARGEST_BYTES, log_files


def test_each_room_writes_its_file_and_project_log_has_them_all_without_keys(tmp_path):
    with log_files(tmp_path, ("s3cr3t",)):
        logging.getLogger("tmdb.client").info("fetched with %s", "s3cr3t")
        logging.getLogger("spark.transform").info("transformed")
        logging.getLogger("report.files").info("drawn")
        try:
            raise ValueError("GET /3/movie/1?api_key=abc with s3cr3t")
        except ValueError:
            logging.getLogger("flows.run").exception("the run failed")
    logging.getLogger("tmdb.client").info("after the run")

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
            logging.getLogger("tmdb.client").info("fetched")

        assert log.read_text().endswith("INFO    tmdb.client: fetched\n")
        assert (log.stat().st_size < 100, before.read_bytes()[:1]) == (True, first)

    with log_files(tmp_path, ()):
        logging.getLogger("tmdb.client").info("fetched again")

    assert log.read_text().count("\n") == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*FILES, before.name])
