"""The command line itself."""

from __future__ import annotations

from cli.app import Source
from movies.tmdb.sources import SOURCES


def test_every_source_of_ids_can_be_named():
    assert [source.value for source in Source] == [*SOURCES]
