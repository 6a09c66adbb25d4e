"""A ReLU network at one point: its affine map there, and the cell of the power diagram that holds the point."""

import numpy as np

import normalign as na
from normalign import ops

net = na.Network.random([2, 8, 8, 3], seed=4, dtype="float64")
x = np.array([[0.3, -0.2]])  # 1 x d

# f(z) = A z + b for every z in the region of x.
there = na.local_geometry(net, x)
A, b = there.jacobian[0], there.offset[0]
for f, affine in zip(net(x)[0], A @ x[0] + b):
    print(f"f {f:9.6f}  A x + b {affine:9.6f}")
# prints f -0.093865  A x + b -0.093865
# prints f -0.010207  A x + b -0.010207
# prints f  0.099867  A x + b  0.099867

# The centroid A^T 1 is the gradient of the sum of all outputs: one backward sweep.
tape = na.Tape()
point = tape.variable(x)
gradient = na.grad(ops.sum(tape.network(net)(point)), point).value[0]
centroid = A.sum(axis=0)
print(f"centroid {centroid[0]:.6f} {centroid[1]:.6f}")
print(f"gradient {gradient[0]:.6f} {gradient[1]:.6f}")
# prints centroid 0.018045 0.170527
# prints gradient 0.018045 0.170527

# The regions of the first layer are the cells of a power diagram: x lies in the cell whose power distance
# |x - centroid|^2 - radius is the smallest.
cells = na.power_diagram(net, 0)
nearest = min(cells, key=lambda cell: ((x[0] - cell.centroid) ** 2).sum() - cell.radius)
first_code = x[0] @ net.weights[0].T + net.biases[0] > 0
print(f"{len(cells)} cells; the nearest has the code of x: {'yes' if (nearest.code == first_code).all() else 'no'}")
# prints 18 cells; the nearest has the code of x: yes

# The region in both layers is a polytope. Its walls are where a unit changes its sign: rows z -> slope z + offset.
slopes, offsets = [net.weights[0]], [net.biases[0]]
slopes.append(net.weights[1] * first_code @ net.weights[0])
offsets.append(net.weights[1] * first_code @ net.biases[0] + net.biases[1])
heights = np.concatenate(slopes) @ x[0] + np.concatenate(offsets)
distances = np.abs(heights) / np.linalg.norm(np.concatenate(slopes), axis=1)
regions = na.regions(net)
region = (regions.codes == (heights > 0)).all(axis=1).argmax()
facets = (regions.facets == region).any(axis=1).sum()
print(
    f"{facets} of {len(distances)} walls are facets, the nearest {distances.min():.6f} away, "
    f"of layer {distances.argmin() // 8}"
)
# prints 3 of 16 walls are facets, the nearest 0.042100 away, of layer 0
