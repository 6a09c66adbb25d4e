"""The operations on Vars, by their names in C++: activations, sums, products, moves and losses.

Where a function takes a Var it takes an array too, of two dimensions, which is a constant; one operand is a Var.
"""

from ._core.ops import *
