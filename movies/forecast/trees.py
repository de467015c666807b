"""Boosted regression trees over named features, and their form in a file."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, BadZipFile

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingRegressor

Floats = NDArray[np.float64]

# Chosen by errors on years before the held-back ones; within wide bounds they hardly matter.
OPTIONS: Mapping[str, Any] = {
    "learning_rate": 0.05,
    "max_iter": 100,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 20,
    "l2_regularization": 1.0,
    "early_stopping": False,
    "random_state": 0,
}
# The one class of a regressor that skops does not know; it holds the nodes of a tree.
TRUSTED = ("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",)


@dataclass(frozen=True)
class Trees:
    """A regressor of scikit-learn over features in a fixed order."""

    features: tuple[str, ...]
    regressor: HistGradientBoostingRegressor

    def predict(self, features: pd.DataFrame) -> Floats:
        """Return one number for each row; columns are found by name."""
        return self.predict_rows(features[list(self.features)].to_numpy(dtype=np.float64))

    def predict_rows(self, rows: Floats) -> Floats:
        """Return the same of an array whose columns are in the order of the features."""
        predicted: Floats = self.regressor.predict(rows)
        return predicted

    def to_dict(self) -> dict[str, Any]:
        """Return the trees as JSON takes them; loading them runs no code of a file's."""
        from skops import io

        dumped = io.dumps(self.regressor, compression=ZIP_DEFLATED)
        return {"features": list(self.features), "regressor": b64encode(dumped).decode()}

    @classmethod
    def from_dict(cls, parts: Mapping[str, Any]) -> Trees:
        """Load what `to_dict` returned.

        Raises:
            KeyError, TypeError, ValueError: these are no trees.
        """
        from sklearn.ensemble import HistGradientBoostingRegressor
        from skops import io

        try:
            regressor = io.loads(b64decode(parts["regressor"]), trusted=list(TRUSTED))
        except BadZipFile as error:
            raise ValueError("the regressor is no file of skops") from error
        if not isinstance(regressor, HistGradientBoostingRegressor):
            raise TypeError(f"the regressor is a {type(regressor).__name__}")
        return cls(tuple(map(str, parts["features"])), regressor)


def grow_trees(features: pd.DataFrame, target: Floats) -> Trees:
    """Fit trees to a target by least squares; the same rows in the same order give the same trees."""
    # It takes a second to import: only who trains pays for it.
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    # Of a column without any value no thresholds can be made; of a constant one, no split.
    empty = {name: 0.0 for name in features if features[name].isna().all()}
    # Sums of several threads differ in their last digit by which one is done first.
    with threadpool_limits(1):
        grown = HistGradientBoostingRegressor(**OPTIONS).fit(features.fillna(empty).to_numpy(), target)
    return Trees(tuple(features.columns), grown)
