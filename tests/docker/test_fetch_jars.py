"""What the build of the Spark image takes for Delta's JARs; needs neither Docker nor a network."""

from __future__ import annotations

import hashlib
import runpy
from pathlib import Path
from typing import Any

import pytest

from tests.docker.conftest import PROJECT_ROOT

JAR = b"a JAR"
DIGEST = hashlib.sha256(JAR).hexdigest()


@pytest.fixture
def fetch_jars(monkeypatch, tmp_path) -> Any:
    """`main` of `docker/fetch_jars.py` on a list of one JAR, which comes without a network."""
    main = runpy.run_path(str(PROJECT_ROOT / "docker" / "fetch_jars.py"))["main"]
    (tmp_path / "ivy-2.5.3.jar").touch()

    def fetch(ivy: Path, coordinates: list[str], target: Path) -> None:
        assert (ivy, coordinates) == (tmp_path / "ivy-2.5.3.jar", ["org:name:1.0"])
        (target / "name-1.0.jar").write_bytes(JAR)

    monkeypatch.setitem(main.__globals__, "fetch", fetch)

    def run(digest: str) -> None:
        (tmp_path / "list.txt").write_text(f"# a comment\n{digest}  org:name:1.0\n")
        main(tmp_path, tmp_path / "list.txt", tmp_path)

    return run


def test_a_jar_with_the_digest_of_the_list_is_taken(fetch_jars, tmp_path) -> None:
    fetch_jars(DIGEST)

    assert (tmp_path / "name-1.0.jar").read_bytes() == JAR


def test_a_jar_with_another_digest_ends_the_build(fetch_jars) -> None:
    with pytest.raises(SystemExit) as refusal:
        fetch_jars("0" * 64)

    assert str(refusal.value.code) == (
        f"org:name:1.0 is not what it was: its SHA-256 is {DIGEST}, expected {'0' * 64}"
    )
