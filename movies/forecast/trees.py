"""Boosted regression trees as plain numbers.

scikit-learn trains them. Only their thresholds and values are stored, so a model is a text file, and
loading it runs no code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Chosen by the errors on years before the held-back ones. Other values change little.
OPTIONS: Mapping[str, Any] = {
    "learning_rate": 0.05,
    "max_iter": 100,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 20,
    "l2_regularization": 1.0,
    "early_stopping": False,
    "random_state": 0,
}
LEAF = -1


@dataclass(frozen=True)
class Tree:
    """The nodes of a tree, each with the indexes of its children; a leaf has a value and no feature."""

    feature: NDArray[np.int64]
    threshold: Floats
    missing_left: NDArray[np.bool_]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    value: Floats

    def predict(self, rows: Floats) -> Floats:
        """Return the value of each row's leaf."""
        every = np.arange(len(rows))
        node = np.zeros(len(rows), dtype=np.int64)
        while (inner := self.feature[node] != LEAF).any():
            at, row = node[inner], every[inner]
            seen = rows[row, self.feature[at]]
            goes_left = np.where(np.isnan(seen), self.missing_left[at], seen <= self.threshold[at])
            node[inner] = np.where(goes_left, self.left[at], self.right[at])
        return self.value[node]


@dataclass(frozen=True)
class Trees:
    """A sum of trees over features in a fixed order."""

    features: tuple[str, ...]
    baseline: float
    trees: tuple[Tree, ...]

    def predict(self, features: pd.DataFrame) -> Floats:
        """Predict a number for each row."""
        return self.predict_rows(features[list(self.features)].to_numpy(dtype=np.float64))

    def predict_rows(self, rows: Floats) -> Floats:
        """Predict the rows of an array whose columns are in the order of the features."""
        total = np.full(len(rows), self.baseline)
        for tree in self.trees:
            total += tree.predict(rows)
        return total

    def to_dict(self) -> dict[str, Any]:
        """Convert to lists and numbers, for JSON."""
        trees = [{name: part.tolist() for name, part in vars(tree).items()} for tree in self.trees]
        return {"features": list(self.features), "baseline": self.baseline, "trees": trees}

    @classmethod
    def from_dict(cls, parts: Mapping[str, Any]) -> Trees:
        """Invert `to_dict`.

        Raises:
            KeyError, TypeError, ValueError: the parts are not trees.
        """
        features = tuple(map(str, parts["features"]))
        trees = tuple(_check(_tree(tree), len(features)) for tree in parts["trees"])
        return cls(features, float(parts["baseline"]), trees)


def grow_trees(features: pd.DataFrame, target: Floats) -> Trees:
    """Fit trees to a target by least squares; the same rows in the same order give the same trees."""
    # The import takes a second, so only training pays for it.
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    # scikit-learn cannot make thresholds for a column without values. It never splits a constant column.
    empty = {name: 0.0 for name in features if features[name].isna().all()}
    # With several threads, the last digit of sums depends on which one finishes first.
    with threadpool_limits(1):
        grown = HistGradientBoostingRegressor(**OPTIONS).fit(features.fillna(empty).to_numpy(), target)
    trees = tuple(_plain(step[0].nodes) for step in grown._predictors)
    return Trees(tuple(features.columns), float(grown._baseline_prediction.item()), trees)


def _plain(nodes: Any) -> Tree:
    is_leaf = nodes["is_leaf"].astype(bool)
    return Tree(
        feature=np.where(is_leaf, LEAF, nodes["feature_idx"]).astype(np.int64),
        threshold=np.where(is_leaf, 0.0, nodes["num_threshold"]).astype(np.float64),
        missing_left=nodes["missing_go_to_left"].astype(bool),
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        value=np.where(is_leaf, nodes["value"], 0.0).astype(np.float64),
    )


def _tree(parts: Mapping[str, Sequence[float]]) -> Tree:
    return Tree(
        feature=np.array(parts["feature"], dtype=np.int64),
        threshold=np.array(parts["threshold"], dtype=np.float64),
        missing_left=np.array(parts["missing_left"], dtype=np.bool_),
        left=np.array(parts["left"], dtype=np.int64),
        right=np.array(parts["right"], dtype=np.int64),
        value=np.array(parts["value"], dtype=np.float64),
    )


def _check(tree: Tree, features: int) -> Tree:
    """Reject invalid trees, such as one with a loop: a child must come after its parent."""
    nodes = len(tree.feature)
    place = np.arange(nodes)
    inner = tree.feature != LEAF
    if not nodes or any(len(part) != nodes for part in vars(tree).values()):
        raise ValueError("a tree's lists are of different lengths")
    children = (tree.left[inner], tree.right[inner])
    if any(((child <= place[inner]) | (child >= nodes)).any() for child in children):
        raise ValueError("a tree's node has no such child")
    if (tree.feature >= features).any() or (tree.feature < LEAF).any():
        raise ValueError("a tree goes by a feature that is not listed")
    return tree
