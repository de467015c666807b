"""The command `movies forecast`: everything around the flow, from settings to exit status."""

from __future__ import annotations

from importlib.util import find_spec

from cli.local_api import start_local_api
from cli.run_command import guarded
from cli.terminal import Terminal, short
from flows.failure import FAILED, OK
from flows.interrupt import Interrupts
from flows.request import ForecastRequest
from movies.proxies import check_proxies
from movies.settings import Settings, SettingsError


def run_forecast(request: ForecastRequest) -> int:
    """Run the forecast, print its scores, and return the exit status.

    Raises:
        SettingsError: a setting is not valid, or scikit-learn is not installed.
    """
    if find_spec("sklearn") is None:
        raise SettingsError(
            "A forecast needs the package scikit-learn, which is not installed here. Use the image "
            "tmdb-movies-forecast."
        )
    settings = request.load_settings()
    check_proxies()
    return guarded(settings, lambda terminal, interrupts: _run(request, settings, terminal, interrupts))


def _run(request: ForecastRequest, settings: Settings, terminal: Terminal, interrupts: Interrupts) -> int:
    api = start_local_api()
    # Prefect is imported here, while its API is starting.
    api.check_settings()
    from flows.forecast import forecast_revenue
    from movies.lake.delta import LakeView
    from tasks.context import RunContext, run_context

    run = RunContext(settings, LakeView(settings.lake), has_temporary_api=api.is_temporary)
    with run_context(run), api.ready(terminal.say):
        report = interrupts.run(lambda: forecast_revenue(**request.parameters))
    if report.shortage:
        terminal.fail(report.shortage)
        return FAILED
    for line in report.lines():
        terminal.say(line)
    terminal.say(f"Tables are in {short(settings.lake)}")
    terminal.say(f"Model, scores and plots are in {short(str(settings.output_dir / 'forecast'))}")
    return OK
