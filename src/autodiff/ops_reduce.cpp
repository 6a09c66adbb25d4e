#include "autodiff/ops_reduce.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autodiff/ops_shape.hpp"
#include "linalg/parallel_ranges.hpp"
#include "linalg/reduce.hpp"
#include "linalg/simd_math.hpp"

namespace normalign {
namespace {

using enum Reads;

// Columns in strips whose double accumulators fit in registers and L1, each strip from the first row to the last.
template <class T>
void column_totals(const ConstView<T>& x, T* totals) {
  constexpr Index strip = 64;
  parallel_pass(x.cols(), x.size(), [&](Index start, Index count) {
    for (Index first = start; first < start + count; first += strip) {
      const Index width = std::min(strip, start + count - first);
      double sums[strip] = {};
      for (Index i = 0; i < x.rows(); ++i) {
        const T* row = x.data() + i * x.cols() + first;
#pragma omp simd
        for (Index j = 0; j < width; ++j) sums[j] += static_cast<double>(row[j]);
      }
      for (Index j = 0; j < width; ++j) totals[first + j] = static_cast<T>(sums[j]);
    }
  });
}

template <class T>
void repeat(const ConstView<T>& x, const MatrixView<T>& y) {
  parallel_pass(y.rows(), y.size(), [&](Index first, Index count) {
    for (Index i = first; i < first + count; ++i) {
      const std::span<const T> source = x.row(x.rows() == 1 ? 0 : i);
      if (x.cols() == 1)
        std::ranges::fill(y.row(i), source[0]);
      else
        std::ranges::copy(source, y.row(i).begin());
    }
  });
}

// y = exp(x - maximum), and the sum of it in double. Not inlined: in a loop over rows g++ computes one value at a time.
template <class T>
[[gnu::noinline]] double exponentials(std::span<const T> x, T maximum, T* y) {
  double result = 0;
  const T* from = x.data();
#pragma omp simd reduction(+ : result)
  for (std::size_t j = 0; j < x.size(); ++j) {
    y[j] = std::exp(from[j] - maximum);
    result += static_cast<double>(y[j]);
  }
  return result;
}

template <class T>
T row_maximum(std::span<const T> x) {
  return x.empty() ? -std::numeric_limits<T>::infinity() : *std::ranges::max_element(x);
}

// sum exp(x - shift) over some of a row, in double.
template <class T>
double sum_of_exponentials(std::span<const T> x, T shift) {
  const T* from = x.data();
  double result = 0;
#pragma omp simd reduction(+ : result)
  for (std::size_t j = 0; j < x.size(); ++j) result += static_cast<double>(std::exp(from[j] - shift));
  return result;
}

// log(sum exp x) in two parts, so that what is small is not lost in what is large. A row that holds an infinity or
// nothing has no finite shift and is its maximum, or NaN where it holds one.
template <class T>
struct LogSumExp {
  T maximum;
  double rest;  // log(sum exp(x - maximum)), at least 0

  explicit LogSumExp(std::span<const T> x) : maximum(row_maximum(x)), rest(0) {
    if (std::isfinite(maximum)) {
      // Without the maximum itself, whose 1 the others may be too small to change.
      const auto at = static_cast<std::size_t>(std::ranges::max_element(x) - x.begin());
      rest = std::log1p(sum_of_exponentials(x.first(at), maximum) + sum_of_exponentials(x.subspan(at + 1), maximum));
    } else {
      for (T value : x)
        if (std::isnan(value)) maximum = value;
    }
  }
};

// A function of each row; the lambda F reads row x_i and writes y_i, which may be the same.
template <class T, class F>
constexpr Primitive<T> row_function(const char* name, decltype(Primitive<T>::shape) shape, F, Rule<T> pullback,
                                    Rule<T> pushforward, Reads reads) {
  return {.name = name,
          .arity = 1,
          .shape = shape,
          .value =
              [](const Call<T>& call) {
                parallel_pass(call.y.rows(), call.x[0].size(), [&](Index first, Index count) {
                  for (Index i = first; i < first + count; ++i) F()(call.x[0].row(i), call.y.row(i));
                });
              },
          .pullback = {pullback},
          .pushforward = {pushforward},
          .reads = {reads},
          .in_place = true};
}

Shape scalar_shape(const char*, const Shapes&, const Attribute&) { return {1, 1}; }
Shape column_shape(const char*, const Shapes& x, const Attribute&) { return {x[0].rows, 1}; }
Shape row_shape(const char*, const Shapes& x, const Attribute&) { return {1, x[0].cols}; }

void check_labels(const char* name, const Shapes& x) {
  if (x[1] != Shape{x[0].rows, 1})
    throw InputError(text(name, ": logits are ", x[0], " but labels are ", x[1], "; labels must be ", x[0].rows, "x1"));
}

template <class T>
Var<T> broadcast_back(Var<T> g, const Recorded<T>& r) {
  return broadcast_to(std::move(g), r.x_shape());
}

// y (t - <t, y>) per row; the matrix is symmetric, so both rules agree.
template <class T>
Var<T> times_softmax_jacobian(Var<T> t, const Recorded<T>& r) {
  return (t - row_sum(t * r.y())) * r.y();
}

// The Hessian of a row's cross entropy times t, p * (t - <p, t>) with p the softmax. It does not see a shift of t; with
// t's value at the label taken off first, no difference of nearly equal numbers is left where p is nearly one there.
template <class T>
Var<T> cross_entropy_curvature(Var<T> t, const Recorded<T>& r) {
  const Var<T> p = softmax(r.x(0));
  const Var<T> d = t - gather_cols(t, r.x(1));
  return (d - row_sum(d * p)) * p;
}

}  // namespace

// Sums and their opposite.

template <class T>
const Primitive<T> ReduceOps<T>::sum_op = linear_function<T>(
    "sum", 1, scalar_shape, [](const Call<T>& call) { *call.y.data() = static_cast<T>(total(call.x[0].span())); },
    broadcast_back<T>, [](Var<T> t, const Recorded<T>&) { return sum(std::move(t)); });

template <class T>
const Primitive<T> ReduceOps<T>::row_sum_op = row_function<T>(
    "row_sum", column_shape, [](std::span<const T> x, std::span<T> y) { y[0] = static_cast<T>(total(x)); },
    broadcast_back<T>, [](Var<T> t, const Recorded<T>&) { return row_sum(std::move(t)); }, nothing);

// One pass over x for the value and one for each rule, where row_sum(square(x)) takes two and three.
template <class T>
const Primitive<T> ReduceOps<T>::row_square_sum_op = row_function<T>(
    "row_square_sum", column_shape, [](std::span<const T> x, std::span<T> y) { y[0] = static_cast<T>(dot(x, x)); },
    [](Var<T> g, const Recorded<T>& r) { return r.x() * (2 * std::move(g)); },
    [](Var<T> t, const Recorded<T>& r) { return row_sum(std::move(t) * (2 * r.x())); }, x0);

template <class T>
const Primitive<T> ReduceOps<T>::col_sum_op = linear_function<T>(
    "col_sum", 1, row_shape, [](const Call<T>& call) { column_totals(call.x[0], call.y.data()); }, broadcast_back<T>,
    [](Var<T> t, const Recorded<T>&) { return col_sum(std::move(t)); });

// first, second: rows and columns of the output
template <class T>
const Primitive<T> ReduceOps<T>::broadcast_to_op = linear_function<T>(
    "broadcast_to", 1,
    [](const char* name, const Shapes& x, const Attribute& attribute) {
      const Shape to{attribute.first, attribute.second};
      if ((x[0].rows != to.rows && x[0].rows != 1) || (x[0].cols != to.cols && x[0].cols != 1))
        throw InputError(
            text(name, ": x is ", x[0], " but the shape asked for is ", to, "; each extent of x must be equal or 1"));
      return to;
    },
    [](const Call<T>& call) { repeat(call.x[0], call.y); },
    [](Var<T> g, const Recorded<T>& r) { return sum_to(std::move(g), r.x_shape()); },
    [](Var<T> t, const Recorded<T>& r) { return broadcast_to(std::move(t), r.y_shape()); });

// The softmax family.

template <class T>
const Primitive<T> ReduceOps<T>::logsumexp_op = row_function<T>(
    "logsumexp", column_shape,
    [](std::span<const T> x, std::span<T> y) {
      const LogSumExp<T> row(x);
      y[0] = static_cast<T>(static_cast<double>(row.maximum) + row.rest);
    },
    [](Var<T> g, const Recorded<T>& r) { return softmax(r.x()) * std::move(g); },
    [](Var<T> t, const Recorded<T>& r) { return row_sum(std::move(t) * softmax(r.x())); }, x0);

template <class T>
const Primitive<T> ReduceOps<T>::softmax_op = row_function<T>(
    "softmax", same_shape,
    [](std::span<const T> x, std::span<T> y) {
      const double sum = exponentials(x, row_maximum(x), y.data());
      const T inverse = static_cast<T>(1 / sum);
      for (T& value : y) value *= inverse;
    },
    times_softmax_jacobian<T>, times_softmax_jacobian<T>, output);

template <class T>
const Primitive<T> ReduceOps<T>::log_softmax_op = row_function<T>(
    "log_softmax", same_shape,
    [](std::span<const T> x, std::span<T> y) {
      const LogSumExp<T> row(x);
      const T rest = static_cast<T>(row.rest);
      std::ranges::transform(x, y.begin(), [&](T value) { return (value - row.maximum) - rest; });
    },
    [](Var<T> g, const Recorded<T>& r) { return g - exp(r.y()) * row_sum(g); },
    [](Var<T> t, const Recorded<T>& r) { return t - row_sum(t * exp(r.y())); }, output);

// Inputs: logits n x k, labels n x 1.
template <class T>
const Primitive<T> ReduceOps<T>::softmax_minus_label_op = {
    .name = "softmax_minus_label",
    .arity = 2,
    .shape =
        [](const char* name, const Shapes& x, const Attribute&) {
          check_labels(name, x);
          return x[0];
        },
    .value =
        [](const Call<T>& call) {
          const ConstView<T>& logits = call.x[0];
          for (Index i = 0; i < logits.rows(); ++i) {
            const auto label = static_cast<std::size_t>(
                column_number("softmax_minus_label", "label", call.x[1](i, 0), i, logits.cols()));
            const std::span<const T> x = logits.row(i);
            const std::span<T> y = call.y.row(i);
            const T maximum = row_maximum(x);
            const double before = exponentials(x.first(label), maximum, y.data());
            const double after = exponentials(x.subspan(label + 1), maximum, y.data() + label + 1);
            const double others = before + after, sum = others + static_cast<double>(std::exp(x[label] - maximum));
            const T inverse = static_cast<T>(1 / sum);
            for (T& value : y) value *= inverse;
            y[label] = static_cast<T>(-others / sum);
          }
        },
    .pullback = {cross_entropy_curvature<T>},
    .pushforward = {cross_entropy_curvature<T>},
    .reads = {x0 | x1}};

// Inputs: logits n x k, labels n x 1. first: whether the derivative is that of CrossEntropyGradient::accurate.
template <class T>
const Primitive<T> ReduceOps<T>::cross_entropy_rows_op = {
    .name = "cross_entropy_rows",
    .arity = 2,
    .shape =
        [](const char* name, const Shapes& x, const Attribute&) {
          check_labels(name, x);
          return x[1];
        },
    .value =
        [](const Call<T>& call) {
          const ConstView<T>& logits = call.x[0];
          for (Index i = 0; i < logits.rows(); ++i) {
            const Index label = column_number("cross_entropy_rows", "label", call.x[1](i, 0), i, logits.cols());
            const LogSumExp<T> row(logits.row(i));
            const T below = row.maximum - logits(i, label);
            call.y(i, 0) = static_cast<T>(static_cast<double>(below) + row.rest);
          }
        },
    .pullback = {[](Var<T> g, const Recorded<T>& r) {
      if (r.attribute().first) return softmax_minus_label(r.x(0), r.x(1)) * g;
      return softmax(r.x(0)) * g - scatter_add_cols(g, r.x(1), r.x_shape(0).cols);
    }},
    .pushforward = {[](Var<T> t, const Recorded<T>& r) {
      if (r.attribute().first) return row_sum((t - gather_cols(t, r.x(1))) * softmax(r.x(0)));
      return row_sum(t * softmax(r.x(0))) - gather_cols(t, r.x(1));
    }},
    .reads = {x0 | x1}};

template struct ReduceOps<float>;
template struct ReduceOps<double>;

}  // namespace normalign
