"""What a deployment of `refresh-analytics` is told by the pipeline that waits for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import delegation, pipeline
from flows.delegation import DelegatedRunError
from flows.pipeline import movie_pipeline
from stages.names import StageName

DEPLOYMENT = "refresh-analytics/docker"


@pytest.fixture
def runs(monkeypatch, tmp_path) -> list[tuple[str, dict[str, Any]]]:
    """The runs that were asked for, all of which fail."""
    asked: list[tuple[str, dict[str, Any]]] = []

    async def run_elsewhere(deployment: str, parameters: dict[str, Any]) -> None:
        asked.append((deployment, parameters))
        raise DelegatedRunError("not here")

    monkeypatch.setattr(delegation, "run_elsewhere", run_elsewhere)
    monkeypatch.setattr(pipeline, "require_deployment", AsyncMock())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAKE_ROOT", str(tmp_path / "of-this-run"))
    return asked


async def delegate(**parameters: Any) -> None:
    with pytest.raises(DelegatedRunError):
        await movie_pipeline.fn(
            stages=[StageName.TRANSFORM, StageName.KPIS], analytics_deployment=DEPLOYMENT, **parameters
        )


async def test_a_delegated_run_works_on_the_lake_engine_and_folder_that_were_given(runs, tmp_path) -> None:
    await delegate(
        refresh=True, lake_root=str(tmp_path), output_dir=Path("/data/here"), spark_master="local[1]"
    )

    parameters = {
        "stages": ["transform", "kpis"],
        "refresh": True,
        "spark_master": "local[1]",
        "lake_root": str(tmp_path),
        "output_dir": "/data/here",
    }
    assert runs == [(DEPLOYMENT, parameters)]


async def test_a_delegated_run_is_left_to_its_own_settings_where_none_were_given(runs) -> None:
    await delegate()

    assert runs == [(DEPLOYMENT, {"stages": ["transform", "kpis"], "refresh": False})]


@pytest.mark.parametrize("name", ["refresh-analytics/dokcer", "docker"])
async def test_a_deployment_that_does_not_exist_is_said_before_anything_is_fetched(
    name, prefect_api, tmp_path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pipeline, "ingest_movies", lambda *_: pytest.fail("movies were about to be fetched"))

    with temporary_settings({PREFECT_API_URL: prefect_api}), pytest.raises(DelegatedRunError) as error:
        await movie_pipeline.fn(movie_ids=[603], analytics_deployment=name)

    assert str(error.value) == f"There is no deployment {name}. Deploy it first, or correct its name"
