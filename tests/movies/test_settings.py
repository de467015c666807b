"""What users write and copy into settings."""

from __future__ import annotations

import traceback

import pytest

from movies.settings import SettingsError, load_settings, read_movie_ids


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_list_of_ids_is_read_with_any_byte_order_mark_before_it(encoding, tmp_path):
    path = tmp_path / "ids.txt"
    path.write_bytes("597, 19995\r\n597".encode(encoding))

    assert read_movie_ids(path) == (597, 19995)


def test_marks_within_joined_lists_are_passed_over(tmp_path, monkeypatch):
    path = tmp_path / "ids.txt"
    path.write_bytes("597\n".encode("utf-8-sig") * 2 + "13".encode("utf-8-sig"))
    monkeypatch.setenv("INGESTION_MOVIE_IDS", "\ufeff597,13")

    assert read_movie_ids(path) == (597, 13)
    assert load_settings().ingestion_movie_ids == (597, 13)


SECRET = "S3cretOfAnotherFile"
NO_IDS = "not a valid movie id. Write whole numbers separated by commas"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"597\n597,S3cretOfAnotherFile", f"line 2: {NO_IDS}"),
        (
            b"PATH=/bin:S3cretOfAnotherFile\0HOME=/root\0",
            f"line 1: {NO_IDS}",
        ),
        (b"597\r\n\r\n9223372036854775808", "line 3: movie ids lie between 0 and 9223372036854775807"),
        (b"597\n" + b"9" * 5_000, f"line 2: {NO_IDS}"),
        (b"597\n597\n\xffS3cretOfAnotherFile", "line 3: this is not text in UTF-8"),
        (
            "597\nS3cretOfAnotherFile".encode("utf-16"),
            f"line 2: {NO_IDS}",
        ),
    ],
    ids=["word", "environment", "too-large", "endless", "no-text", "utf-16"],
)
def test_what_is_wrong_with_a_list_of_ids_is_said_by_its_line_and_nothing_of_it_is_shown(
    content, problem, tmp_path
):
    path = tmp_path / "ids.txt"
    path.write_bytes(content)

    with pytest.raises(SettingsError) as error:
        read_movie_ids(path)

    assert str(error.value) == f"{path}, {problem}"
    told = "".join(traceback.format_exception(error.value))
    assert SECRET not in told and r"\xff" not in told


def test_a_list_without_an_id_is_named(tmp_path):
    path = tmp_path / "ids.txt"
    path.write_text(" ,\n")

    with pytest.raises(SettingsError) as error:
        read_movie_ids(path)

    assert str(error.value) == f"{path}: there is no movie id in it"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"A=1\nS3cretOfAnotherFile line\n", ", line 2: this is not a setting. Write NAME=value"),
        (b"A=1\nB=\xffS3cretOfAnotherFile\n", ", line 2: this is not text in UTF-8"),
        ("A=S3cretOfAnotherFile".encode("utf-16"), ", line 1: this is not text in UTF-8"),
        (b"INGESTION_MOVIE_IDS=1,S3cretOfAnotherFile\n", None),
    ],
    ids=["no-setting", "no-text", "utf-16", "value"],
)
def test_nothing_of_the_env_file_is_in_a_message_about_it(content, problem, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INGESTION_MOVIE_IDS", raising=False)
    (tmp_path / ".env").write_bytes(content)

    with pytest.raises(SettingsError) as error:
        load_settings()

    assert str(error.value) == (
        "INGESTION_MOVIE_IDS: number 2 is not a valid movie id. Write whole numbers separated by commas"
        if problem is None
        else f".env{problem}"
    )
    assert SECRET not in "".join(traceback.format_exception(error.value))
