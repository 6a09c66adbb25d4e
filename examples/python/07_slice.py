"""All linear regions of a random ReLU network in the square [-1, 1]^2, exactly, and a picture of them where a file is
named: 07_slice.py PICTURE.svg, which takes matplotlib."""

import sys

import numpy as np

import normalign as na

net = na.Network.random([2, 24, 4, 2], seed=3, dtype="float64")
found = na.slice(net)
print(f"{found.regions_after_layer[0]} regions after layer 1, {len(found)} after layer 2")
# prints 155 regions after layer 1, 191 after layer 2

# The regions fill the square without gap or overlap: areas add up, and V - E + F = 1.
print(f"area {np.sum(found.areas):.12f}")  # prints area 4.000000000000
print(f"V - E + F = {len(found.vertices) - len(found.edges) + len(found)}")  # prints V - E + F = 1

# Regions are activation patterns; several share one affine map where a unit that flips is cut off by the next layer.
print(f"{found.statistics()['distinct_maps']} different maps")  # prints 125 different maps

pieces = np.concatenate([np.diff(points, axis=0) for points, _ in found.boundary()])
print(f"boundary in {len(pieces)} pieces, {np.linalg.norm(pieces, axis=1).sum():.6f} long")
# prints boundary in 15 pieces, 2.544346 long

if len(sys.argv) > 1:
    axes = found.plot(colour="slope")
    axes.set_title("24-4 ReLU, untrained")
    axes.figure.savefig(sys.argv[1])
