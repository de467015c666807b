import logging

import tasks.progress
from tasks.progress import Progress, progress_artifact


async def test_a_progress_that_cannot_be_shown_costs_a_warning_and_no_run(monkeypatch, caplog):
    async def fail(*args, **kwargs):
        raise ConnectionError("no API")

    monkeypatch.setattr(tasks.progress, "acreate_progress_artifact", fail)
    progress = Progress(total=2)

    with caplog.at_level(logging.WARNING):
        async with progress_artifact(progress):
            progress.advance(failed=False)

    assert "the progress could not be shown: no API" in caplog.text


def test_the_sentence_tells_done_failed_and_rate():
    progress = Progress(total=1_000)
    progress.advance(failed=False)
    progress.advance(failed=True)

    assert progress.sentence().startswith("2 of 1,000 movies, 1 failed, ")
    assert progress.percent == 0.2
