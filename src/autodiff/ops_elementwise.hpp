// Operations that act on each value by itself. Binary ones broadcast: an extent of 1 is repeated to fit the other
// operand, so a 1 x d row, an n x 1 column and a 1 x 1 scalar all combine with an n x d matrix.
#pragma once

#include <utility>
#include <vector>

#include "autodiff/primitive.hpp"

namespace normalign {

/// The primitives of this file, with their rules in ops_elementwise.cpp.
template <class T>
struct ElementwiseOps {
  static const Primitive<T> add_op, subtract_op, multiply_op, divide_op, affine_op, divide_by_op, divide_into_op,
      exp_op, log_op, sqrt_op, square_op, pow_op, tanh_op, sigmoid_op, softplus_op, silu_op, normal_cdf_op, gelu_op,
      gelu_tanh_op, abs_op, relu_op, leaky_relu_op, clamp_min_op, sign_op, gate_op, gate_from_op;
  /// All of them.
  static std::vector<const Primitive<T>*> all() {
    return {&add_op,        &subtract_op,  &multiply_op,   &divide_op, &affine_op,    &divide_by_op, &divide_into_op,
            &exp_op,        &log_op,       &sqrt_op,       &square_op, &pow_op,       &tanh_op,      &sigmoid_op,
            &softplus_op,   &silu_op,      &normal_cdf_op, &gelu_op,   &gelu_tanh_op, &abs_op,       &relu_op,
            &leaky_relu_op, &clamp_min_op, &sign_op,       &gate_op,   &gate_from_op};
  }
};
extern template struct ElementwiseOps<float>;
extern template struct ElementwiseOps<double>;

/// Sums, products and quotients with broadcasting. Throw InputError when an extent differs and neither is 1.
template <class T>
Var<T> operator+(Var<T> a, Var<T> b) {
  return apply(ElementwiseOps<T>::add_op, {&a, &b});
}
template <class T>
Var<T> operator-(Var<T> a, Var<T> b) {
  return apply(ElementwiseOps<T>::subtract_op, {&a, &b});
}
template <class T>
Var<T> operator*(Var<T> a, Var<T> b) {
  return apply(ElementwiseOps<T>::multiply_op, {&a, &b});
}
template <class T>
Var<T> operator/(Var<T> a, Var<T> b) {
  return apply(ElementwiseOps<T>::divide_op, {&a, &b});
}

/// scale * x + shift, with plain numbers; the sums and products below are written with it.
template <class T>
Var<T> affine(Var<T> x, double scale, double shift) {
  return apply(ElementwiseOps<T>::affine_op, {&x}, {.scalar = scale, .offset = shift});
}
template <class T>
Var<T> operator-(Var<T> x) {
  return affine(std::move(x), -1, 0);
}
template <class T>
Var<T> operator+(Var<T> x, double shift) {
  return affine(std::move(x), 1, shift);
}
template <class T>
Var<T> operator+(double shift, Var<T> x) {
  return affine(std::move(x), 1, shift);
}
template <class T>
Var<T> operator-(Var<T> x, double shift) {
  return affine(std::move(x), 1, -shift);
}
template <class T>
Var<T> operator-(double shift, Var<T> x) {
  return affine(std::move(x), -1, shift);
}
template <class T>
Var<T> operator*(Var<T> x, double scale) {
  return affine(std::move(x), scale, 0);
}
template <class T>
Var<T> operator*(double scale, Var<T> x) {
  return affine(std::move(x), scale, 0);
}
/// x / divisor and numerator / x, rounded once as IEEE division is; the numbers are rounded to T first.
template <class T>
Var<T> operator/(Var<T> x, double divisor) {
  return apply(ElementwiseOps<T>::divide_by_op, {&x}, {.scalar = divisor});
}
template <class T>
Var<T> operator/(double numerator, Var<T> x) {
  return apply(ElementwiseOps<T>::divide_into_op, {&x}, {.scalar = numerator});
}

/// e^x.
template <class T>
Var<T> exp(Var<T> x) {
  return apply(ElementwiseOps<T>::exp_op, {&x});
}
/// The natural logarithm; -inf at 0 and NaN below, as in PyTorch.
template <class T>
Var<T> log(Var<T> x) {
  return apply(ElementwiseOps<T>::log_op, {&x});
}
/// The square root; its derivative at 0 is infinite, so put a floor inside: sqrt(clamp_min(x, 1e-8)).
template <class T>
Var<T> sqrt(Var<T> x) {
  return apply(ElementwiseOps<T>::sqrt_op, {&x});
}
/// x * x.
template <class T>
Var<T> square(Var<T> x) {
  return apply(ElementwiseOps<T>::square_op, {&x});
}
/// x to a fixed power. The derivative for power 0 is 0 everywhere.
template <class T>
Var<T> pow(Var<T> x, double power) {
  return apply(ElementwiseOps<T>::pow_op, {&x}, {.scalar = power});
}
/// |x|; derivative 0 at 0.
template <class T>
Var<T> abs(Var<T> x) {
  return apply(ElementwiseOps<T>::abs_op, {&x});
}
/// The sign of x, -1, 0 or 1; derivative 0 everywhere. NaN stays NaN.
template <class T>
Var<T> sign(Var<T> x) {
  return apply(ElementwiseOps<T>::sign_op, {&x});
}
/// max(x, 0); derivative 0 at 0. NaN stays NaN.
template <class T>
Var<T> relu(Var<T> x) {
  return apply(ElementwiseOps<T>::relu_op, {&x});
}
/// x where x > 0, slope * x elsewhere; derivative `slope` at 0. Throws InputError on a negative slope.
template <class T>
Var<T> leaky_relu(Var<T> x, double slope = 0.01) {
  if (!(slope >= 0)) throw InputError(text("leaky_relu: slope is ", slope, "; it must not be negative"));
  return apply(ElementwiseOps<T>::leaky_relu_op, {&x}, {.scalar = slope});
}
/// The hyperbolic tangent.
template <class T>
Var<T> tanh(Var<T> x) {
  return apply(ElementwiseOps<T>::tanh_op, {&x});
}
/// 1 / (1 + e^-x).
template <class T>
Var<T> sigmoid(Var<T> x) {
  return apply(ElementwiseOps<T>::sigmoid_op, {&x});
}
/// log(1 + e^x), without overflow.
template <class T>
Var<T> softplus(Var<T> x) {
  return apply(ElementwiseOps<T>::softplus_op, {&x});
}
/// x * sigmoid(x).
template <class T>
Var<T> silu(Var<T> x) {
  return apply(ElementwiseOps<T>::silu_op, {&x});
}
/// The standard normal distribution's mass below x, erfc(-x / sqrt 2) / 2. Its relative error stays small where it is
/// itself small: about 1 + x^2 roundings.
template <class T>
Var<T> normal_cdf(Var<T> x) {
  return apply(ElementwiseOps<T>::normal_cdf_op, {&x});
}
/// x * normal_cdf(x), GELU as Hendrycks and Gimpel define it (arXiv:1606.08415) and as PyTorch's nn.GELU computes it.
template <class T>
Var<T> gelu(Var<T> x) {
  return apply(ElementwiseOps<T>::gelu_op, {&x});
}
/// Their approximation of it by tanh, x (1 + tanh u) / 2 = x * sigmoid(2 u) with u = sqrt(2 / pi) (x + 0.044715 x^3):
/// PyTorch's nn.GELU(approximate='tanh'). Derivatives are NaN where x^2 overflows.
template <class T>
Var<T> gelu_tanh(Var<T> x) {
  return apply(ElementwiseOps<T>::gelu_tanh_op, {&x});
}
/// max(x, minimum); derivative 1 at the bound, as PyTorch takes it.
template <class T>
Var<T> clamp_min(Var<T> x, double minimum) {
  return apply(ElementwiseOps<T>::clamp_min_op, {&x}, {.scalar = minimum});
}

/// g where y > 0, slope * g elsewhere: the derivative of a (leaky) ReLU as an operation of its own, with zero
/// derivative in y. Both are n x d. Throws InputError on a misfit.
template <class T>
Var<T> gate(Var<T> g, Var<T> y, double slope = 0) {
  return apply(ElementwiseOps<T>::gate_op, {&g, &y}, {.scalar = slope});
}
/// g where y >= bound, 0 elsewhere: the derivative of clamp_min, with zero derivative in y. Both are n x d.
template <class T>
Var<T> gate_from(Var<T> g, Var<T> y, double bound) {
  return apply(ElementwiseOps<T>::gate_from_op, {&g, &y}, {.scalar = bound});
}

}  // namespace normalign
