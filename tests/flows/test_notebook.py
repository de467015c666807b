"""The notebook: kept without outputs, and of use on a lake as the pipeline leaves it."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient

from tests.places import PROJECT_ROOT, clean_environment

NOTEBOOK = PROJECT_ROOT / "notebooks" / "analysis.ipynb"
# Some of the default movies, and some that the report's two searches find.
MOVIE_IDS = "299534,19995,597,109445,18,95,680,24,393"


@pytest.fixture
def notebook() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_the_notebook_is_kept_without_outputs(notebook) -> None:
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]

    assert [cell.source for cell in cells if cell.outputs or cell.execution_count] == []


@pytest.mark.slow
def test_the_notebook_finds_movies_and_draws_them(notebook, place) -> None:
    place.run("--movie-ids", MOVIE_IDS)
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(NOTEBOOK.parent)}})

    client.execute(env=clean_environment() | {"LAKE_ROOT": place.lake})

    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    shown = [output.data for output in outputs if output.output_type in ("execute_result", "display_data")]
    assert "'Data: the bundled sandbox, not TMDB'" in [data["text/plain"] for data in shown]
    report_searches, own_searches = [
        data["text/html"] for data in shown if ">search<" in data.get("text/html", "")
    ]
    assert [
        title in report_searches for title in ("Armageddon", "The Fifth Element", "Kill Bill: Vol. 1")
    ] == [True] * 3
    assert [title in own_searches for title in ("Avatar", "Kill Bill: Vol. 2", "Titanic")] == [
        True,
        True,
        False,
    ]
    assert sum("image/png" in data for data in shown) == 3


@pytest.mark.slow
def test_without_a_lake_the_notebook_says_what_to_do(notebook, place) -> None:
    client = NotebookClient(notebook, timeout=120, allow_errors=True)

    client.execute(env=clean_environment() | {"LAKE_ROOT": str(place.folder / "none")})

    errors = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    ]
    assert errors[0].evalue == f"silver/movies is not in {place.folder / 'none'} yet: uv run movies run"
