"""Scores are what their names say, and too good a one is not believed."""

from __future__ import annotations

import numpy as np
import pytest

from movies.forecast.scores import Score, describe_leak, log_r2, score


def test_errors_are_told_as_factors_and_coverage_as_a_share() -> None:
    actual = np.log10([1.0, 10.0, 100.0, 1000.0])
    predicted = np.log10([2.0, 10.0, 25.0, 8000.0])

    found = score(actual, predicted, predicted - 0.4, predicted + 0.6)

    assert found == Score(
        movies=4,
        median_error_factor=pytest.approx(np.sqrt(2 * 4)),
        share_within_factor_2=0.5,
        log_r2=pytest.approx(1 - (np.log10(2) ** 2 + np.log10(4) ** 2 + np.log10(8) ** 2) / 5),
        coverage=0.5,
        median_interval_factor=pytest.approx(10),
    )


def test_the_mean_explains_nothing_and_where_nothing_differs_there_is_nothing_to_explain() -> None:
    assert log_r2(np.array([1.0, 3.0]), np.array([2.0, 2.0])) == 0
    assert log_r2(np.array([2.0, 2.0]), np.array([1.0, 2.0])) is None


@pytest.mark.parametrize(("r2", "is_leak"), [(None, False), (-3.0, False), (0.7, False), (0.701, True)])
def test_more_than_can_be_known_is_taken_for_a_leak(r2: float | None, is_leak: bool) -> None:
    warning = describe_leak(r2)

    assert (warning is not None) == is_leak
    if warning:
        assert warning.startswith("A log R² of 0.70 on held-back movies is more than what is known before")
