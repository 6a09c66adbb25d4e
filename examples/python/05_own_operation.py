"""An operation of one's own, in Python: y = sin(x + m pi/2), whose derivative is itself with m + 1. Its rule is
written with operations and so serves every order; gradcheck tells when a rule is wrong."""

import numpy as np

import normalign as na


def values(x, m):
    return np.sin(x + m * np.pi / 2)


def elementwise(name, times_slope):
    """The pullback and the pushforward are one rule: what comes in, times the slope at the input."""
    return na.Operation(name, values, pullback=times_slope, pushforward=times_slope)


sine = elementwise("sine", lambda derivative, x, m: derivative * sine(x, m + 1))
# Its rule forgets m: a gradient is right, a gradient of a gradient is not.
wrong_sine = elementwise("wrong_sine", lambda derivative, x, m: derivative * wrong_sine(x, 1))

inputs = [np.array([[0.3, -1.2], [2, 0.7]])]  # one input, 2 x 2
right = na.gradcheck(lambda x: sine(x, 0), inputs, name="sine", order=3)
wrong = na.gradcheck(lambda x: wrong_sine(x, 0), inputs, name="wrong", order=3)
print(f"sine passed: {'yes' if right else 'no'}")  # prints sine passed: yes
print(wrong.failure.split(" (absolute")[0])
# prints wrong: order 2, input 0 (2x2), entry (0, 0): reverse mode gives -0.27221 but central differences -0.188005
