#include "autodiff/ops_linear.hpp"

#include <algorithm>
#include <utility>

#include "autodiff/ops_reduce.hpp"
#include "autodiff/shape_rules.hpp"
#include "linalg/parallel_ranges.hpp"

namespace normalign {
namespace {

// A product's attribute: first = whether a is transposed, second = whether b is.
Attribute attribute_of(Transposes transposes) { return {.first = transposes.a, .second = transposes.b}; }
Transposes transposes_of(const Attribute& attribute) { return {.a = attribute.first != 0, .b = attribute.second != 0}; }

// The pullbacks of y = op(a) op(b), with a and b inputs i and i + 1. Shapes for no transposes: a n x m, b m x p,
// g n x p.
template <class T, int i>
Var<T> product_pullback_a(Var<T> g, const Recorded<T>& r) {
  const Transposes op = transposes_of(r.attribute());
  if (op.a) return r.accumulated_product(r.x(i + 1), std::move(g), op.b, true);  // op(b) gᵀ
  return r.accumulated_product(std::move(g), r.x(i + 1), false, !op.b);          // (n x p) (p x m)
}
template <class T, int i>
Var<T> product_pullback_b(Var<T> g, const Recorded<T>& r) {
  const Transposes op = transposes_of(r.attribute());
  if (op.b) return r.accumulated_product(std::move(g), r.x(i), true, op.a);  // gᵀ op(a)
  return r.accumulated_product(r.x(i), std::move(g), !op.a, false);          // (m x n) (n x p)
}
template <class T, int i>
Var<T> product_pushforward_a(Var<T> t, const Recorded<T>& r) {
  const Transposes op = transposes_of(r.attribute());
  return r.accumulated_product(std::move(t), r.x(i + 1), op.a, op.b);
}
template <class T, int i>
Var<T> product_pushforward_b(Var<T> t, const Recorded<T>& r) {
  const Transposes op = transposes_of(r.attribute());
  return r.accumulated_product(r.x(i), std::move(t), op.a, op.b);
}

template <class T>
constexpr Primitive<T> matmul_op = {
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
constexpr Primitive<T> add_product_op = {
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
constexpr Primitive<T> linear_op = {
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
                   return r.accumulated_product(std::move(g), r.x(1), false, false);  // (n x m) (m x d)
                 },
                 [](Var<T> g, const Recorded<T>& r) {
                   return r.accumulated_product(std::move(g), r.x(0), true, false);  // (m x n) (n x d)
                 },
                 [](Var<T> g, const Recorded<T>&) { return col_sum(std::move(g)); }},
    .pushforward = {[](Var<T> t, const Recorded<T>& r) {
                      return r.accumulated_product(std::move(t), r.x(1), false, true);  // (n x d) (d x m)
                    },
                    [](Var<T> t, const Recorded<T>& r) {
                      return r.accumulated_product(r.x(0), std::move(t), false, true);  // (n x d) (d x m)
                    },
                    [](Var<T> t, const Recorded<T>& r) { return broadcast_to(std::move(t), r.y_shape()); }},
    .reads = {x1, x0, nothing}};

template <class T>
constexpr Primitive<T> transpose_op = {
    .name = "transpose",
    .arity = 1,
    .shape =
        [](const char*, const Shapes& x, const Attribute&) {
          return Shape{x[0].cols, x[0].rows};
        },
    .value =
        [](const Call<T>& call) {
          for (Index i = 0; i < call.y.rows(); ++i)
            for (Index j = 0; j < call.y.cols(); ++j) call.y(i, j) = call.x[0](j, i);
        },
    .pullback = {[](Var<T> g, const Recorded<T>&) { return transpose(std::move(g)); }},
    .pushforward = {[](Var<T> t, const Recorded<T>&) { return transpose(std::move(t)); }},
    .reads = {nothing}};

}  // namespace

// ---- the functions that users call ----------------------------------------------------------------------------------

template <class T>
Var<T> matmul(Var<T> a, Var<T> b, Transposes transposes) {
  return apply(matmul_op<T>, {&a, &b}, attribute_of(transposes));
}
template <class T>
Var<T> add_product(Var<T> c, Var<T> a, Var<T> b, Transposes transposes) {
  return apply(add_product_op<T>, {&c, &a, &b}, attribute_of(transposes));
}
template <class T>
Var<T> linear(Var<T> x, Var<T> w, Var<T> b) {
  return apply(linear_op<T>, {&x, &w, &b});
}
template <class T>
Var<T> linear(Var<T> x, Var<T> w) {
  return matmul(std::move(x), std::move(w), {.b = true});
}
template <class T>
Var<T> transpose(Var<T> x) {
  return apply(transpose_op<T>, {&x});
}

template <class T>
std::span<const Primitive<T>* const> linear_primitives() {
  static constexpr const Primitive<T>* all[] = {&matmul_op<T>, &add_product_op<T>, &linear_op<T>, &transpose_op<T>};
  return all;
}

#define NORMALIGN_INSTANTIATE(T)                                   \
  template Var<T> matmul(Var<T>, Var<T>, Transposes);              \
  template Var<T> add_product(Var<T>, Var<T>, Var<T>, Transposes); \
  template Var<T> linear(Var<T>, Var<T>, Var<T>);                  \
  template Var<T> linear(Var<T>, Var<T>);                          \
  template Var<T> transpose(Var<T>);                               \
  template std::span<const Primitive<T>* const> linear_primitives();
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign
