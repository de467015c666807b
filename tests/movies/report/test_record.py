from movies.report.record import made_files, write_record

MADE_FROM = {"gold": {"gold/years": ["id", 3]}, "code": "abc"}


def make(folder):
    path = folder / "plots" / "a.png"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"picture")
    write_record(folder, "plots", MADE_FROM, [path])
    return path


def test_a_part_is_current_while_its_files_are_there_untouched_and_made_from_the_same(tmp_path):
    assert not made_files(tmp_path, "plots", MADE_FROM)

    path = make(tmp_path)
    assert made_files(tmp_path, "plots", MADE_FROM) == [str(path)]
    assert not made_files(tmp_path, "plots", MADE_FROM | {"code": "abd"})
    assert not made_files(tmp_path, "report", MADE_FROM)

    path.write_bytes(b"touched")
    assert not made_files(tmp_path, "plots", MADE_FROM)

    make(tmp_path).unlink()
    assert not made_files(tmp_path, "plots", MADE_FROM)


def test_a_record_that_cannot_be_read_counts_as_none(tmp_path):
    make(tmp_path)
    (tmp_path / ".made_from" / "plots.json").write_text("[1")

    assert not made_files(tmp_path, "plots", MADE_FROM)
