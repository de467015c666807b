"""Which changes make which stage stale."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from movies.project import OWN_PACKAGES
from stages.code import PROJECT_ROOT, code_files, code_version

TRANSFORM, KPIS, REPORT, FORECAST = (
    "stages.transform_stage",
    "stages.kpis_stage",
    "movies.report.output_files",
    "stages.forecast_stage",
)


@pytest.fixture(scope="module")
def code(tmp_path_factory) -> Path:
    """A copy of the project's code."""
    root = tmp_path_factory.mktemp("code")
    for package in OWN_PACKAGES:
        shutil.copytree(PROJECT_ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def stale_after(code: Path, *changed: str, text: str = "\n# A change.\n") -> list[str]:
    """Change files, or make them, and return the stages that have other code then."""
    modules = (TRANSFORM, KPIS, REPORT, FORECAST)
    before = {module: code_version.__wrapped__(module, (), code) for module in modules}
    kept = {path: path.read_text() for path in (code / name for name in changed) if path.exists()}
    for path in (code / name for name in changed):
        path.write_text(kept.get(path, "") + text)
    try:
        return [module for module in modules if code_version.__wrapped__(module, (), code) != before[module]]
    finally:
        for path in (code / name for name in changed):
            path.unlink()
        for path, content in kept.items():
            path.write_text(content)


@pytest.mark.parametrize(
    ("changed", "stale"),
    [
        ("spark/silver.py", [TRANSFORM]),
        ("spark/payloads.py", [TRANSFORM]),
        ("spark/kpis/genres.py", [KPIS]),
        ("spark/checks/rules.py", [KPIS]),
        ("movies/lake/gold_tables.py", [KPIS, REPORT]),
        ("movies/lake/delta.py", [TRANSFORM, KPIS, FORECAST]),
        ("movies/report/plots/genre_rows.py", [REPORT]),
        ("movies/report/dashboard/page/style.css", [REPORT]),
        ("movies/forecast/trees.py", [FORECAST]),
        ("cli/sql_command.py", []),
        ("movies/lake/catalogue.py", []),
        ("movies/lake/backup.py", []),
        ("tasks/spark_tables.py", []),
        ("flows/pipeline.py", []),
    ],
)
def test_a_changed_module_makes_the_stages_stale_whose_results_it_decides(code, changed, stale):
    assert (code / changed).exists()
    assert stale_after(code, changed) == stale


def test_modules_that_a_registry_finds_count_as_its_imports(code):
    assert code / "spark/kpis/genres.py" in code_files(KPIS, code)
    assert stale_after(code, "spark/kpis/toy.py") == [KPIS]


def test_what_only_type_checkers_import_has_no_say():
    assert PROJECT_ROOT / "spark/engines/session.py" not in code_files(TRANSFORM)


def test_versions_of_libraries_make_another_version():
    assert code_version(TRANSFORM, ()) != code_version(TRANSFORM, ("pyarrow",))
