"""A whole run behind a proxy that refuses everything."""

from __future__ import annotations

import pytest

from tests.movies.test_proxies import RefusingProxy
from tests.places import Place


@pytest.fixture
def proxy():
    proxy = RefusingProxy()
    yield proxy
    proxy.close()


@pytest.mark.slow
def test_no_proxy_comes_between_a_run_and_its_own_servers(place, proxy):
    # Sandbox, embedded engine, and a Prefect server that is configured on loopback.
    place.succeed("--stage", "ingest", "--stage", "transform", "--movie-ids", "597", **proxy.environment())

    assert proxy.asked == []


@pytest.mark.slow
def test_no_proxy_comes_between_a_run_and_a_prefect_server_of_its_own(tmp_path, proxy):
    place = Place(tmp_path, {"PREFECT_HOME": str(tmp_path / "home")})

    place.succeed("--movie-ids", "597", **proxy.environment(no_proxy=""))

    assert proxy.asked == []


def test_a_proxy_of_an_unknown_kind_is_wrong_usage(place):
    done = place.run("--movie-ids", "597", ALL_PROXY="socks://127.0.0.1:1080/")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ALL_PROXY names a proxy of the kind socks://")
