#include "autodiff/ops_linear.hpp"

#include <algorithm>

#include "autodiff/ops_reduce.hpp"
#include "linalg/parallel_ranges.hpp"

namespace normalign {
namespace {

using enum Reads;

// A product's attribute: first = whether a is transposed, second = whether b is.
Transposes transposes_of(const Attribute& attribute) { return {.a = attribute.first != 0, .b = attribute.second != 0}; }

// The rules of y = op(a) op(b), with a and b inputs i and i + 1. Shapes for no transposes: a n x m, b m x p, g n x p.
template <class T, int i>
Product<T> product_pullback_a(Var<T> g, const Recorded<T>& r) {
  const Transposes op = transposes_of(r.attribute());
  if (op.a) return {r.x(i + 1), std::move(g), {.a = op.b, .b = true}};  // op(b) gᵀ
  return {std::move(g), r.x(i + 1), {.b = !op.b}};                      // (n x p) (p x m)
}
template <class T, int i>
Product<T> product_pullback_b(Var<T> g, const Recorded<T>& r) {
  const Transposes op = transposes_of(r.attribute());
  if (op.b) return {std::move(g), r.x(i), {.a = true, .b = op.a}};  // gᵀ op(a)
  return {r.x(i), std::move(g), {.a = !op.a}};                      // (m x n) (n x p)
}
template <class T, int i>
Product<T> product_pushforward_a(Var<T> t, const Recorded<T>& r) {
  return {std::move(t), r.x(i + 1), transposes_of(r.attribute())};
}
template <class T, int i>
Product<T> product_pushforward_b(Var<T> t, const Recorded<T>& r) {
  return {r.x(i), std::move(t), transposes_of(r.attribute())};
}

}  // namespace

template <class T>
const Primitive<T> LinearOps<T>::matmul_op = {
    .name = "matmul",
    .arity = 2,
    .shape = [](const char* name, const Shapes& x,
                const Attribute& attribute) { return product_shape(name, x[0], x[1], transposes_of(attribute)); },
    .value = [](const Call<T>& call) { gemm<T>(call.x[0], call.x[1], call.y, transposes_of(call.attribute)); },
    .pullback = {product_pullback_a<T, 0>, product_pullback_b<T, 0>},
    .pushforward = {product_pushforward_a<T, 0>, product_pushforward_b<T, 0>},
    .reads = {x1, x0}};

// y = c + op(a) op(b)
template <class T>
const Primitive<T> LinearOps<T>::add_product_op = {
    .name = "add_product",
    .arity = 3,
    .shape =
        [](const char* name, const Shapes& x, const Attribute& attribute) {
          const Shape product = product_shape(name, x[1], x[2], transposes_of(attribute));
          if (x[0] != product)
            throw InputError(text(name, ": c is ", x[0], " but the product is ", product, "; they must be equal"));
          return product;
        },
    .value =
        [](const Call<T>& call) {
          if (call.y.data() != call.x[0].data()) std::ranges::copy(call.x[0].span(), call.y.data());
          gemm<T>(call.x[1], call.x[2], call.y, transposes_of(call.attribute), 1, 1);
        },
    .pullback = {[](Var<T> g, const Recorded<T>&) { return g; }, product_pullback_a<T, 1>, product_pullback_b<T, 1>},
    .pushforward = {[](Var<T> t, const Recorded<T>&) { return t; }, product_pushforward_a<T, 1>,
                    product_pushforward_b<T, 1>},
    .reads = {nothing, x2, x1},
    .in_place = true};

// y = x wᵀ + b with x n x d, w m x d, b 1 x m
template <class T>
const Primitive<T> LinearOps<T>::linear_op = {
    .name = "linear",
    .arity = 3,
    .shape =
        [](const char* name, const Shapes& x, const Attribute&) {
          const Shape product = product_shape(name, x[0], x[1], {.b = true});
          if (x[2] != Shape{1, product.cols})
            throw InputError(text(name, ": w is ", x[1], " but b is ", x[2], "; b must be 1x", product.cols));
          return product;
        },
    .value =
        [](const Call<T>& call) {
          // The product is added to rows that hold the bias already: no pass of its own for the bias.
          const Index parts = product_parts(call.y.shape(), call.x[0].cols());
          parallel_ranges(call.y.rows(), parts, [&](Index first, Index count) {
            const MatrixView<T> y = call.y.row_block(first, count);
            for (Index i = 0; i < count; ++i) std::ranges::copy(call.x[2].span(), y.row(i).begin());
            gemm<T>(call.x[0].row_block(first, count), call.x[1], y, {.b = true}, 1, 1);
          });
        },
    .pullback = {[](Var<T> g, const Recorded<T>& r) {
                   return Product<T>{std::move(g), r.x(1)};  // (n x m) (m x d)
                 },
                 [](Var<T> g, const Recorded<T>& r) {
                   return Product<T>{std::move(g), r.x(0), {.a = true}};  // (m x n) (n x d)
                 },
                 [](Var<T> g, const Recorded<T>&) { return col_sum(std::move(g)); }},
    .pushforward = {[](Var<T> t, const Recorded<T>& r) {
                      return Product<T>{std::move(t), r.x(1), {.b = true}};  // (n x d) (d x m)
                    },
                    [](Var<T> t, const Recorded<T>& r) {
                      return Product<T>{r.x(0), std::move(t), {.b = true}};  // (n x d) (d x m)
                    },
                    [](Var<T> t, const Recorded<T>& r) { return broadcast_to(std::move(t), r.y_shape()); }},
    .reads = {x1, x0, nothing}};

template <class T>
const Primitive<T> LinearOps<T>::transpose_op = linear_function<T>(
    "transpose", 1,
    [](const char*, const Shapes& x, const Attribute&) {
      return Shape{x[0].cols, x[0].rows};
    },
    [](const Call<T>& call) {
      for (Index i = 0; i < call.y.rows(); ++i)
        for (Index j = 0; j < call.y.cols(); ++j) call.y(i, j) = call.x[0](j, i);
    },
    [](Var<T> g, const Recorded<T>&) { return transpose(std::move(g)); },
    [](Var<T> t, const Recorded<T>&) { return transpose(std::move(t)); });

template struct LinearOps<float>;
template struct LinearOps<double>;

}  // namespace normalign
