"""The mean norm of a network's Jacobians, which GrokAlign adds to the loss, and its derivative in a weight: exactly,
and from one random direction per sample."""

import numpy as np

import normalign as na
from normalign import ops

network = na.Network.random([4, 16, 3], activation="tanh", seed=1, dtype="float64")
points = np.array([[1, 0, -1, 0.5], [0.2, 2, 0, -1]])  # n x d
tape = na.Tape()


def exact(net):
    """E|J_i|_F from all k rows of each Jacobian: k backward sweeps. The floor stands inside the root, for J = 0."""
    x = tape.variable(points)
    squares = tape.full((2, 1), 0)
    for rows in na.jacobian(net(x), x, create_graph=True):  # k of n x d: row i is grad f_ij at x_i
        squares = squares + ops.row_sum(ops.square(rows))
    return ops.mean(ops.sqrt(ops.clamp_min(squares, 1e-8)))


def projected(net, step):
    """|J_i|_F^2 = k E|v^T J_i|^2 for v uniform on the unit sphere: one v for each sample, one backward sweep."""
    v = na.random_directions(2, 3, step=step)  # n x k
    x = tape.variable(points)
    vJ = na.grad(net(x), x, seed=v, create_graph=True)  # n x d
    return ops.mean(ops.sqrt(ops.clamp_min(3 * ops.row_sum(ops.square(vJ)), 1e-8)))


net = tape.network(network)
norm, estimate = exact(net), projected(net, 0)
value = norm.item()
print(f"exact      {value:.5f} {na.grad(norm, net.parameters[0]).value[0, 0]:8.5f}")
print(f"projected  {estimate.item():.5f} {na.grad(estimate, net.parameters[0]).value[0, 0]:8.5f}")

# The mean of many estimates. A mean of roots is less than the root of the mean: the norm is underestimated.
estimates = 0.0
for step in range(10000):
    tape.clear()  # what was recorded is forgotten, its memory is used again
    estimates += projected(tape.network(network), step).item() / 10000
print(f"their mean {estimates:.5f}")

tape.clear()
moved = [weight.copy() for weight in network.weights]
moved[0][0, 0] += 1e-6
net = tape.network(na.Network(moved, network.biases, activation="tanh"))
print(f"difference         {(exact(net).item() - value) / 1e-6:8.5f}")
# prints exact      0.43480  0.09508
# prints projected  0.29343  0.20233
# prints their mean 0.41328
# prints difference          0.09508
