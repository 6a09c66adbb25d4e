"""A gradient of a gradient: how the norm of a Jacobian row changes with the weights, against a finite difference."""

import numpy as np

import normalign as na
from normalign import ops

tape = na.Tape()


def row_norm(w):
    """|v^T J| of f(x) = tanh(W x) at one x."""
    x = tape.variable([[1, 0.25]])  # 1 x 2
    v = tape.constant([[1, 0]])  # 1 x 2
    vJ = na.grad(ops.tanh(ops.linear(x, w)), x, seed=v, create_graph=True)
    return ops.sqrt(ops.sum(ops.square(vJ)))


weights = np.array([[1, -2], [0.5, 3]])
w = tape.variable(weights)
norm = row_norm(w)
weights[0, 1] += 1e-6
moved = row_norm(tape.variable(weights))
print(f"{norm.item():.6f}")  # prints 1.758551
print(f"{na.grad(norm, w).value[0, 1]:.6f}")  # prints -1.109748
print(f"{(moved.item() - norm.item()) / 1e-6:.4f}")  # prints -1.1097

with tape.nan_check():
    try:
        zero = tape.variable(np.zeros((2, 2)))
        na.grad(row_norm(zero), zero)
    except na.RunError as error:
        print(error)
# prints divide: found inf at (0, 0) of the 1x1 result, expected a number; inputs 1x1, 1x1; in a rule of node 35, sqrt
