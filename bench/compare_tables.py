#!/usr/bin/python3
"""Kernel machines of scikit-learn on tables, by the protocol of `normalign tabular FILE`: four folds, hyperparameters
chosen on halves of each fold's training rows, categories one-hot, missing values filled in, features and targets scaled.

Prints the mean score over the folds (per cent right, or 100 R2) and the seconds of all fits.

    bench/compare_tables.py penguins.csv:species soybean.csv:Class boston.csv:medv:regression
"""

import csv
import sys
import time

import numpy as np
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, ParameterGrid, StratifiedKFold
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

MISSING = {"", "NA", "?", "nan", "NaN"}


def number(text):
    try:
        return float(text)
    except ValueError:
        return None


def table(path, label):
    """The features (n x d), texts and small sets of texts one-hot, and the column of that name as it is written."""
    with open(path, newline="") as file:
        head, *rows = list(csv.reader(file))
    columns = {name: [row[i] for row in rows] for i, name in enumerate(head)}
    answers = columns.pop(label)
    features = []
    for values in columns.values():
        known = [v for v in values if v not in MISSING]
        if all(number(v) is not None for v in known):
            mean = np.mean([float(v) for v in known])
            features.append([mean if v in MISSING else float(v) for v in values])
        else:
            levels = sorted(set(known))
            most = max(levels, key=known.count)
            filled = [most if v in MISSING else v for v in values]
            features.extend([[float(v == level) for v in filled] for level in levels])
    return np.array(features).T, answers


def machines(regression, d):
    """Names, constructors and grids; widths of kernels are in deviations of a feature."""
    widths = [1 / (d * width**2) for width in (0.3, 1, 3)]
    yield "SVM, rbf", SVR if regression else SVC, {"C": [0.1, 1, 10, 100], "gamma": widths}
    ridge = {"alpha": [10, 1, 0.1, 0.01, 0.001]}
    for kernel in ("rbf", "laplacian"):
        gammas = widths if kernel == "rbf" else [1 / (d * width) for width in (0.3, 1, 3)]
        yield f"KernelRidge, {kernel}", KernelRidge, {"kernel": [kernel], "gamma": gammas, **ridge}


def fitted_score(make, options, train, test, regression, classes):
    """The score on the test rows of a machine that is fitted to the training rows, pairs of features and answers."""
    (x, y), (u, v) = train, test
    if regression:
        mean, deviation = y.mean(), y.std()
        found = make(**options).fit(x, (y - mean) / deviation).predict(u) * deviation + mean
        return 100 * r2_score(v, found)
    if make is KernelRidge:
        found = make(**options).fit(x, np.eye(classes)[y]).predict(u).argmax(axis=1)
    else:
        found = make(**options).fit(x, y).predict(u)
    return 100 * np.mean(found == v)


def main():
    for argument in sys.argv[1:]:
        path, label, *kind = argument.split(":")
        regression = kind == ["regression"]
        x, answers = table(path, label)
        y = np.array([float(v) for v in answers]) if regression else np.unique(answers, return_inverse=True)[1]
        classes = 0 if regression else y.max() + 1
        folds = KFold if regression else StratifiedKFold
        for name, make, grid in machines(regression, x.shape[1]):
            start, scores = time.time(), []
            for train, test in folds(4, shuffle=True, random_state=0).split(x, y):
                scale = StandardScaler().fit(x[train])
                u, v = scale.transform(x[train]), y[train]
                half, other = next(iter(folds(2, shuffle=True, random_state=1).split(u, v)))
                best = max(
                    ParameterGrid(grid),
                    key=lambda o: fitted_score(make, o, (u[half], v[half]), (u[other], v[other]), regression, classes),
                )
                scores.append(fitted_score(make, best, (u, v), (scale.transform(x[test]), y[test]), regression, classes))
            print(f"{path:16} {x.shape[0]:6} x {x.shape[1]:<4} {name:24} {np.mean(scores):6.2f} {time.time() - start:7.2f} s", flush=True)


if __name__ == "__main__":
    main()
