"""Intervals hold what they promise, in each tier of budgets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movies.forecast.interval import Interval, calibrate, conformal_ends, least_errors


def test_the_ends_are_order_statistics_of_one_error_more() -> None:
    errors = np.arange(1.0, 100.0)  # 1 … 99

    assert conformal_ends(errors, 0.8) == (10.0, 90.0)
    assert conformal_ends(errors, 0.9) == (5.0, 95.0)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=9, max_size=60, unique=True), st.sampled_from([0.5, 0.8]))
def test_leaving_each_error_out_in_turn_the_others_interval_holds_enough_of_them(
    errors: list[float], level: float
) -> None:
    held = 0
    for place in range(len(errors)):
        others = np.array(errors[:place] + errors[place + 1 :])
        if len(others) < least_errors(level):
            return
        low, high = conformal_ends(others, level)
        held += low <= errors[place] <= high

    assert held >= level * len(errors) - 1e-9


def test_too_few_errors_make_no_interval() -> None:
    assert least_errors(0.8) == 9
    with pytest.raises(ValueError, match="8 errors are too few for an interval of 80%"):
        conformal_ends(np.zeros(8), 0.8)


def test_each_third_of_the_budgets_has_an_interval_of_its_own() -> None:
    budgets = np.arange(1.0, 91.0)
    errors = np.where(budgets < 31, 3.0, 1.0) * np.tile(np.linspace(-1, 1, 30), 3)

    interval = calibrate(errors, budgets)
    low, high = interval.ends(np.zeros(3), np.array([1.0, 45.0, 1_000.0]))

    assert interval.errors == (30, 30, 30)
    assert np.allclose(high - low, [3 * (high - low)[1], (high - low)[1], (high - low)[1]])


def test_where_a_tier_has_too_few_errors_there_is_one_interval_for_all() -> None:
    interval = calibrate(np.linspace(-1, 1, 20), np.full(20, 5.0))

    assert interval == Interval(0.8, (), (-0.8947368421052632,), (0.894736842105263,), (20,))
