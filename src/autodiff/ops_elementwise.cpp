#include "autodiff/ops_elementwise.hpp"

#include <cmath>
#include <utility>

#include "autodiff/ops_reduce.hpp"
#include "autodiff/shape_rules.hpp"
#include "linalg/parallel_ranges.hpp"
#include "linalg/simd_math.hpp"

namespace normalign {
namespace {

// ---- how values are computed ------------------------------------------------------------------------------------

// y = f(x), one value at a time; y may be x.
template <class T, class F>
void map(const Call<T>& call, F f) {
  const T* x = call.x[0].data();
  T* y = call.y.data();
  parallel_pass(call.y.size(), call.y.size(), [=](Index first, Index count) {
#pragma omp simd
    for (Index i = first; i < first + count; ++i) y[i] = f(x[i]);
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

// Folds the side of `bound` on which each value of x[operand] lies (below, at, above) into the hash.
template <class T>
void fold_sides(const ConstView<T>& x, double bound, BranchHash& hash) {
  for (T value : x.span()) hash = hash * 0x9E3779B97F4A7C15u + 1 + (value > bound) + 2 * (value < bound);
}

// ---- how rules are put together -----------------------------------------------------------------------------------

// A function of one value: its pullback and its pushforward are the same product with f'(x).
template <class T>
constexpr Primitive<T> function(const char* name, void (*value)(const Call<T>&), Rule<T> rule, unsigned reads,
                                void (*branches)(const Call<T>&, BranchHash&) = nullptr) {
  return {.name = name,
          .arity = 1,
          .shape = same_shape,
          .value = value,
          .pullback = {rule},
          .pushforward = {rule},
          .reads = {reads},
          .in_place = true,
          .branches = branches};
}

// The pullback of operand i of a broadcasting operation: the pullback as if nothing were repeated, then summed over
// what was.
template <class T, int i>
Var<T> unbroadcast(Var<T> g, const Recorded<T>& r) {
  return sum_to(std::move(g), r.x_shape(i));
}

// ---- smooth, two operands -----------------------------------------------------------------------------------------

template <class T>
constexpr Primitive<T> add_op = {
    .name = "add",
    .arity = 2,
    .shape = broadcast_shape,
    .value = [](const Call<T>& call) { map2(call, [](T a, T b) { return a + b; }); },
    .pullback = {unbroadcast<T, 0>, unbroadcast<T, 1>},
    .pushforward = {[](Var<T> t, const Recorded<T>& r) { return broadcast_to(std::move(t), r.y_shape()); },
                    [](Var<T> t, const Recorded<T>& r) { return broadcast_to(std::move(t), r.y_shape()); }},
    .reads = {nothing, nothing},
    .in_place = true};

template <class T>
constexpr Primitive<T> subtract_op = {
    .name = "subtract",
    .arity = 2,
    .shape = broadcast_shape,
    .value = [](const Call<T>& call) { map2(call, [](T a, T b) { return a - b; }); },
    .pullback = {unbroadcast<T, 0>, [](Var<T> g, const Recorded<T>& r) { return -sum_to(std::move(g), r.x_shape(1)); }},
    .pushforward = {[](Var<T> t, const Recorded<T>& r) { return broadcast_to(std::move(t), r.y_shape()); },
                    [](Var<T> t, const Recorded<T>& r) { return broadcast_to(-std::move(t), r.y_shape()); }},
    .reads = {nothing, nothing},
    .in_place = true};

template <class T>
constexpr Primitive<T> multiply_op = {
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
constexpr Primitive<T> divide_op = {
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

// ---- smooth, one operand ------------------------------------------------------------------------------------------

// y = scalar x + offset
template <class T>
constexpr Primitive<T> affine_op = function<T>(
    "affine",
    [](const Call<T>& call) {
      const T scale = static_cast<T>(call.attribute.scalar), shift = static_cast<T>(call.attribute.offset);
      map(call, [=](T x) { return scale * x + shift; });
    },
    [](Var<T> g, const Recorded<T>& r) { return affine(std::move(g), r.attribute().scalar, 0); }, nothing);

// y = x / scalar
template <class T>
constexpr Primitive<T> divide_by_op = function<T>(
    "divide_by",
    [](const Call<T>& call) {
      const T divisor = static_cast<T>(call.attribute.scalar);
      map(call, [=](T x) { return x / divisor; });
    },
    [](Var<T> g, const Recorded<T>& r) { return std::move(g) / r.attribute().scalar; }, nothing);

// y = scalar / x
template <class T>
constexpr Primitive<T> divide_into_op = function<T>(
    "divide_into",
    [](const Call<T>& call) {
      const T numerator = static_cast<T>(call.attribute.scalar);
      map(call, [=](T x) { return numerator / x; });
    },
    [](Var<T> g, const Recorded<T>& r) { return -(std::move(g) * r.y()) / r.x(); }, x0 | output);

template <class T>
constexpr Primitive<T> exp_op = function<T>(
    "exp", [](const Call<T>& call) { map(call, [](T x) { return std::exp(x); }); },
    [](Var<T> g, const Recorded<T>& r) { return std::move(g) * r.y(); }, output);

template <class T>
constexpr Primitive<T> log_op = function<T>(
    "log", [](const Call<T>& call) { map(call, [](T x) { return std::log(x); }); },
    [](Var<T> g, const Recorded<T>& r) { return std::move(g) / r.x(); }, x0);

template <class T>
constexpr Primitive<T> sqrt_op = function<T>(
    "sqrt", [](const Call<T>& call) { map(call, [](T x) { return std::sqrt(x); }); },
    [](Var<T> g, const Recorded<T>& r) { return 0.5 * (std::move(g) / r.y()); }, output);

template <class T>
constexpr Primitive<T> square_op = function<T>(
    "square", [](const Call<T>& call) { map(call, [](T x) { return x * x; }); },
    [](Var<T> g, const Recorded<T>& r) { return std::move(g) * (2 * r.x()); }, x0);

// y = x^scalar
template <class T>
constexpr Primitive<T> pow_op = function<T>(
    "pow",
    [](const Call<T>& call) {
      const T power = static_cast<T>(call.attribute.scalar);
      map(call, [=](T x) { return std::pow(x, power); });
    },
    [](Var<T> g, const Recorded<T>& r) {
      const double power = r.attribute().scalar;
      if (power == 0) return 0 * std::move(g);  // not 0 * x^-1, which is NaN at 0
      if (power == 1) return g;                 // and does not depend on x
      return std::move(g) * (power * pow(r.x(), power - 1));
    },
    x0);

template <class T>
constexpr Primitive<T> tanh_op = function<T>(
    "tanh", [](const Call<T>& call) { map(call, [](T x) { return std::tanh(x); }); },
    [](Var<T> g, const Recorded<T>& r) { return std::move(g) * (1 - square(r.y())); }, output);

template <class T>
constexpr Primitive<T> sigmoid_op = function<T>(
    "sigmoid", [](const Call<T>& call) { map(call, [](T x) { return 1 / (1 + std::exp(-x)); }); },
    [](Var<T> g, const Recorded<T>& r) { return std::move(g) * (r.y() * (1 - r.y())); }, output);

template <class T>
constexpr Primitive<T> softplus_op = function<T>(
    "softplus",
    [](const Call<T>& call) { map(call, [](T x) { return (x > 0 ? x : T{0}) + std::log1p(std::exp(-std::abs(x))); }); },
    [](Var<T> g, const Recorded<T>& r) { return std::move(g) * sigmoid(r.x()); }, x0);

template <class T>
constexpr Primitive<T> silu_op = function<T>(
    "silu", [](const Call<T>& call) { map(call, [](T x) { return x / (1 + std::exp(-x)); }); },
    [](Var<T> g, const Recorded<T>& r) {
      const Var<T> s = sigmoid(r.x());
      return std::move(g) * (s * (1 + r.x() * (1 - s)));
    },
    x0);

// ---- with kinks ---------------------------------------------------------------------------------------------------

template <class T>
constexpr Primitive<T> abs_op = function<T>(
    "abs", [](const Call<T>& call) { map(call, [](T x) { return std::abs(x); }); },
    [](Var<T> g, const Recorded<T>& r) { return std::move(g) * sign(r.x()); }, x0,
    [](const Call<T>& call, BranchHash& hash) { fold_sides(call.x[0], 0, hash); });

// Comparisons are written so that NaN passes through.
template <class T>
constexpr Primitive<T> relu_op = function<T>(
    "relu", [](const Call<T>& call) { map(call, [](T x) { return x <= 0 ? T{0} : x; }); },
    [](Var<T> g, const Recorded<T>& r) { return gate(std::move(g), r.y()); }, output,
    [](const Call<T>& call, BranchHash& hash) { fold_sides(call.x[0], 0, hash); });

// scalar: the slope, not negative, so that y > 0 exactly where x > 0
template <class T>
constexpr Primitive<T> leaky_relu_op = function<T>(
    "leaky_relu",
    [](const Call<T>& call) {
      const T slope = static_cast<T>(call.attribute.scalar);
      map(call, [=](T x) { return x <= 0 ? slope * x : x; });
    },
    [](Var<T> g, const Recorded<T>& r) { return gate(std::move(g), r.y(), r.attribute().scalar); }, output,
    [](const Call<T>& call, BranchHash& hash) { fold_sides(call.x[0], 0, hash); });

// scalar: the minimum
template <class T>
constexpr Primitive<T> clamp_min_op = function<T>(
    "clamp_min",
    [](const Call<T>& call) {
      const T minimum = static_cast<T>(call.attribute.scalar);
      map(call, [=](T x) { return x < minimum ? minimum : x; });
    },
    [](Var<T> g, const Recorded<T>& r) { return gate_from(std::move(g), r.x(), r.attribute().scalar); }, x0,
    [](const Call<T>& call, BranchHash& hash) { fold_sides(call.x[0], call.attribute.scalar, hash); });

// ---- masks: locally constant in what they look at -------------------------------------------------------------------

template <class T>
constexpr Primitive<T> sign_op = {
    .name = "sign",
    .arity = 1,
    .shape = same_shape,
    .value = [](const Call<T>& call) { map(call, [](T x) { return x > 0   ? T{1}
                                                                  : x < 0 ? T{-1}
                                                                          : x; }); },
    .pullback = {},
    .pushforward = {},
    .reads = {},
    .in_place = true,
    .branches = [](const Call<T>& call, BranchHash& hash) { fold_sides(call.x[0], 0, hash); }};

// scalar: the slope where y <= 0
template <class T>
constexpr Primitive<T> gate_op = {
    .name = "gate",
    .arity = 2,
    .shape = equal_shapes,
    .value =
        [](const Call<T>& call) {
          const T slope = static_cast<T>(call.attribute.scalar);
          if (slope == 0)
            map2(call, [](T g, T y) { return y <= 0 ? T{0} : g; });
          else
            map2(call, [=](T g, T y) { return y <= 0 ? slope * g : g; });
        },
    .pullback = {[](Var<T> h, const Recorded<T>& r) { return gate(std::move(h), r.x(1), r.attribute().scalar); }},
    .pushforward = {[](Var<T> t, const Recorded<T>& r) { return gate(std::move(t), r.x(1), r.attribute().scalar); }},
    .reads = {x1},
    .in_place = true,
    .branches = [](const Call<T>& call, BranchHash& hash) { fold_sides(call.x[1], 0, hash); }};

// scalar: the bound
template <class T>
constexpr Primitive<T> gate_from_op = {
    .name = "gate_from",
    .arity = 2,
    .shape = equal_shapes,
    .value =
        [](const Call<T>& call) {
          const T bound = static_cast<T>(call.attribute.scalar);
          map2(call, [=](T g, T y) { return y < bound ? T{0} : g; });
        },
    .pullback = {[](Var<T> h, const Recorded<T>& r) { return gate_from(std::move(h), r.x(1), r.attribute().scalar); }},
    .pushforward = {[](Var<T> t, const Recorded<T>& r) {
      return gate_from(std::move(t), r.x(1), r.attribute().scalar);
    }},
    .reads = {x1},
    .in_place = true,
    .branches = [](const Call<T>& call, BranchHash& hash) { fold_sides(call.x[1], call.attribute.scalar, hash); }};

}  // namespace

// ---- the functions that users call ----------------------------------------------------------------------------------

template <class T>
Var<T> operator+(Var<T> a, Var<T> b) {
  return apply(add_op<T>, {&a, &b});
}
template <class T>
Var<T> operator-(Var<T> a, Var<T> b) {
  return apply(subtract_op<T>, {&a, &b});
}
template <class T>
Var<T> operator*(Var<T> a, Var<T> b) {
  return apply(multiply_op<T>, {&a, &b});
}
template <class T>
Var<T> operator/(Var<T> a, Var<T> b) {
  return apply(divide_op<T>, {&a, &b});
}

template <class T>
Var<T> affine(Var<T> x, double scale, double shift) {
  return apply(affine_op<T>, {&x}, {.scalar = scale, .offset = shift});
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
template <class T>
Var<T> operator/(Var<T> x, double divisor) {
  return apply(divide_by_op<T>, {&x}, {.scalar = divisor});
}
template <class T>
Var<T> operator/(double numerator, Var<T> x) {
  return apply(divide_into_op<T>, {&x}, {.scalar = numerator});
}

template <class T>
Var<T> exp(Var<T> x) {
  return apply(exp_op<T>, {&x});
}
template <class T>
Var<T> log(Var<T> x) {
  return apply(log_op<T>, {&x});
}
template <class T>
Var<T> sqrt(Var<T> x) {
  return apply(sqrt_op<T>, {&x});
}
template <class T>
Var<T> square(Var<T> x) {
  return apply(square_op<T>, {&x});
}
template <class T>
Var<T> pow(Var<T> x, double power) {
  return apply(pow_op<T>, {&x}, {.scalar = power});
}
template <class T>
Var<T> abs(Var<T> x) {
  return apply(abs_op<T>, {&x});
}
template <class T>
Var<T> sign(Var<T> x) {
  return apply(sign_op<T>, {&x});
}
template <class T>
Var<T> relu(Var<T> x) {
  return apply(relu_op<T>, {&x});
}
template <class T>
Var<T> leaky_relu(Var<T> x, double slope) {
  if (!(slope >= 0)) throw InputError(text("leaky_relu: slope is ", slope, "; it must not be negative"));
  return apply(leaky_relu_op<T>, {&x}, {.scalar = slope});
}
template <class T>
Var<T> tanh(Var<T> x) {
  return apply(tanh_op<T>, {&x});
}
template <class T>
Var<T> sigmoid(Var<T> x) {
  return apply(sigmoid_op<T>, {&x});
}
template <class T>
Var<T> softplus(Var<T> x) {
  return apply(softplus_op<T>, {&x});
}
template <class T>
Var<T> silu(Var<T> x) {
  return apply(silu_op<T>, {&x});
}
template <class T>
Var<T> clamp_min(Var<T> x, double minimum) {
  return apply(clamp_min_op<T>, {&x}, {.scalar = minimum});
}
template <class T>
Var<T> gate(Var<T> g, Var<T> y, double slope) {
  return apply(gate_op<T>, {&g, &y}, {.scalar = slope});
}
template <class T>
Var<T> gate_from(Var<T> g, Var<T> y, double bound) {
  return apply(gate_from_op<T>, {&g, &y}, {.scalar = bound});
}

template <class T>
std::span<const Primitive<T>* const> elementwise_primitives() {
  static constexpr const Primitive<T>* all[] = {
      &add_op<T>,         &subtract_op<T>,  &multiply_op<T>, &divide_op<T>, &affine_op<T>,   &divide_by_op<T>,
      &divide_into_op<T>, &exp_op<T>,       &log_op<T>,      &sqrt_op<T>,   &square_op<T>,   &pow_op<T>,
      &tanh_op<T>,        &sigmoid_op<T>,   &softplus_op<T>, &silu_op<T>,   &abs_op<T>,      &relu_op<T>,
      &leaky_relu_op<T>,  &clamp_min_op<T>, &sign_op<T>,     &gate_op<T>,   &gate_from_op<T>};
  return all;
}

#define NORMALIGN_INSTANTIATE(T)                     \
  template Var<T> operator+(Var<T>, Var<T>);         \
  template Var<T> operator-(Var<T>, Var<T>);         \
  template Var<T> operator*(Var<T>, Var<T>);         \
  template Var<T> operator/(Var<T>, Var<T>);         \
  template Var<T> affine(Var<T>, double, double);    \
  template Var<T> operator-(Var<T>);                 \
  template Var<T> operator+(Var<T>, double);         \
  template Var<T> operator+(double, Var<T>);         \
  template Var<T> operator-(Var<T>, double);         \
  template Var<T> operator-(double, Var<T>);         \
  template Var<T> operator*(Var<T>, double);         \
  template Var<T> operator*(double, Var<T>);         \
  template Var<T> operator/(Var<T>, double);         \
  template Var<T> operator/(double, Var<T>);         \
  template Var<T> exp(Var<T>);                       \
  template Var<T> log(Var<T>);                       \
  template Var<T> sqrt(Var<T>);                      \
  template Var<T> square(Var<T>);                    \
  template Var<T> pow(Var<T>, double);               \
  template Var<T> abs(Var<T>);                       \
  template Var<T> sign(Var<T>);                      \
  template Var<T> relu(Var<T>);                      \
  template Var<T> leaky_relu(Var<T>, double);        \
  template Var<T> tanh(Var<T>);                      \
  template Var<T> sigmoid(Var<T>);                   \
  template Var<T> softplus(Var<T>);                  \
  template Var<T> silu(Var<T>);                      \
  template Var<T> clamp_min(Var<T>, double);         \
  template Var<T> gate(Var<T>, Var<T>, double);      \
  template Var<T> gate_from(Var<T>, Var<T>, double); \
  template std::span<const Primitive<T>* const> elementwise_primitives();
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign
