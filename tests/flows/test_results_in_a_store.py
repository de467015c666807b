"""Prefect's results in a bucket: what containers on different machines share."""

from __future__ import annotations

import httpx
import pytest

from movies.lake.tables import RAW_MOVIES
from tests.movies.lake.s3_server import s3_server

pytestmark = pytest.mark.store

SAVE_BLOCK = """
from prefect_aws import AwsClientParameters, AwsCredentials, S3Bucket
credentials = AwsCredentials(
    aws_access_key_id="{AWS_ACCESS_KEY_ID}",
    aws_secret_access_key="{AWS_SECRET_ACCESS_KEY}",
    region_name="{AWS_REGION}",
    aws_client_parameters=AwsClientParameters(endpoint_url="{AWS_ENDPOINT_URL}"),
)
S3Bucket(bucket_name="results", credentials=credentials).save("movie-results", overwrite=True)
"""


def test_cached_results_are_found_in_a_bucket_by_another_machine(place, prefect_api) -> None:
    with s3_server() as store:
        httpx.put(f"{store['AWS_ENDPOINT_URL']}/results", trust_env=False).raise_for_status()
        saved = place.python("-c", SAVE_BLOCK.format(**store))
        assert saved.returncode == 0, saved.stderr
        place.environment["PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK"] = "s3-bucket/movie-results"
        place.succeed()

        # Another home is another machine's folder of results.
        place.succeed(PREFECT_LOCAL_STORAGE_PATH=str(place.folder / "elsewhere"))

        newest = {"sort": "START_TIME_DESC", "limit": 1, "flows": {"name": {"any_": ["refresh-analytics"]}}}
        [run] = httpx.post(f"{prefect_api}/flow_runs/filter", json=newest).json()
        tasks = httpx.post(
            f"{prefect_api}/task_runs/filter", json={"flow_runs": {"id": {"any_": [run["id"]]}}}
        ).json()
        assert {task["name"]: task["state_name"] for task in tasks} == {
            "transform": "Cached",
            "kpis": "Cached",
            "report": "Cached",
            "plots": "Cached",
            "dashboard": "Cached",
        }
        assert not (place.folder / "elsewhere").exists()
        kept = httpx.get(f"{store['AWS_ENDPOINT_URL']}/results", params={"list-type": "2"}, trust_env=False)
        assert kept.text.count("<Key>") >= 4
    assert len(place.rows(RAW_MOVIES, "movie_id")) == 18
