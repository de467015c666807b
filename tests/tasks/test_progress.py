import logging
import re
from collections import Counter

import tasks.progress
from movies.tmdb.client import FetchStats
from tasks.progress import Progress, progress_artifact


async def test_a_progress_that_cannot_be_shown_costs_a_warning_and_no_run(monkeypatch, caplog):
    async def fail(*args, **kwargs):
        raise ConnectionError("no API")

    monkeypatch.setattr(tasks.progress, "acreate_progress_artifact", fail)
    progress = Progress(2, FetchStats())

    with caplog.at_level(logging.WARNING):
        async with progress_artifact(progress):
            progress.advance(failed=False)

    assert "the progress could not be shown: no API" in caplog.text


def test_the_sentence_tells_done_rate_failures_retries_errors_and_the_time_left():
    progress = Progress(1_000, FetchStats(9, 3, Counter({"429": 2, "ReadTimeout": 1})))
    progress.advance(failed=False)
    progress.advance(failed=True)

    assert re.fullmatch(
        r"2 of 1,000 movies, [\d,]+ a second, 1 failed, 3 retries, 429 \(2\), ReadTimeout \(1\)"
        r"(, [\d:]+ left)?",
        progress.sentence(),
    )
    assert progress.percent == 0.2
