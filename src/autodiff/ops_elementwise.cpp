#include "autodiff/ops_elementwise.hpp"

#include <cmath>
#include <numbers>
#include <type_traits>

#include "autodiff/ops_reduce.hpp"
#include "autodiff/shape_rules.hpp"
#include "linalg/parallel_ranges.hpp"
#include "linalg/simd_math.hpp"

namespace normalign {
namespace {

using enum Reads;

// f(x), or f(x, scalar, offset) of an operation that carries numbers.
template <class T, class F>
T value_at(F f, T x, T scalar, T offset) {
  if constexpr (std::is_invocable_v<F, T>)
    return f(x);
  else
    return f(x, scalar, offset);
}

// y = f(x), one value at a time; y may be x.
template <class T, class F>
void map(const Call<T>& call, F f) {
  const T* x = call.x[0].data();
  T* y = call.y.data();
  const T scalar = static_cast<T>(call.attribute.scalar), offset = static_cast<T>(call.attribute.offset);
  parallel_pass(call.y.size(), call.y.size(), [=](Index first, Index count) {
#pragma omp simd
    for (Index i = first; i < first + count; ++i) y[i] = value_at(f, x[i], scalar, offset);
  });
}

// y = f(a, b) over one row, where an operand of one column repeats its only value.
template <class T, class F>
void map_row(const T* a, bool a_repeats, const T* b, bool b_repeats, T* y, Index cols, F f) {
  if (a_repeats && !b_repeats) {
    const T value = *a;
#pragma omp simd
    for (Index j = 0; j < cols; ++j) y[j] = f(value, b[j]);
  } else if (b_repeats && !a_repeats) {
    const T value = *b;
#pragma omp simd
    for (Index j = 0; j < cols; ++j) y[j] = f(a[j], value);
  } else {
#pragma omp simd
    for (Index j = 0; j < cols; ++j) y[j] = f(a[j], b[j]);
  }
}

// y = f(a, b) with broadcasting; y may be a.
template <class T, class F>
void map2(const Call<T>& call, F f) {
  const ConstView<T>&a = call.x[0], &b = call.x[1];
  T* y = call.y.data();
  const Index rows = call.y.rows(), cols = call.y.cols();
  if (a.shape() == b.shape())
    return parallel_pass(rows * cols, rows * cols, [&](Index first, Index count) {
      map_row(a.data() + first, false, b.data() + first, false, y + first, count, f);
    });
  const Index a_step = a.rows() == 1 ? 0 : a.cols(), b_step = b.rows() == 1 ? 0 : b.cols();
  const bool a_repeats = a.cols() == 1 && cols != 1, b_repeats = b.cols() == 1 && cols != 1;
  parallel_pass(rows, rows * cols, [&](Index first, Index count) {
    for (Index i = first; i < first + count; ++i)
      map_row(a.data() + i * a_step, a_repeats, b.data() + i * b_step, b_repeats, y + i * cols, cols, f);
  });
}

// Folds into the hash on which side of `bound` each value of x lies: below, at or above it.
template <class T>
void fold_sides(const ConstView<T>& x, double bound, BranchHash& hash) {
  for (T value : x.span()) hash = hash * 0x9E3779B97F4A7C15u + 1 + (value > bound) + 2 * (value < bound);
}

template <class T, int operand>
void sides_of_zero(const Call<T>& call, BranchHash& hash) {
  fold_sides(call.x[operand], 0, hash);
}
template <class T, int operand>
void sides_of_scalar(const Call<T>& call, BranchHash& hash) {
  fold_sides(call.x[operand], call.attribute.scalar, hash);
}
template <class T>
using Branches = void (*)(const Call<T>& call, BranchHash& hash);

// A function of single values, a lambda for f(x) or f(x, scalar, offset): its pullback and its pushforward are the same
// product with f'(x).
template <class T, class F>
constexpr Primitive<T> function(const char* name, F, Rule<T> rule, Reads reads, Branches<T> branches = nullptr) {
  return {.name = name,
          .arity = 1,
          .shape = same_shape,
          .value = [](const Call<T>& call) { map(call, F()); },
          .pullback = {rule},
          .pushforward = {rule},
          .reads = {reads},
          .in_place = true,
          .branches = branches};
}

// What passes its first operand where the second is large; constant in the second, linear in the first.
template <class T>
constexpr Primitive<T> mask(const char* name, void (*value)(const Call<T>&), Rule<T> rule, Branches<T> branches) {
  return {.name = name,
          .arity = 2,
          .shape = equal_shapes,
          .value = value,
          .pullback = {rule},
          .pushforward = {rule},
          .reads = {x1},
          .in_place = true,
          .branches = branches};
}

// Of the standard normal distribution. 1 + erf would cancel for negative x, where erfc keeps its relative accuracy.
template <class T>
T normal_mass_below(T x) {
  return T{0.5} * std::erfc(-x * static_cast<T>(std::numbers::sqrt2 / 2));
}
template <class T>
Var<T> normal_density(Var<T> x) {
  return exp(-0.5 * square(std::move(x))) * (std::numbers::inv_sqrtpi / std::numbers::sqrt2);
}

// 2 u = x (gelu_linear + gelu_cubic x^2) in the approximation of gelu by tanh.
constexpr double gelu_linear = 2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
constexpr double gelu_cubic = 0.044715 * gelu_linear;

// The rules of a sum in its operand i, whose repeated values gather the derivatives of all their copies.
template <class T, int i>
Var<T> unbroadcast(Var<T> g, const Recorded<T>& r) {
  return sum_to(std::move(g), r.x_shape(i));
}
template <class T>
Var<T> broadcast(Var<T> t, const Recorded<T>& r) {
  return broadcast_to(std::move(t), r.y_shape());
}

}  // namespace

// Smooth, two operands.

template <class T>
const Primitive<T> ElementwiseOps<T>::add_op = {
    .name = "add",
    .arity = 2,
    .shape = broadcast_shape,
    .value = [](const Call<T>& call) { map2(call, [](T a, T b) { return a + b; }); },
    .pullback = {unbroadcast<T, 0>, unbroadcast<T, 1>},
    .pushforward = {broadcast<T>, broadcast<T>},
    .reads = {nothing, nothing},
    .in_place = true};

template <class T>
const Primitive<T> ElementwiseOps<T>::subtract_op = {
    .name = "subtract",
    .arity = 2,
    .shape = broadcast_shape,
    .value = [](const Call<T>& call) { map2(call, [](T a, T b) { return a - b; }); },
    .pullback = {unbroadcast<T, 0>, [](Var<T> g, const Recorded<T>& r) { return -sum_to(std::move(g), r.x_shape(1)); }},
    .pushforward = {broadcast<T>,
                    [](Var<T> t, const Recorded<T>& r) { return broadcast_to(-std::move(t), r.y_shape()); }},
    .reads = {nothing, nothing},
    .in_place = true};

template <class T>
const Primitive<T> ElementwiseOps<T>::multiply_op = {
    .name = "multiply",
    .arity = 2,
    .shape = broadcast_shape,
    .value = [](const Call<T>& call) { map2(call, [](T a, T b) { return a * b; }); },
    .pullback = {[](Var<T> g, const Recorded<T>& r) { return sum_to(std::move(g) * r.x(1), r.x_shape(0)); },
                 [](Var<T> g, const Recorded<T>& r) { return sum_to(std::move(g) * r.x(0), r.x_shape(1)); }},
    .pushforward = {[](Var<T> t, const Recorded<T>& r) { return std::move(t) * r.x(1); },
                    [](Var<T> t, const Recorded<T>& r) { return std::move(t) * r.x(0); }},
    .reads = {x1, x0},
    .in_place = true};

template <class T>
const Primitive<T> ElementwiseOps<T>::divide_op = {
    .name = "divide",
    .arity = 2,
    .shape = broadcast_shape,
    .value = [](const Call<T>& call) { map2(call, [](T a, T b) { return a / b; }); },
    .pullback = {[](Var<T> g, const Recorded<T>& r) { return sum_to(std::move(g) / r.x(1), r.x_shape(0)); },
                 [](Var<T> g, const Recorded<T>& r) { return -sum_to(std::move(g) * r.y() / r.x(1), r.x_shape(1)); }},
    .pushforward = {[](Var<T> t, const Recorded<T>& r) { return std::move(t) / r.x(1); },
                    [](Var<T> t, const Recorded<T>& r) { return -(std::move(t) * r.y()) / r.x(1); }},
    .reads = {x1, x1 | output},
    .in_place = true};

// Smooth, one operand.

// y = scalar x + offset
template <class T>
const Primitive<T> ElementwiseOps<T>::affine_op = function<T>(
    "affine", [](T x, T scale, T shift) { return scale * x + shift; },
    [](Var<T> g, const Recorded<T>& r) { return affine(std::move(g), r.attribute().scalar, 0); }, nothing);

// y = x / scalar
template <class T>
const Primitive<T> ElementwiseOps<T>::divide_by_op = function<T>(
    "divide_by", [](T x, T divisor, T) { return x / divisor; },
    [](Var<T> g, const Recorded<T>& r) { return std::move(g) / r.attribute().scalar; }, nothing);

// y = scalar / x
template <class T>
const Primitive<T> ElementwiseOps<T>::divide_into_op = function<T>(
    "divide_into", [](T x, T numerator, T) { return numerator / x; },
    [](Var<T> g, const Recorded<T>& r) { return -(std::move(g) * r.y()) / r.x(); }, x0 | output);

template <class T>
const Primitive<T> ElementwiseOps<T>::exp_op = function<T>(
    "exp", [](T x) { return std::exp(x); }, [](Var<T> g, const Recorded<T>& r) { return std::move(g) * r.y(); },
    output);

template <class T>
const Primitive<T> ElementwiseOps<T>::log_op = function<T>(
    "log", [](T x) { return std::log(x); }, [](Var<T> g, const Recorded<T>& r) { return std::move(g) / r.x(); }, x0);

template <class T>
const Primitive<T> ElementwiseOps<T>::sqrt_op = function<T>(
    "sqrt", [](T x) { return std::sqrt(x); },
    [](Var<T> g, const Recorded<T>& r) { return 0.5 * (std::move(g) / r.y()); }, output);

template <class T>
const Primitive<T> ElementwiseOps<T>::square_op = function<T>(
    "square", [](T x) { return x * x; }, [](Var<T> g, const Recorded<T>& r) { return std::move(g) * (2 * r.x()); }, x0);

// y = x^scalar
template <class T>
const Primitive<T> ElementwiseOps<T>::pow_op = function<T>(
    "pow", [](T x, T power, T) { return std::pow(x, power); },
    [](Var<T> g, const Recorded<T>& r) {
      const double power = r.attribute().scalar;
      if (power == 0) return 0 * std::move(g);  // not 0 * x^-1, which is NaN at 0
      if (power == 1) return g;                 // and does not depend on x
      return std::move(g) * (power * pow(r.x(), power - 1));
    },
    x0);

template <class T>
const Primitive<T> ElementwiseOps<T>::tanh_op = function<T>(
    "tanh", [](T x) { return std::tanh(x); },
    [](Var<T> g, const Recorded<T>& r) { return std::move(g) * (1 - square(r.y())); }, output);

template <class T>
const Primitive<T> ElementwiseOps<T>::sigmoid_op = function<T>(
    "sigmoid", [](T x) { return 1 / (1 + std::exp(-x)); },
    [](Var<T> g, const Recorded<T>& r) { return std::move(g) * (r.y() * (1 - r.y())); }, output);

template <class T>
const Primitive<T> ElementwiseOps<T>::softplus_op = function<T>(
    "softplus", [](T x) { return (x > 0 ? x : T{0}) + std::log1p(std::exp(-std::abs(x))); },
    [](Var<T> g, const Recorded<T>& r) { return std::move(g) * sigmoid(r.x()); }, x0);

template <class T>
const Primitive<T> ElementwiseOps<T>::silu_op = function<T>(
    "silu", [](T x) { return x / (1 + std::exp(-x)); },
    [](Var<T> g, const Recorded<T>& r) {
      const Var<T> s = sigmoid(r.x());
      return std::move(g) * (s * (1 + r.x() * (1 - s)));
    },
    x0);

template <class T>
const Primitive<T> ElementwiseOps<T>::normal_cdf_op = function<T>(
    "normal_cdf", [](T x) { return normal_mass_below(x); },
    [](Var<T> g, const Recorded<T>& r) { return std::move(g) * normal_density(r.x()); }, x0);

template <class T>
const Primitive<T> ElementwiseOps<T>::gelu_op = function<T>(
    "gelu", [](T x) { return x * normal_mass_below(x); },
    [](Var<T> g, const Recorded<T>& r) { return std::move(g) * (normal_cdf(r.x()) + r.x() * normal_density(r.x())); },
    x0);

// y = x s with s = sigmoid(2 u), so that y' = s + x s (1 - s) 2 u'
template <class T>
const Primitive<T> ElementwiseOps<T>::gelu_tanh_op = function<T>(
    "gelu_tanh",
    [](T x) { return x / (1 + std::exp(-x * (static_cast<T>(gelu_linear) + static_cast<T>(gelu_cubic) * x * x))); },
    [](Var<T> g, const Recorded<T>& r) {
      const Var<T> x = r.x(), x2 = square(x);
      const Var<T> s = sigmoid(x * affine(x2, gelu_cubic, gelu_linear));
      return std::move(g) * (s * (1 + x * (1 - s) * affine(x2, 3 * gelu_cubic, gelu_linear)));
    },
    x0);

// With kinks.

template <class T>
const Primitive<T> ElementwiseOps<T>::abs_op = function<T>(
    "abs", [](T x) { return std::abs(x); }, [](Var<T> g, const Recorded<T>& r) { return std::move(g) * sign(r.x()); },
    x0, sides_of_zero<T, 0>);

// Comparisons are written so that NaN passes through.
template <class T>
const Primitive<T> ElementwiseOps<T>::relu_op = function<T>(
    "relu", [](T x) { return x <= 0 ? T{0} : x; },
    [](Var<T> g, const Recorded<T>& r) { return gate(std::move(g), r.y()); }, output, sides_of_zero<T, 0>);

// scalar: the slope, not negative, so that y > 0 exactly where x > 0
template <class T>
const Primitive<T> ElementwiseOps<T>::leaky_relu_op = function<T>(
    "leaky_relu", [](T x, T slope, T) { return x <= 0 ? slope * x : x; },
    [](Var<T> g, const Recorded<T>& r) { return gate(std::move(g), r.y(), r.attribute().scalar); }, output,
    sides_of_zero<T, 0>);

// scalar: the minimum
template <class T>
const Primitive<T> ElementwiseOps<T>::clamp_min_op = function<T>(
    "clamp_min", [](T x, T minimum, T) { return x < minimum ? minimum : x; },
    [](Var<T> g, const Recorded<T>& r) { return gate_from(std::move(g), r.x(), r.attribute().scalar); }, x0,
    sides_of_scalar<T, 0>);

// Masks: locally constant in what they look at.

template <class T>
const Primitive<T> ElementwiseOps<T>::sign_op = function<T>(
    "sign", [](T x) { return x > 0   ? T{1}
                             : x < 0 ? T{-1}
                                     : x; }, nullptr, nothing, sides_of_zero<T, 0>);

// scalar: the slope where y <= 0
template <class T>
const Primitive<T> ElementwiseOps<T>::gate_op = mask<T>(
    "gate",
    [](const Call<T>& call) {
      const T slope = static_cast<T>(call.attribute.scalar);
      if (slope == 0)
        map2(call, [](T g, T y) { return y <= 0 ? T{0} : g; });
      else
        map2(call, [=](T g, T y) { return y <= 0 ? slope * g : g; });
    },
    [](Var<T> g, const Recorded<T>& r) { return gate(std::move(g), r.x(1), r.attribute().scalar); },
    sides_of_zero<T, 1>);

// scalar: the bound
template <class T>
const Primitive<T> ElementwiseOps<T>::gate_from_op = mask<T>(
    "gate_from",
    [](const Call<T>& call) {
      const T bound = static_cast<T>(call.attribute.scalar);
      map2(call, [=](T g, T y) { return y < bound ? T{0} : g; });
    },
    [](Var<T> g, const Recorded<T>& r) { return gate_from(std::move(g), r.x(1), r.attribute().scalar); },
    sides_of_scalar<T, 1>);

template struct ElementwiseOps<float>;
template struct ElementwiseOps<double>;

}  // namespace normalign
