// Products of matrices. Derivatives of products are products too: nothing is copied to be transposed.
#pragma once

#include <span>

#include "autodiff/primitive.hpp"
#include "linalg/blas.hpp"

namespace normalign {

/// op(a) op(b), each operand transposed where its flag says so. Throws InputError when the inner extents differ.
template <class T>
Var<T> matmul(Var<T> a, Var<T> b, Transposes transposes = {});
/// c + op(a) op(b). Throws InputError when the shapes do not fit.
template <class T>
Var<T> add_product(Var<T> c, Var<T> a, Var<T> b, Transposes transposes = {});
/// x wᵀ + b: x n x d, w m x d, b 1 x m, to n x m; the layer of a network. Throws InputError on a misfit.
template <class T>
Var<T> linear(Var<T> x, Var<T> w, Var<T> b);
/// x wᵀ, a layer without bias.
template <class T>
Var<T> linear(Var<T> x, Var<T> w);
/// xᵀ.
template <class T>
Var<T> transpose(Var<T> x);

/// Every primitive defined in ops_linear.cpp.
template <class T>
std::span<const Primitive<T>* const> linear_primitives();

}  // namespace normalign
