"""Trees go into text and back."""

from __future__ import annotations

import json
from base64 import b64encode

import numpy as np
import pandas as pd
import pytest
from skops import io

from movies.forecast.trees import Trees, grow_trees


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


def test_text_and_back_gives_the_same_predictions(table, target) -> None:
    trees = grow_trees(table, target)

    again = Trees.from_dict(json.loads(json.dumps(trees.to_dict())))

    assert np.array_equal(again.predict(table), trees.predict(table))
    assert again.features == ("a", "b", "c", "d")


def test_no_other_class_is_loaded(table) -> None:
    other = b64encode(io.dumps({"a": range(3)})).decode()

    with pytest.raises((TypeError, ValueError)):
        Trees.from_dict({"features": list(table), "regressor": other})


def test_columns_are_found_by_name(table, target) -> None:
    trees = grow_trees(table, target)

    assert np.array_equal(trees.predict(table[list("dcba")]), trees.predict(table))


def test_a_column_without_any_value_is_no_obstacle(table, target) -> None:
    empty = table.assign(d=np.nan)

    trees = grow_trees(empty, target)

    assert np.array_equal(trees.predict(empty), trees.predict(empty.assign(d=5.0)))
