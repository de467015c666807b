import sqlite3

import pytest

from tests.places import Place


def fail(place: Place, *arguments: str, **environment: str) -> tuple[int, str]:
    """Run it, expecting one sentence and no stack trace on the terminal."""
    done = place.run(*arguments, **environment)
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, done.stderr.strip()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--movie-ids", "1,two"], "number 2 is not a valid movie id. Write whole numbers"),
        (["--movie-ids", "-5"], "number 1 is not a valid movie id"),
        (["--movie-ids", ","], "no movie id"),
        (["--movie-ids-file", "nowhere.txt"], "nowhere.txt cannot be read"),
        (["--movie-ids", "1", "--movie-ids-file", "ids.txt"], "not both"),
        (["--no-such-option"], "No such option"),
        (["--stage", "cook"], "'cook' is not one of"),
        (["--source", "dreams"], "dreams"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_usage_is_said_in_a_sentence_with_status_2(arguments, sentence, place):
    (place.folder / "ids.txt").write_text("1")

    status, said = fail(place, *arguments)

    assert status == 2
    assert sentence in " ".join(said.replace("│", " ").split())
    assert not (place.folder / "data").exists()


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"TMDB_BASE_URL": "http://127.0.0.1:9/3"}, "TMDB_BASE_URL is set but no key is"),
        ({"INGESTION_MOVIE_IDS": "1,x"}, "INGESTION_MOVIE_IDS: number 2 is not a valid movie id"),
        ({"IMDB_RATINGS": "nowhere.tsv.gz"}, "nowhere.tsv.gz cannot be read: No such file or directory"),
        ({"IMDB_RATINGS": "s3://bucket/ratings"}, "IMDB_RATINGS: give a URL like"),
        ({"INGESTION_CONCURRENCY": "many"}, "INGESTION_CONCURRENCY: "),
        ({"INGESTION_CONCURRENCY": "0"}, "INGESTION_CONCURRENCY: "),
        ({"INGESTION_BATCH_SIZE": "0", "INGESTION_MAX_RETRIES": "-1"}, "INGESTION_MAX_RETRIES: "),
        ({"INGESTION_MOVIE_IDS": ","}, "INGESTION_MOVIE_IDS: there is no movie id in it"),
        ({"INGESTION_MOVIE_IDS": str(2**63)}, "INGESTION_MOVIE_IDS: movie ids lie between"),
        ({"TMDB_BASE_URL": "localhost/3", "TMDB_API_KEY": "k"}, "TMDB_BASE_URL: give a URL like"),
        ({"TMDB_API_KEY": "a key"}, "TMDB_API_KEY: a key has letters"),
        ({"SPARK_DRIVER_MEMORY": "lots"}, "'lots' is not a valid amount of memory"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_a_setting_that_cannot_be_used_is_named_with_status_2(environment, sentence, place):
    status, said = fail(place, **environment)

    assert status == 2
    assert sentence in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("INGESTION_CONCURRENCY=a lot\n", "INGESTION_CONCURRENCY: Input should be a valid integer"),
        ("LAKE_ROOT=lake\nthis is 'no setting\n", ".env, line 2: this is not a setting"),
    ],
    ids=["value", "line"],
)
def test_a_malformed_env_file_is_said(text, sentence, place):
    (place.folder / ".env").write_text(text)

    status, said = fail(place)

    assert status == 2
    assert sentence in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("setting", ["LAKE_ROOT", "OUTPUT_DIR"])
def test_a_folder_that_cannot_be_written_is_said(setting, place):
    # A file in the way: root, as whom tests may run, can write everywhere else.
    (place.folder / "file").write_text("")

    status, said = fail(place, **{setting: str(place.folder / "file" / "below")})

    assert status == 1
    assert str(place.folder / "file") in said
    assert "cannot be" in said


@pytest.mark.slow
def test_no_key_is_left_anywhere(served, prefect_home):
    place, sandbox = served(faults={"server_error": 0.3, "dropped": 0.2})

    done = place.run(INGESTION_MAX_RETRIES="1")

    assert sandbox.key not in done.stdout + done.stderr
    database = sqlite3.connect(prefect_home / "prefect.db")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    files = [path for root in (place.folder, prefect_home) for path in root.rglob("*") if path.is_file()]
    assert len(files) > 50
    assert [path for path in files if sandbox.key.encode() in path.read_bytes()] == []
