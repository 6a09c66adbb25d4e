#include "autodiff/ops_hot.hpp"

#include <algorithm>
#include <limits>

namespace normalign {
namespace {

using enum Reads;

// y_ij = sum_c w_{j,hot_ic}: w m x d, hot n x c, y n x m. One column of w for each row of y and c.
template <class T>
void gather(const char* name, const ConstView<T>& w, const ConstView<T>& hot, const MatrixView<T>& y) {
  for (Index i = 0; i < y.rows(); ++i) {
    T* row = y.data() + i * y.cols();
    for (Index c = 0; c < hot.cols(); ++c) {
      const T* from = w.data() + column_number(name, "hot", hot(i, c), i, w.cols());
      if (c == 0)
        for (Index j = 0; j < y.cols(); ++j) row[j] = from[j * w.cols()];
      else
        for (Index j = 0; j < y.cols(); ++j) row[j] += from[j * w.cols()];
    }
  }
  if (hot.cols() == 0) std::ranges::fill(y.span(), T{0});
}

Shape gathered_shape(const char* name, Shape w, Shape hot, Index rows) {
  if (hot.rows != rows)
    throw InputError(text(name, ": hot is ", hot, " but there are ", rows, " rows; hot.rows must equal them"));
  return {rows, w.rows};
}

}  // namespace

template <class T>
const Primitive<T> HotOps<T>::hot_linear_op = {
    .name = "hot_linear",
    .arity = 3,
    .shape =
        [](const char* name, const Shapes& x, const Attribute&) {
          product_shape(name, x[0], x[1], {.b = true});
          return gathered_shape(name, x[1], x[2], x[0].rows);
        },
    .value = [](const Call<T>& call) { gather("hot_linear", call.x[1], call.x[2], call.y); },
    .pullback = {[](Var<T> g, const Recorded<T>& r) {
                   return Product<T>{std::move(g), r.x(1)};  // (n x m) (m x d)
                 },
                 [](Var<T> g, const Recorded<T>& r) { return hot_outer(std::move(g), r.x(2), r.x_shape(1).cols); }},
    .pushforward = {[](Var<T> t, const Recorded<T>& r) {
                      return Product<T>{std::move(t), r.x(1), {.b = true}};  // (n x d) (d x m)
                    },
                    [](Var<T> t, const Recorded<T>& r) { return hot_sum(std::move(t), r.x(2)); }},
    .reads = {x1, x2}};

template <class T>
const Primitive<T> HotOps<T>::hot_sum_op = linear_function<T>(
    "hot_sum", 2,
    [](const char* name, const Shapes& x, const Attribute&) { return gathered_shape(name, x[0], x[1], x[1].rows); },
    [](const Call<T>& call) { gather("hot_sum", call.x[0], call.x[1], call.y); },
    [](Var<T> g, const Recorded<T>& r) { return hot_outer(std::move(g), r.x(1), r.x_shape(0).cols); },
    [](Var<T> t, const Recorded<T>& r) { return hot_sum(std::move(t), r.x(1)); });

// first: columns of the output
template <class T>
const Primitive<T> HotOps<T>::hot_outer_op = linear_function<T>(
    "hot_outer", 2,
    [](const char* name, const Shapes& x, const Attribute& attribute) {
      gathered_shape(name, {}, x[1], x[0].rows);
      return Shape{x[0].cols, attribute.first};
    },
    [](const Call<T>& call) {
      const auto &g = call.x[0], &hot = call.x[1];
      const Index cols = call.y.cols();
      std::ranges::fill(call.y.span(), T{0});
      for (Index i = 0; i < g.rows(); ++i)
        for (Index c = 0; c < hot.cols(); ++c) {
          T* to = call.y.data() + column_number("hot_outer", "hot", hot(i, c), i, cols);
          const T* row = g.data() + i * g.cols();
          for (Index j = 0; j < g.cols(); ++j) to[j * cols] += row[j];
        }
    },
    [](Var<T> h, const Recorded<T>& r) { return hot_sum(std::move(h), r.x(1)); },
    [](Var<T> t, const Recorded<T>& r) { return hot_outer(std::move(t), r.x(1), r.attribute().first); });

template <class T>
Index hot_count(ConstView<T> x) {
  if (x.cols() > Index{1} << std::numeric_limits<T>::digits) return 0;
  Index count = 0;
  for (Index i = 0; i < x.rows(); ++i) {
    Index ones = 0;
    for (T value : x.row(i)) {
      if (value != 0 && value != 1) return 0;
      ones += value == 1;
    }
    if (i > 0 && ones != count) return 0;
    count = ones;
    if (16 * count > x.cols()) return 0;
  }
  return count;
}

template <class T>
void fill_hot(ConstView<T> x, MatrixView<T> hot) {
  for (Index i = 0; i < x.rows(); ++i) {
    Index c = 0;
    for (Index j = 0; j < x.cols() && c < hot.cols(); ++j)
      if (x(i, j) == 1) {
        check_exact<T>("fill_hot", "column", j, i);
        hot(i, c++) = static_cast<T>(j);
      }
  }
}

template Index hot_count(ConstView<float>);
template Index hot_count(ConstView<double>);
template void fill_hot(ConstView<float>, MatrixView<float>);
template void fill_hot(ConstView<double>, MatrixView<double>);
template struct HotOps<float>;
template struct HotOps<double>;

}  // namespace normalign
