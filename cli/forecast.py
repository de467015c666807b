"""`movies forecast`: everything around the flow, from settings to exit status."""

from __future__ import annotations

from importlib.util import find_spec

from cli.local_api import start_local_api
from cli.run import guarded
from cli.terminal import Terminal, short
from flows.failure import FAILED, OK
from flows.interrupt import Interrupts
from movies.proxies import check_proxies
from movies.settings import Settings, SettingsError, load_settings


def run_forecast(
    movie_ids: list[int],
    holdout_years: int,
    accept_score: bool,
    lake_root: str | None,
    output_dir: str | None,
) -> int:
    """Forecast, and say how well; return the exit status.

    Raises:
        SettingsError: a setting cannot be used, or what learns is not installed.
    """
    if find_spec("sklearn") is None:
        raise SettingsError(
            "A forecast needs the package scikit-learn, which is not installed here. Use the image "
            "tmdb-movies-forecast."
        )
    settings = load_settings(lake_root=lake_root, output_dir=output_dir)
    check_proxies()

    def run(terminal: Terminal, interrupts: Interrupts) -> int:
        return _run(settings, movie_ids, holdout_years, accept_score, terminal, interrupts)

    return guarded(settings, run)


def _run(
    settings: Settings,
    movie_ids: list[int],
    holdout_years: int,
    accept_score: bool,
    terminal: Terminal,
    interrupts: Interrupts,
) -> int:
    api = start_local_api()
    # Prefect is imported here and not before: its API has been starting meanwhile.
    api.check_settings()
    from flows.forecast import forecast_revenue

    with api.ready(terminal.say):
        report = interrupts.run(
            lambda: forecast_revenue(
                movie_ids or None, holdout_years, accept_score, settings.lake, settings.output_dir
            )
        )
    if report.shortage:
        terminal.fail(report.shortage)
        return FAILED
    for line in report.lines():
        terminal.say(line)
    terminal.say(f"Tables are in {short(settings.lake)}")
    terminal.say(f"Model, scores and plots are in {short(str(settings.output_dir / 'forecast'))}")
    return OK
