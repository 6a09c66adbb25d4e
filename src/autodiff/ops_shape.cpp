#include "autodiff/ops_shape.hpp"

#include <algorithm>

namespace normalign {
namespace {

using enum Reads;

enum class Axis { rows, cols };

// Of a slice; first, second: its first row or column, and their number.
template <Axis axis>
Shape slice_shape(const char* name, const Shapes& x, const Attribute& a) {
  const bool of_rows = axis == Axis::rows;
  const Index end = Index{a.first} + a.second;
  if (a.first < 0 || a.second < 0 || end > (of_rows ? x[0].rows : x[0].cols))
    throw InputError(text(name, ": x is ", x[0], " but ", of_rows ? "rows " : "columns ", a.first, " to ", end - 1,
                          " were asked for"));
  return of_rows ? Shape{a.second, x[0].cols} : Shape{x[0].rows, a.second};
}

// Of a pad; first, second: rows or columns of zeros before and after x.
template <Axis axis>
Shape pad_shape(const char* name, const Shapes& x, const Attribute& a) {
  const bool of_rows = axis == Axis::rows;
  if (a.first < 0 || a.second < 0)
    throw InputError(text(name, ": ", a.first, of_rows ? " rows" : " columns", " before and ", a.second,
                          " after were asked for; neither may be negative"));
  const Index added = Index{a.first} + a.second;
  return of_rows ? Shape{x[0].rows + added, x[0].cols} : Shape{x[0].rows, x[0].cols + added};
}

// y = x from value `start` on: the slice of x that has y's shape.
template <class T>
void slice(const ConstView<T>& x, Index start, const MatrixView<T>& y) {
  if (x.cols() == y.cols())
    std::copy_n(x.data() + start, y.size(), y.data());
  else
    for (Index i = 0; i < y.rows(); ++i) std::copy_n(x.row(i).begin() + start, y.cols(), y.row(i).begin());
}

// y = x between `before` and `after` zeros.
template <class T>
void pad(std::span<const T> x, Index before, Index after, std::span<T> y) {
  auto to = std::fill_n(y.begin(), before, T{0});
  to = std::ranges::copy(x, to).out;
  std::fill_n(to, after, T{0});
}

}  // namespace

template <class T>
const Primitive<T> ShapeOps<T>::slice_rows_op = linear_function<T>(
    "slice_rows", 1, slice_shape<Axis::rows>,
    [](const Call<T>& call) { slice(call.x[0], call.attribute.first * call.y.cols(), call.y); },
    [](Var<T> g, const Recorded<T>& r) {
      const Attribute a = r.attribute();
      return pad_rows(std::move(g), a.first, r.x_shape().rows - a.first - a.second);
    },
    [](Var<T> t, const Recorded<T>& r) { return slice_rows(std::move(t), r.attribute().first, r.attribute().second); });

template <class T>
const Primitive<T> ShapeOps<T>::pad_rows_op = linear_function<T>(
    "pad_rows", 1, pad_shape<Axis::rows>,
    [](const Call<T>& call) {
      const Index cols = call.y.cols();
      pad(call.x[0].span(), call.attribute.first * cols, call.attribute.second * cols, call.y.span());
    },
    [](Var<T> g, const Recorded<T>& r) { return slice_rows(std::move(g), r.attribute().first, r.x_shape().rows); },
    [](Var<T> t, const Recorded<T>& r) { return pad_rows(std::move(t), r.attribute().first, r.attribute().second); });

template <class T>
const Primitive<T> ShapeOps<T>::slice_cols_op = linear_function<T>(
    "slice_cols", 1, slice_shape<Axis::cols>,
    [](const Call<T>& call) { slice(call.x[0], call.attribute.first, call.y); },
    [](Var<T> g, const Recorded<T>& r) {
      const Attribute a = r.attribute();
      return pad_cols(std::move(g), a.first, r.x_shape().cols - a.first - a.second);
    },
    [](Var<T> t, const Recorded<T>& r) { return slice_cols(std::move(t), r.attribute().first, r.attribute().second); });

template <class T>
const Primitive<T> ShapeOps<T>::pad_cols_op = linear_function<T>(
    "pad_cols", 1, pad_shape<Axis::cols>,
    [](const Call<T>& call) {
      for (Index i = 0; i < call.y.rows(); ++i)
        pad(call.x[0].row(i), call.attribute.first, call.attribute.second, call.y.row(i));
    },
    [](Var<T> g, const Recorded<T>& r) { return slice_cols(std::move(g), r.attribute().first, r.x_shape().cols); },
    [](Var<T> t, const Recorded<T>& r) { return pad_cols(std::move(t), r.attribute().first, r.attribute().second); });

template <class T>
const Primitive<T> ShapeOps<T>::concat_rows_op = {
    .name = "concat_rows",
    .arity = 2,
    .shape =
        [](const char* name, const Shapes& x, const Attribute&) {
          if (x[0].cols != x[1].cols)
            throw InputError(text(name, ": a is ", x[0], " but b is ", x[1], "; a.cols must equal b.cols"));
          return Shape{x[0].rows + x[1].rows, x[0].cols};
        },
    .value =
        [](const Call<T>& call) {
          T* second = std::ranges::copy(call.x[0].span(), call.y.data()).out;
          std::ranges::copy(call.x[1].span(), second);
        },
    .pullback = {[](Var<T> g, const Recorded<T>& r) { return slice_rows(std::move(g), 0, r.x_shape(0).rows); },
                 [](Var<T> g, const Recorded<T>& r) {
                   return slice_rows(std::move(g), r.x_shape(0).rows, r.x_shape(1).rows);
                 }},
    .pushforward = {[](Var<T> t, const Recorded<T>& r) { return pad_rows(std::move(t), 0, r.x_shape(1).rows); },
                    [](Var<T> t, const Recorded<T>& r) { return pad_rows(std::move(t), r.x_shape(0).rows, 0); }},
    .reads = {nothing, nothing}};

// Columns by index: constant in the index.

template <class T>
const Primitive<T> ShapeOps<T>::gather_cols_op = linear_function<T>(
    "gather_cols", 2,
    [](const char* name, const Shapes& x, const Attribute&) {
      if (x[0].rows != x[1].rows)
        throw InputError(text(name, ": x is ", x[0], " but index is ", x[1], "; their rows must be equal"));
      return x[1];
    },
    [](const Call<T>& call) {
      const auto &x = call.x[0], &index = call.x[1];
      for (Index i = 0; i < index.rows(); ++i)
        for (Index j = 0; j < index.cols(); ++j)
          call.y(i, j) = x(i, column_number("gather_cols", "index", index(i, j), i, x.cols()));
    },
    [](Var<T> g, const Recorded<T>& r) { return scatter_add_cols(std::move(g), r.x(1), r.x_shape(0).cols); },
    [](Var<T> t, const Recorded<T>& r) { return gather_cols(std::move(t), r.x(1)); });

// first: columns of the output
template <class T>
const Primitive<T> ShapeOps<T>::scatter_add_cols_op = linear_function<T>(
    "scatter_add_cols", 2,
    [](const char* name, const Shapes& x, const Attribute& a) {
      if (x[0] != x[1]) throw InputError(text(name, ": g is ", x[0], " but index is ", x[1], "; they must be equal"));
      return Shape{x[0].rows, a.first};
    },
    [](const Call<T>& call) {
      const auto &g = call.x[0], &index = call.x[1];
      std::ranges::fill(call.y.span(), T{0});
      for (Index i = 0; i < g.rows(); ++i)
        for (Index j = 0; j < g.cols(); ++j)
          call.y(i, column_number("scatter_add_cols", "index", index(i, j), i, call.y.cols())) += g(i, j);
    },
    [](Var<T> h, const Recorded<T>& r) { return gather_cols(std::move(h), r.x(1)); },
    [](Var<T> t, const Recorded<T>& r) { return scatter_add_cols(std::move(t), r.x(1), r.attribute().first); });

template struct ShapeOps<float>;
template struct ShapeOps<double>;

}  // namespace normalign
