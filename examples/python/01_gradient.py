"""A gradient: how a loss changes with each weight of a layer, against a finite difference."""

import numpy as np

import normalign as na
from normalign import ops

tape = na.Tape()


def loss(w):
    """Of f(x) = tanh(W x) at three points."""
    x = tape.constant([[1, 0.25], [-1, 0.5], [0.5, -2]])  # 3 x 2
    targets = tape.constant([[1], [0], [-1]])  # 3 x 1
    return ops.mean(ops.square(ops.tanh(ops.linear(x, w)) - targets))


weights = np.array([[1, -0.5]])  # 1 x 2
w = tape.variable(weights)
found = loss(w)
print(tape)
# prints node  operation       shape      kept by
# prints 0     variable        1x2        a Var
# prints 1     constant        3x2        a rule
# prints 2     constant        3x1        nobody
# prints 3     matmul(1, 0)    3x1        nobody
# prints 4     tanh(3)         3x1        a rule
# prints 5     subtract(4, 2)  3x1        a rule
# prints 6     square(5)       3x1        nobody
# prints 7     sum(6)          1x1        nobody
# prints 8     divide_by(7)    1x1        a Var
g = na.grad(found, w)  # 1 x 2, as w
print(f"{found.item():.6f}")  # prints 1.478949
print(f"{g.value[0, 0]:.6f}")  # prints 0.173749
print(f"{g.value[0, 1]:.6f}")  # prints -0.563218

weights[0, 1] += 1e-6
moved = loss(tape.variable(weights))
print(f"{(moved.item() - found.item()) / 1e-6:.4f}")  # prints -0.5632
