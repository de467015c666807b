"""What users write and copy into settings."""

from __future__ import annotations

import pytest

from settings import SettingsError, load_settings, read_movie_ids


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


def test_a_list_that_is_no_text_is_refused_with_its_name(tmp_path):
    path = tmp_path / "ids.txt"
    path.write_bytes(b"597\xff")

    with pytest.raises(SettingsError, match=r"ids.txt: "):
        read_movie_ids(path)
