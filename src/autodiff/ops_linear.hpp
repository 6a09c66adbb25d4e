// Products of matrices. Derivatives of products are products too: nothing is copied to be transposed.
#pragma once

#include <utility>
#include <vector>

#include "autodiff/primitive.hpp"

namespace normalign {

/// The primitives of this file, with their rules in ops_linear.cpp.
template <class T>
struct LinearOps {
  static const Primitive<T> matmul_op, add_product_op, linear_op, transpose_op;
  /// All of them.
  static std::vector<const Primitive<T>*> all() { return {&matmul_op, &add_product_op, &linear_op, &transpose_op}; }
};
extern template struct LinearOps<float>;
extern template struct LinearOps<double>;

/// op(a) op(b), each operand transposed where its flag says so. Throws InputError when the inner extents differ.
template <class T>
Var<T> matmul(Var<T> a, Var<T> b, Transposes transposes = {}) {
  return apply(LinearOps<T>::matmul_op, {&a, &b}, {.first = transposes.a, .second = transposes.b});
}
/// c + op(a) op(b). Throws InputError when the shapes do not fit.
template <class T>
Var<T> add_product(Var<T> c, Var<T> a, Var<T> b, Transposes transposes = {}) {
  return apply(LinearOps<T>::add_product_op, {&c, &a, &b}, {.first = transposes.a, .second = transposes.b});
}
/// x wᵀ + b: x n x d, w m x d, b 1 x m, to n x m; the layer of a network. Throws InputError on a misfit.
template <class T>
Var<T> linear(Var<T> x, Var<T> w, Var<T> b) {
  return apply(LinearOps<T>::linear_op, {&x, &w, &b});
}
/// x wᵀ, a layer without bias.
template <class T>
Var<T> linear(Var<T> x, Var<T> w) {
  return matmul(std::move(x), std::move(w), {.b = true});
}
/// xᵀ.
template <class T>
Var<T> transpose(Var<T> x) {
  return apply(LinearOps<T>::transpose_op, {&x});
}

}  // namespace normalign
