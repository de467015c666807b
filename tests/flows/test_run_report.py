"""What a run says of itself."""

from __future__ import annotations

import pytest

from flows.run_report import (
    AnalyticsReport,
    IncompleteIngestionError,
    IngestionReport,
    RunReport,
    raise_for_lost,
)

MADE = AnalyticsReport(
    movies=1601,
    filtered={"not_released": 2, "blank_release_date": 0},
    quarantined={"bad_value": 1},
    files=["kpi_analysis.txt", "plots/roi_by_genre.png"],
    engine_started=True,
)


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        pytest.param(
            MADE,
            "1,601 movies in silver, 2 filtered (2 not_released), 1 in quarantine (1 bad_value); "
            "2 files of report, plots and dashboard",
            id="made",
        ),
        pytest.param(
            AnalyticsReport(movies=18, files=["kpi_analysis.txt"]),
            "18 movies in silver; 1 file of report, plots and dashboard; no engine was needed",
            id="unchanged",
        ),
    ],
)
def test_analytics_are_told_in_a_sentence(report: AnalyticsReport, sentence: str) -> None:
    assert report.sentence() == sentence


def test_a_run_that_its_concurrency_held_back_says_so_in_its_summary() -> None:
    report = IngestionReport(
        asked=60, fetched=60, requests=60, held_back="limited by INGESTION_CONCURRENCY=5"
    )

    assert report.rows()[1]["detail"] == "60 requests, 0 retries; limited by INGESTION_CONCURRENCY=5"


def test_an_outage_fails_a_run_with_its_own_sentence_before_others() -> None:
    report = IngestionReport(asked=3, failed={"invalid_payload": 1}, left=2, outage="It has an outage")

    with pytest.raises(IncompleteIngestionError, match=r"^It has an outage\. 1 of 3 movies could not be"):
        raise_for_lost(report)


FETCHED = IngestionReport(asked=19, fetched=18, failed={"not_found": 1}, requests=19)
KNOWN = IngestionReport(asked=19, present=18, absent=1)
SILVER = AnalyticsReport(movies=18, engine_started=True)


@pytest.mark.parametrize(
    ("report", "headline"),
    [
        pytest.param(FETCHED, "18 movies, all new, 1 not found", id="fetched"),
        pytest.param(KNOWN, "18 movies, 1 not found, nothing changed", id="known"),
        pytest.param(
            IngestionReport(asked=9, present=4, fetched=1, requests=7, failed={"not_found": 1, "no": 2}),
            "5 movies, 1 new, 1 not found, 2 failed",
            id="lost",
        ),
        pytest.param(
            IngestionReport(asked=9, fetched=5, requests=5, left=4, stopped="the 5 requests are used up"),
            "5 movies, all new, 4 left: the 5 requests are used up",
            id="stopped",
        ),
        pytest.param(
            IngestionReport(asked=5, present=5, requests=2),
            "5 movies, nothing changed",
            id="list-without-news",
        ),
        pytest.param(
            IngestionReport(asked=5, present=5, ratings_error="IMDb does not answer"),
            "5 movies, new IMDb ratings could not be fetched, nothing changed",
            id="no-ratings",
        ),
        pytest.param(MADE, "1,601 in silver, 2 filtered, 1 in quarantine", id="analytics"),
        pytest.param(AnalyticsReport(movies=18, files_made=True), "18 in silver", id="files-alone"),
        pytest.param(AnalyticsReport(movies=18), "18 in silver, nothing changed", id="analytics-unchanged"),
        pytest.param(
            RunReport(FETCHED, SILVER, {"ingest": 1.0}),
            "18 movies, all new, 1 not found, 18 in silver",
            id="run",
        ),
        pytest.param(
            RunReport(KNOWN, AnalyticsReport(movies=18), {"ingest": 1.0}),
            "18 movies, 1 not found, nothing changed",
            id="run-unchanged",
        ),
        pytest.param(
            RunReport(KNOWN, AnalyticsReport(movies=18, files_made=True), {"ingest": 1.0}),
            "18 movies, 1 not found, 18 in silver",
            id="run-files-alone",
        ),
        pytest.param(
            RunReport(
                IngestionReport(requests=2, stopped="the 2 requests are used up"),
                AnalyticsReport(movies=18),
                {"ingest": 1.0},
            ),
            "0 movies, 0 left: the 2 requests are used up, 18 in silver",
            id="run-stopped-early",
        ),
        pytest.param(
            RunReport(
                IngestionReport(), AnalyticsReport(files=["a", "b"], engine_started=True), {"report": 1.0}
            ),
            "2 files",
            id="as-of-version",
        ),
    ],
)
def test_the_message_of_a_state_has_the_figures_that_matter(report, headline) -> None:
    assert report.headline() == headline
