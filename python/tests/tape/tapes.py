"""What the tests of tapes share."""

import numpy as np

X = np.array([[1, 0, -1, 0.5], [0.2, 2, 0, -1], [-0.3, 0.4, 0.9, 1.1]])
W = np.array([[0.4, -0.3, 1.0, 0.2], [-0.9, 0.8, 0.1, 0.5]])
Y = np.array([2, 0, 1])


class Own(Exception):
    """What a function of the caller's raises."""
