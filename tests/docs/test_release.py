"""What goes with a release says the same everywhere: versions, Pythons, licence, changes."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import metadata, version
from pathlib import Path
from typing import Any

import pytest
import yaml

from movies.project import OWN_PACKAGES
from tests.docs.pages import ROOT

DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = DECLARED["project"]
WHEEL = DECLARED["tool"]["hatch"]["build"]["targets"]["wheel"]
GITHUB = ROOT / ".github"


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def pythons() -> list[str]:
    """The versions between the bounds of `requires-python`."""
    first, last = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups()
    return [f"3.{minor}" for minor in range(int(first), int(last))]


def test_installed_version_is_that_of_the_project() -> None:
    assert version(PROJECT["name"]) == PROJECT["version"]
    assert metadata(PROJECT["name"])["License-Expression"] == PROJECT["license"]


def test_every_package_of_the_wheel_is_in_the_images_and_logs() -> None:
    """The wheel's list decides: the others cannot be derived from it."""
    wheel = {Path(place).stem: place for place in WHEEL["only-include"]}
    dockerfiles = [(ROOT / "docker" / f"{image}.Dockerfile").read_text() for image in ("flow", "spark")]
    sent_to_prefect = [
        re.findall(r"PREFECT_LOGGING_EXTRA_LOGGERS=(\S+)", text)[0].split(",") for text in dockerfiles
    ]
    allowed = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)

    assert sorted(OWN_PACKAGES) == sorted(wheel)
    assert sent_to_prefect == [sorted(wheel)] * 2
    assert sorted(set(wheel.values()) - set(allowed)) == []


@pytest.mark.parametrize("image", ["flow", "spark"])
def test_label_of_an_image_has_the_version(image: str) -> None:
    dockerfile = (ROOT / "docker" / f"{image}.Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"image\.version=(\S+)", dockerfile) == [PROJECT["version"]]


def test_licence_is_the_one_that_is_named() -> None:
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith(f"{PROJECT['license']} License\n")


def test_changes_have_a_place_for_the_next_release() -> None:
    titles = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert titles[0] == "Unreleased"
    # A version has its date once it is released.
    pattern = r"\d+\.\d+\.\d+( - \d{4}-\d\d-\d\d)?"
    assert [title for title in titles[1:] if not re.fullmatch(pattern, title)] == []
    assert PROJECT["version"] in [title.partition(" ")[0] for title in titles]


def test_workflow_and_test_matrix_name_every_python() -> None:
    matrix = load(GITHUB / "workflows" / "ci.yml")["jobs"]["tests"]["strategy"]["matrix"]
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    assert matrix["python"] == pythons()
    assert re.findall(r"^\| (3\.\d+) \|", page, re.MULTILINE) == pythons()


def test_updates_are_asked_for_as_the_policy_says() -> None:
    updates = load(GITHUB / "dependabot.yml")["updates"]
    assert {update["package-ecosystem"]: update["schedule"]["interval"] for update in updates} == {
        "pip": "monthly",
        "docker": "monthly",
        "github-actions": "monthly",
    }
    assert all((ROOT / update["directory"].strip("/")).is_dir() for update in updates)
    named = {entry["dependency-name"] for entry in updates[0]["ignore"]}
    pinned = {re.split(r"[=\[]", requirement)[0] for requirement in PROJECT["dependencies"]}
    assert sorted(named - pinned) == []


@pytest.mark.parametrize("form", ["bug", "feature"])
def test_issue_forms_ask_each_thing_once(form: str) -> None:
    body = load(GITHUB / "ISSUE_TEMPLATE" / f"{form}.yml")["body"]
    ids = [part["id"] for part in body if part["type"] != "markdown"]
    assert ids and len(ids) == len(set(ids))
