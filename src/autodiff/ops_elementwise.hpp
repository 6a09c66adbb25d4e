// Operations that act on each value by itself. Binary ones broadcast: an extent of 1 is repeated to fit the other
// operand, so a 1 x d row, an n x 1 column and a 1 x 1 scalar all combine with an n x d matrix.
#pragma once

#include <span>

#include "autodiff/primitive.hpp"

namespace normalign {

/// Sums, products and quotients with broadcasting. Throw InputError when an extent differs and neither is 1.
template <class T>
Var<T> operator+(Var<T> a, Var<T> b);
template <class T>
Var<T> operator-(Var<T> a, Var<T> b);
template <class T>
Var<T> operator*(Var<T> a, Var<T> b);
template <class T>
Var<T> operator/(Var<T> a, Var<T> b);

/// scale * x + shift, with plain numbers; the sums and products below are written with it.
template <class T>
Var<T> affine(Var<T> x, double scale, double shift);
template <class T>
Var<T> operator-(Var<T> x);
template <class T>
Var<T> operator+(Var<T> x, double shift);
template <class T>
Var<T> operator+(double shift, Var<T> x);
template <class T>
Var<T> operator-(Var<T> x, double shift);
template <class T>
Var<T> operator-(double shift, Var<T> x);
template <class T>
Var<T> operator*(Var<T> x, double scale);
template <class T>
Var<T> operator*(double scale, Var<T> x);
/// x / divisor and numerator / x, rounded once as IEEE division is; the numbers are rounded to T first.
template <class T>
Var<T> operator/(Var<T> x, double divisor);
template <class T>
Var<T> operator/(double numerator, Var<T> x);

/// e^x.
template <class T>
Var<T> exp(Var<T> x);
/// The natural logarithm; -inf at 0 and NaN below, as in PyTorch.
template <class T>
Var<T> log(Var<T> x);
/// The square root; its derivative at 0 is infinite, so put a floor inside: sqrt(clamp_min(x, 1e-8)).
template <class T>
Var<T> sqrt(Var<T> x);
/// x * x.
template <class T>
Var<T> square(Var<T> x);
/// x to a fixed power. The derivative for power 0 is 0 everywhere.
template <class T>
Var<T> pow(Var<T> x, double power);
/// |x|; derivative 0 at 0.
template <class T>
Var<T> abs(Var<T> x);
/// The sign of x, -1, 0 or 1; derivative 0 everywhere. NaN stays NaN.
template <class T>
Var<T> sign(Var<T> x);
/// max(x, 0); derivative 0 at 0. NaN stays NaN.
template <class T>
Var<T> relu(Var<T> x);
/// x where x > 0, slope * x elsewhere; derivative `slope` at 0. Throws InputError on a negative slope.
template <class T>
Var<T> leaky_relu(Var<T> x, double slope = 0.01);
/// The hyperbolic tangent.
template <class T>
Var<T> tanh(Var<T> x);
/// 1 / (1 + e^-x).
template <class T>
Var<T> sigmoid(Var<T> x);
/// log(1 + e^x), without overflow.
template <class T>
Var<T> softplus(Var<T> x);
/// x * sigmoid(x).
template <class T>
Var<T> silu(Var<T> x);
/// max(x, minimum); derivative 1 at the bound, as PyTorch takes it.
template <class T>
Var<T> clamp_min(Var<T> x, double minimum);

/// g where y > 0, slope * g elsewhere: the derivative of a (leaky) ReLU as an operation of its own, with zero
/// derivative in y. Both are n x d. Throws InputError on a misfit.
template <class T>
Var<T> gate(Var<T> g, Var<T> y, double slope = 0);
/// g where y >= bound, 0 elsewhere: the derivative of clamp_min, with zero derivative in y. Both are n x d.
template <class T>
Var<T> gate_from(Var<T> g, Var<T> y, double bound);

/// Every primitive defined in ops_elementwise.cpp.
template <class T>
std::span<const Primitive<T>* const> elementwise_primitives();

}  // namespace normalign
