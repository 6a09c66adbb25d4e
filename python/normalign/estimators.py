"""Estimators with the interface of scikit-learn; without scikit-learn they are plain classes with the same methods.

Classifiers take any labels, regressors one column of numbers or several. All take arrays and data frames of numbers
without missing values; sample weights are not known.
"""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from ._core import SGD, AdamW, GrokAlign, InputError, KernelMachine, Network, fit_rfm, train
from ._sklearn import BaseEstimator, ClassifierMixin, RegressorMixin, rows, seed_of, training_data

__all__ = ["MLPClassifier", "MLPRegressor", "RFMClassifier", "RFMRegressor"]


def _scales(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (n - 1; 1 where it is 0) of each column, in float64."""
    values = values.astype(np.float64)
    deviations = values.std(axis=0, ddof=1) if len(values) > 1 else np.zeros(values.shape[1:])
    return values.mean(axis=0), np.where(deviations > 0, deviations, 1.0)


def _softmax(values: np.ndarray) -> np.ndarray:
    exponentials = np.exp(values - values.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


class _Classifier(ClassifierMixin):
    """A model with an output for each class, which `_fit_outputs` fits and `_outputs` gives."""

    def fit(self, X: Any, y: Any) -> Any:
        """Fits to X (n, d) and the classes y (n,), numbers or texts, of which there must be two. Returns self."""
        X, y = training_data(self, X, y, classes=True)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise InputError(f"y: found one class, {self.classes_[0]!r}, expected two classes or more")
        self._fit_outputs(X, np.eye(len(self.classes_), dtype=X.dtype)[labels], labels)
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """The outputs at X (m, d): (m, classes); of two classes that of the second less that of the first, (m,)."""
        outputs = self._outputs(rows(self, X))
        return outputs[:, 1] - outputs[:, 0] if len(self.classes_) == 2 else outputs

    def predict(self, X: Any) -> np.ndarray:
        """The class of the largest output at each row of X (m, d): (m,)."""
        best = self._outputs(rows(self, X)).argmax(axis=1)
        return self.classes_[best]


class _Regressor(RegressorMixin):
    """A model with an output for each target, which it sees with mean 0 and deviation 1 over the training rows."""

    def fit(self, X: Any, y: Any) -> Any:
        """Fits to X (n, d) and the numbers y, (n,) or (n, k). Returns self."""
        X, y = training_data(self, X, y, classes=False)
        self.target_mean_, self.target_scale_ = _scales(y)
        targets = ((y - self.target_mean_) / self.target_scale_).astype(X.dtype)
        self._fit_outputs(X, targets.reshape(len(X), -1), None)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The numbers at each row of X (m, d): (m,) or (m, k), as y was, in its unit."""
        outputs = self._outputs(rows(self, X)).astype(np.float64)
        if np.ndim(self.target_mean_) == 0:
            outputs = outputs[:, 0]
        return outputs * self.target_scale_ + self.target_mean_

    def _more_tags(self) -> dict[str, Any]:
        return {"multioutput": True}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


# ---- kernel machines -------------------------------------------------------------------------------------------

_RFM_DOC = """

    It is kernel ridge regression whose metric is learned: `n_updates` times the metric becomes the average gradient
    outer product of the predictor at hand, and the system is solved again.
    {targets}

    bandwidth: of the kernel, in the unit of distances between rows; the metric has trace d, which keeps them about
        what they are in the features. Features should be on one scale: see `standardise`, or use a StandardScaler.
    regularisation: added to the kernel matrix's diagonal.
    n_updates: of the metric; 0 is kernel ridge regression.
    initial: the first metric: 'identity' (RFM), 'covariance' of the features (RFAM), or the identity's share in it,
        from 0 to 1.
    kernel: 'laplace', 'gaussian' or 'generalised_laplace', the last with an `exponent` from 0 to 2.
    agop_samples: rows drawn with replacement for an update, at most n; 0: every row once.
    standardise: whether features are given mean 0 and deviation 1 over the training rows first.
    validation_fraction: of the training rows, at random, of each class: the number of updates, up to n_updates, that is
        best on them is taken, and the model fitted with it to all rows; 0: n_updates it is.
    random_state: of these draws: a number, the same of which gives the same fit, a generator, or None.
    threads: None: as many as there are cores. Predictions do not depend on it.

    After `fit`: machine_ (a KernelMachine of the features less feature_mean_ over feature_scale_), metric_ (d, d),
    validation_scores_ (of each number of updates on the validation rows; None without),
    n_updates_, feature_importances_, n_features_in_, feature_names_in_ for a data frame{attributes}.
    """


class _RecursiveFeatureMachine(BaseEstimator):
    def __init__(
        self,
        *,
        bandwidth: float = 10.0,
        regularisation: float = 1e-3,
        n_updates: int = 4,
        initial: str | float = "identity",
        kernel: str = "laplace",
        exponent: float = 1.0,
        agop_samples: int = 20000,
        standardise: bool = False,
        validation_fraction: float = 0.0,
        random_state: Any = 0,
        threads: int | None = None,
    ) -> None:
        self.bandwidth = bandwidth
        self.regularisation = regularisation
        self.n_updates = n_updates
        self.initial = initial
        self.kernel = kernel
        self.exponent = exponent
        self.agop_samples = agop_samples
        self.standardise = standardise
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.threads = threads

    @property
    def metric_(self) -> np.ndarray:
        """M (d, d), whose distances the kernel takes: the machine's last metric."""
        return self.machine_.metric_in_inputs()

    @property
    def feature_importances_(self) -> np.ndarray:
        """The mean squared slope of the outputs along each feature at the training rows, as a share of the sum: (d,).

        This is the diagonal of the average gradient outer product of the machine, which would be its next metric.
        """
        return self.machine_.importances(threads=self.threads)

    def _fit_outputs(self, X: np.ndarray, targets: np.ndarray, labels: np.ndarray | None) -> None:
        ones = np.ones(X.shape[1])
        self.feature_mean_, self.feature_scale_ = _scales(X) if self.standardise else (0 * ones, ones)
        self.validation_scores_: np.ndarray | None = None
        X = self._features(X)
        seed, updates = seed_of(self.random_state), self.n_updates
        if self.validation_fraction != 0:
            held, kept = _parted(len(X), self.validation_fraction, labels, seed)
            answers = targets[held] if labels is None else labels[held]
            chosen = self._fit(X[kept], targets[kept], updates, seed, (X[held], answers))
            self.validation_scores_, updates = chosen.scores, chosen.updates
        found = self._fit(X, targets, updates, seed, None)
        self.machine_: KernelMachine = found.machine
        self.n_updates_: int = found.updates

    def _fit(self, X: np.ndarray, targets: np.ndarray, updates: int, seed: int, validation: Any) -> Any:
        return fit_rfm(
            X,
            targets,
            kernel=self.kernel,
            bandwidth=self.bandwidth,
            exponent=self.exponent,
            regularisation=self.regularisation,
            updates=updates,
            initial=self.initial,
            agop_samples=self.agop_samples,
            seed=seed,
            validation=validation,
            threads=self.threads,
        )

    def _features(self, X: np.ndarray) -> np.ndarray:
        if (self.feature_mean_ == 0).all() and (self.feature_scale_ == 1).all():
            return X
        return ((X - self.feature_mean_) / self.feature_scale_).astype(X.dtype)

    def _outputs(self, X: np.ndarray) -> np.ndarray:
        return self.machine_.predict(self._features(X), threads=self.threads)


def _parted(n: int, share: float, labels: np.ndarray | None, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A random share of the rows 0, ..., n - 1, which has its share of each class, and the other rows."""
    if not 0 < share < 1:
        raise InputError(f"validation_fraction: found {share}, expected a share from 0 to below 1")
    if n < 2:
        raise InputError(f"validation_fraction: found {share} with one sample, expected two samples or more")
    order = np.random.default_rng(seed).permutation(n)
    if labels is not None:
        order = order[np.argsort(labels[order], kind="stable")]
    count = min(max(round(share * n), 1), n - 1)
    is_held = np.zeros(n, dtype=bool)
    is_held[order[(2 * np.arange(count) + 1) * n // (2 * count)]] = True
    return np.flatnonzero(is_held), np.flatnonzero(~is_held)


class RFMClassifier(_Classifier, _RecursiveFeatureMachine):
    __doc__ = "A Recursive Feature Machine that tells classes apart." + _RFM_DOC.format(
        targets="Its targets are 1 for the class of a row and 0 for the others.", attributes=", classes_"
    )

    def predict_proba(self, X: Any) -> np.ndarray:
        """A probability of each class at X (m, d): (m, classes), in the order of the outputs.

        The outputs f are least-squares estimates of the probabilities that need be neither positive nor of sum 1.
        These are softmax(k f) for k classes, which agrees with f to first order where no class is likelier than
        another. They are not calibrated: scikit-learn's CalibratedClassifierCV does that.
        """
        outputs = self._outputs(rows(self, X))
        return _softmax(outputs.shape[1] * outputs)


class RFMRegressor(_Regressor, _RecursiveFeatureMachine):
    __doc__ = "A Recursive Feature Machine that predicts numbers." + _RFM_DOC.format(
        targets="Targets are fitted with mean 0 and deviation 1: `regularisation` does not depend on their unit.",
        attributes=",\n    target_mean_ and target_scale_",
    )


# ---- networks --------------------------------------------------------------------------------------------------

_MLP_DOC = """

    hidden: widths of the hidden layers, or that of a single one. activation: between the layers, as Network has it.
    init_scale: factor on the initial parameters.
    penalty: a GrokAlign, or None. filters: of GrokFast and OrthoGrad, applied to gradients in this order.
    optimizer: 'adamw' or 'sgd', with `learning_rate` and `weight_decay`; `momentum` is of 'sgd'.
    max_iter: epochs, which are passes over the training rows. batch_size: rows of a step; None: all of them.
    dtype: 'float32' or 'float64', of the training.
    random_state: of the start, the shuffles and the penalty's draws: a number, the same of which gives the same
        network, a generator, or None.
    threads: None: as many as there are cores. The bits do not depend on it.

    Features should be on one scale: use a StandardScaler.
    After `fit`: network_ (a Network), history_ (as TrainingResult has it), n_iter_ (epochs), n_features_in_,
    feature_names_in_ for a data frame{attributes}.
    """


class _Perceptron(BaseEstimator):
    def __init__(
        self,
        *,
        hidden: int | Sequence[int] = (200, 200),
        activation: str = "relu",
        init_scale: float = 1.0,
        penalty: GrokAlign | None = None,
        filters: Sequence[Any] = (),
        optimizer: str = "adamw",
        learning_rate: float = 1e-3,
        weight_decay: float = 0.01,
        momentum: float = 0.0,
        max_iter: int = 200,
        batch_size: int | None = 32,
        dtype: str = "float32",
        random_state: Any = 0,
        threads: int | None = None,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.init_scale = init_scale
        self.penalty = penalty
        self.filters = filters
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.momentum = momentum
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.dtype = dtype
        self.random_state = random_state
        self.threads = threads

    def _fit_outputs(self, X: np.ndarray, targets: np.ndarray, labels: np.ndarray | None) -> None:
        seed = seed_of(self.random_state)
        start = Network.random(
            [X.shape[1], *np.atleast_1d(self.hidden).tolist(), targets.shape[1]],
            activation=self.activation,
            scale=self.init_scale,
            seed=seed,
            dtype=self.dtype,
        )
        found = train(
            start,
            X,
            targets if labels is None else labels,
            loss="mse" if labels is None else "cross_entropy",
            epochs=self.max_iter,
            batch_size=self.batch_size,
            optimizer=self._optimizer(),
            penalty=self.penalty,
            filters=self.filters,
            seed=seed,
            threads=self.threads,
        )
        self.network_: Network = found.network
        self.history_: dict[str, np.ndarray] = found.history
        self.n_iter_ = int(found.history["epoch"][-1])

    def _optimizer(self) -> AdamW | SGD:
        if self.optimizer == "sgd":
            return SGD(learning_rate=self.learning_rate, momentum=self.momentum, weight_decay=self.weight_decay)
        if self.optimizer != "adamw":
            raise InputError(f"optimizer: found {self.optimizer!r}, expected 'adamw' or 'sgd'")
        if self.momentum != 0:
            raise InputError(f"momentum: found {self.momentum} with 'adamw', expected one with 'sgd' alone")
        return AdamW(learning_rate=self.learning_rate, weight_decay=self.weight_decay)

    def _outputs(self, X: np.ndarray) -> np.ndarray:
        return self.network_.predict(X, threads=self.threads)


class MLPClassifier(_Classifier, _Perceptron):
    __doc__ = (
        "A multilayer perceptron that tells classes apart, trained on the cross entropy, with GrokAlign if you wish."
        + _MLP_DOC.format(attributes=", classes_")
    )

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class at X (m, d): (m, classes), the softmax of the outputs."""
        return _softmax(self._outputs(rows(self, X)))


class MLPRegressor(_Regressor, _Perceptron):
    __doc__ = (
        "A multilayer perceptron that predicts numbers, trained on the mean squared error of targets that are given\n"
        "    mean 0 and deviation 1, with GrokAlign if you wish."
        + _MLP_DOC.format(attributes=",\n    target_mean_ and target_scale_")
    )
