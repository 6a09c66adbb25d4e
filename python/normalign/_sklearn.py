"""What the estimators take from scikit-learn, and what stands in for it where it is not installed."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from ._core import InputError

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted

    HAS_SKLEARN = True
except ImportError:
    HAS_SKLEARN = False


def _validated(estimator: Any, X: Any, y: Any = "no_validation", **options: Any) -> Any:
    """What scikit-learn makes of X, or of X and y; it also sets n_features_in_ and feature_names_in_."""
    options["dtype"] = [np.float64, np.float32]
    try:
        from sklearn.utils.validation import validate_data
    except ImportError:  # before scikit-learn 1.6
        return estimator._validate_data(X, y, **options)
    return validate_data(estimator, X, y, **options)


if HAS_SKLEARN:

    def training_data(estimator: Any, X: Any, y: Any, *, classes: bool) -> tuple[np.ndarray, np.ndarray]:
        """X (n, d) in float32 where it is so, else in float64, and y: classes (n,), or numbers (n,) or (n, k)."""
        X, y = _validated(estimator, X, y, multi_output=not classes, y_numeric=not classes)
        if classes:
            check_classification_targets(y)
        return X, y

    def rows(estimator: Any, X: Any) -> np.ndarray:
        """The same of X alone, which must have the columns that the estimator was fitted to."""
        check_is_fitted(estimator)
        return _validated(estimator, X, reset=False)

else:

    class BaseEstimator:  # type: ignore[no-redef]
        """An object whose parameters are the arguments of its __init__."""

        def get_params(self, deep: bool = True) -> dict[str, Any]:
            """The parameters by name. `deep` is there for scikit-learn's sake."""
            del deep
            return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

        def set_params(self, **params: Any) -> Any:
            """Sets parameters by name and returns the estimator."""
            known = self.get_params()
            for name, value in params.items():
                if name not in known:
                    raise InputError(f"parameter: found {name!r}, expected one of {', '.join(sorted(known))}")
                setattr(self, name, value)
            return self

        def __repr__(self) -> str:
            defaults = inspect.signature(type(self)).parameters
            changed = (
                f"{name}={value!r}"
                for name, value in self.get_params().items()
                if repr(value) != repr(defaults[name].default)
            )
            return f"{type(self).__name__}({', '.join(changed)})"

    class ClassifierMixin:  # type: ignore[no-redef]
        """The score of classifiers."""

        def score(self, X: Any, y: Any) -> float:
            """The share of the rows of X (m, d) whose class is that in y (m,)."""
            return float(np.mean(self.predict(X) == np.asarray(y)))  # type: ignore[attr-defined]

    class RegressorMixin:  # type: ignore[no-redef]
        """The score of regressors."""

        def score(self, X: Any, y: Any) -> float:
            """The mean over targets of R^2 of the predictions for X (m, d) against y (m,) or (m, k)."""
            y = np.asarray(y, dtype=np.float64)
            left = ((y - self.predict(X)) ** 2).sum(axis=0)  # type: ignore[attr-defined]
            whole = ((y - y.mean(axis=0)) ** 2).sum(axis=0)
            exact = np.where(left == 0, 1.0, 0.0)
            return float(np.mean(np.where(whole > 0, 1 - left / np.where(whole > 0, whole, 1), exact)))

    class NotFittedError(InputError, AttributeError):
        """An estimator that is used before it is fitted."""

    def _names(X: Any) -> np.ndarray | None:
        """The names of a data frame's columns, where all are texts."""
        names = getattr(X, "columns", None)
        if names is None or not all(isinstance(name, str) for name in names):
            return None
        return np.asarray(names, dtype=object)

    def _numbers(X: Any) -> np.ndarray:
        try:
            X = np.asarray(X)
            X = X if X.dtype == np.float32 else X.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"X: found {error}, expected numbers") from None
        if X.ndim != 2 or X.size == 0:
            raise InputError(f"X: found an array of shape {X.shape}, expected (rows, features), one at least of each")
        return X

    def training_data(estimator: Any, X: Any, y: Any, *, classes: bool) -> tuple[np.ndarray, np.ndarray]:
        """X (n, d) in float32 where it is so, else in float64, and y: classes (n,), or numbers (n,) or (n, k)."""
        names, X, y = _names(X), _numbers(X), np.asarray(y)
        if y.ndim not in ((1,) if classes else (1, 2)) or len(y) != len(X):
            raise InputError(f"y: found an array of shape {y.shape}, expected one value for each of {len(X)} rows")
        if classes and y.dtype.kind == "f" and not np.all(y == np.floor(y)):
            raise InputError("y: found numbers that are not whole, expected classes")
        estimator.n_features_in_ = X.shape[1]
        if names is not None:
            estimator.feature_names_in_ = names
        elif hasattr(estimator, "feature_names_in_"):
            del estimator.feature_names_in_
        return X, y if classes else y.astype(np.float64)

    def rows(estimator: Any, X: Any) -> np.ndarray:
        """The same of X alone, which must have the columns that the estimator was fitted to."""
        if not hasattr(estimator, "n_features_in_"):
            raise NotFittedError(f"{type(estimator).__name__}: found no fit, expected fit to be called first")
        X = _numbers(X)
        if X.shape[1] != estimator.n_features_in_:
            raise InputError(f"X: found {X.shape[1]} features, expected {estimator.n_features_in_} as in fit")
        return X


def seed_of(random_state: Any) -> int:
    """The seed that a random_state stands for: itself where it is a number, else drawn from it; None: from NumPy's."""
    if isinstance(random_state, (int, np.integer)) and random_state >= 0:
        return int(random_state)
    if random_state is None:
        return int(np.random.randint(2**31 - 1))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31 - 1))
    raise InputError(f"random_state: found {random_state!r}, expected a number from 0 on, a generator or None")
