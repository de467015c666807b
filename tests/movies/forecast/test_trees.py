"""Trees as plain numbers say what scikit-learn's say."""

from __future__ import annotations

import copy
import json

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from movies.forecast.trees import OPTIONS, Trees, grow_trees


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    random = np.random.default_rng(3)
    table = pd.DataFrame(random.normal(size=(400, 4)), columns=list("abcd"))
    table["b"] = table["b"].where(random.random(400) < 0.6)
    table["c"] = table["c"].round()
    return table


@pytest.fixture(scope="module")
def target(table: pd.DataFrame) -> np.ndarray:
    return (table["a"] + table["b"].fillna(2) * table["c"]).to_numpy()


def test_they_predict_to_the_last_digit_what_the_library_predicts(table, target) -> None:
    library = HistGradientBoostingRegressor(**OPTIONS).fit(table.to_numpy(), target)
    strange = pd.DataFrame(
        [[np.nan] * 4, [1e300, -1e300, 0, np.nan], [-1e300, 1e300, 5e9, 0]], columns=list("abcd")
    )

    trees = grow_trees(table, target)

    for rows in (table, strange):
        assert np.array_equal(trees.predict(rows), library.predict(rows.to_numpy()))


def test_text_and_back_gives_the_same_predictions(table, target) -> None:
    trees = grow_trees(table, target)

    again = Trees.from_dict(json.loads(json.dumps(trees.to_dict())))

    assert np.array_equal(again.predict(table), trees.predict(table))
    assert again.to_dict() == trees.to_dict()


def test_columns_are_found_by_name(table, target) -> None:
    trees = grow_trees(table, target)

    assert np.array_equal(trees.predict(table[list("dcba")]), trees.predict(table))


def test_a_column_without_any_value_is_no_obstacle(table, target) -> None:
    empty = table.assign(d=np.nan)

    trees = grow_trees(empty, target)

    assert np.array_equal(trees.predict(empty), trees.predict(empty.assign(d=5.0)))


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda tree: tree["left"].__setitem__(0, 0), id="a-child-that-is-its-parent"),
        pytest.param(lambda tree: tree["right"].__setitem__(0, 10_000), id="a-child-beyond-the-end"),
        pytest.param(lambda tree: tree["feature"].__setitem__(0, 4), id="a-feature-that-is-not-listed"),
        pytest.param(lambda tree: tree["value"].pop(), id="a-list-that-is-short"),
        pytest.param(lambda tree: [values.clear() for values in tree.values()], id="no-node"),
    ],
)
def test_nodes_that_no_walk_would_come_through_are_refused(table, target, damage) -> None:
    parts = copy.deepcopy(grow_trees(table, target).to_dict())
    damage(parts["trees"][0])

    with pytest.raises(ValueError, match="a tree"):
        Trees.from_dict(parts)
