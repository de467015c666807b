"""The options that a request declares."""

from __future__ import annotations

from typer.testing import CliRunner

from cli.app import app
from flows.request import ForecastRequest, RunRequest
from movies.tmdb.sources import SOURCES

WIDE = {"COLUMNS": "250", "TERM": "dumb"}


def help_of(command: str) -> str:
    return CliRunner().invoke(app, [command, "--help"], env=WIDE).stdout


def test_each_field_of_a_request_is_an_option_with_the_fields_help():
    run, forecast = help_of("run"), help_of("forecast")

    for said, request in ((run, RunRequest), (forecast, ForecastRequest)):
        for name, field in request.model_fields.items():
            assert field.description
            assert (field.description in said) == (name != "analytics_deployment"), name


def test_every_source_of_ids_can_be_named():
    assert f"[{'|'.join(SOURCES)}]" in help_of("run")


def test_help_shows_no_type_for_a_flag_and_plain_choices_for_a_list():
    run = help_of("run")

    assert "<bool>" not in run and "<list" not in run
    assert "[ingest|transform|kpis|report]" in run
