"""What a run says of itself."""

from __future__ import annotations

import pytest

from flows.run_report import AnalyticsReport, IncompleteIngestionError, IngestionReport, raise_for_lost

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
        asked=60, fetched=60, requests=60, held_back="held back by INGESTION_CONCURRENCY=5"
    )

    assert report.rows()[1]["detail"] == "60 requests, 0 retries; held back by INGESTION_CONCURRENCY=5"


def test_an_outage_fails_a_run_with_its_own_sentence_before_others() -> None:
    report = IngestionReport(asked=3, failed={"invalid_payload": 1}, left=2, outage="It has an outage")

    with pytest.raises(IncompleteIngestionError, match=r"^It has an outage\. 1 of 3 movies could not be"):
        raise_for_lost(report)
