import logging

from tasks.run_logs import FILES, log_files


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
