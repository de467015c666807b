import os
from pathlib import Path

import psutil
import pytest

from cli.local_api import PrefectSettingsError, is_api_configured
from tests.places import Place, clean_environment

PROFILES = """
active = "{active}"
[profiles.ephemeral]
PREFECT_SERVER_ALLOW_EPHEMERAL_MODE = "true"
[profiles.mine]
PREFECT_API_URL = "http://127.0.0.1:4200/api"
"""


@pytest.mark.parametrize(
    ("environment", "files", "configured"),
    [
        pytest.param({}, {}, False, id="nothing"),
        pytest.param({"PREFECT_API_URL": "http://h/api"}, {}, True, id="environment"),
        pytest.param({"PREFECT_API_URL": ""}, {}, False, id="empty"),
        pytest.param({"PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true"}, {}, False, id="temporary-allowed"),
        pytest.param({"PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false"}, {}, True, id="temporary-forbidden"),
        pytest.param({}, {"home/profiles.toml": PROFILES.format(active="mine")}, True, id="profile"),
        pytest.param(
            {}, {"home/profiles.toml": PROFILES.format(active="ephemeral")}, False, id="default-profile"
        ),
        pytest.param(
            {"PREFECT_PROFILE": "mine"},
            {"home/profiles.toml": PROFILES.format(active="ephemeral")},
            True,
            id="chosen-profile",
        ),
        pytest.param({}, {".env": "PREFECT_API_URL=http://h/api"}, True, id="env-file"),
        pytest.param({}, {"prefect.toml": '[api]\nurl = "http://h/api"'}, True, id="prefect-toml"),
        pytest.param(
            {}, {"pyproject.toml": '[tool.prefect.api]\nurl = "http://h/api"'}, True, id="pyproject-toml"
        ),
    ],
)
def test_an_api_is_found_where_prefect_would_find_it(environment, files, configured, tmp_path):
    (tmp_path / "home").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    found = is_api_configured({"PREFECT_HOME": str(tmp_path / "home")} | environment, tmp_path)

    assert found == configured


def test_profiles_that_cannot_be_read_are_told_and_not_guessed(tmp_path):
    (tmp_path / "profiles.toml").write_text("not [ toml")

    with pytest.raises(PrefectSettingsError, match=r"profiles.toml cannot be read: .*Correct the file"):
        is_api_configured({"PREFECT_HOME": str(tmp_path)}, tmp_path)


def children_of_runs(folder: Path) -> list[str]:
    """Processes whose settings name the folder."""
    return [
        " ".join(process.info["cmdline"] or [])
        for process in psutil.process_iter(["cmdline", "environ"])
        if (process.info["environ"] or {}).get("PREFECT_HOME") == str(folder) and process.pid != os.getpid()
    ]


@pytest.mark.slow
def test_without_any_api_a_run_has_one_of_its_own_and_leaves_no_process_behind(tmp_path):
    home = tmp_path / "home"
    place = Place(tmp_path, {"PREFECT_HOME": str(home)})
    assert "PREFECT_API_URL" not in clean_environment()

    place.succeed()

    assert (home / "prefect.db").exists(), "the runs can be looked at with `prefect server start`"
    assert children_of_runs(home) == []
