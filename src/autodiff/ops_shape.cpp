#include "autodiff/ops_shape.hpp"

#include <algorithm>
#include <utility>

#include "autodiff/shape_rules.hpp"

namespace normalign {
namespace {

// Slices: first = first row or column, second = their number. Pads: zeros before and after.

template <class T>
constexpr Primitive<T> slice_rows_op = {
    .name = "slice_rows",
    .arity = 1,
    .shape =
        [](const char* name, const Shapes& x, const Attribute& a) {
          if (a.first < 0 || a.second < 0 || Index{a.first} + a.second > x[0].rows)
            throw InputError(text(name, ": x is ", x[0], " but rows ", a.first, " to ", Index{a.first} + a.second - 1,
                                  " were asked for"));
          return Shape{a.second, x[0].cols};
        },
    .value =
        [](const Call<T>& call) {
          std::ranges::copy(call.x[0].row_block(call.attribute.first, call.attribute.second).span(), call.y.data());
        },
    .pullback = {[](Var<T> g, const Recorded<T>& r) {
      const auto& a = r.attribute();
      return pad_rows(std::move(g), a.first, r.x_shape().rows - a.first - a.second);
    }},
    .pushforward = {[](Var<T> t, const Recorded<T>& r) {
      return slice_rows(std::move(t), r.attribute().first, r.attribute().second);
    }},
    .reads = {nothing}};

template <class T>
constexpr Primitive<T> pad_rows_op = {.name = "pad_rows",
                                      .arity = 1,
                                      .shape =
                                          [](const char* name, const Shapes& x, const Attribute& a) {
                                            if (a.first < 0 || a.second < 0)
                                              throw InputError(text(name, ": ", a.first, " rows before and ", a.second,
                                                                    " after were asked for; neither may be negative"));
                                            return Shape{a.first + x[0].rows + a.second, x[0].cols};
                                          },
                                      .value =
                                          [](const Call<T>& call) {
                                            const Index cols = call.y.cols();
                                            T* y = std::fill_n(call.y.data(), call.attribute.first * cols, T{0});
                                            y = std::ranges::copy(call.x[0].span(), y).out;
                                            std::fill_n(y, call.attribute.second * cols, T{0});
                                          },
                                      .pullback = {[](Var<T> g, const Recorded<T>& r) {
                                        return slice_rows(std::move(g), r.attribute().first, r.x_shape().rows);
                                      }},
                                      .pushforward = {[](Var<T> t, const Recorded<T>& r) {
                                        return pad_rows(std::move(t), r.attribute().first, r.attribute().second);
                                      }},
                                      .reads = {nothing}};

template <class T>
constexpr Primitive<T> slice_cols_op = {
    .name = "slice_cols",
    .arity = 1,
    .shape =
        [](const char* name, const Shapes& x, const Attribute& a) {
          if (a.first < 0 || a.second < 0 || Index{a.first} + a.second > x[0].cols)
            throw InputError(text(name, ": x is ", x[0], " but columns ", a.first, " to ",
                                  Index{a.first} + a.second - 1, " were asked for"));
          return Shape{x[0].rows, a.second};
        },
    .value =
        [](const Call<T>& call) {
          for (Index i = 0; i < call.y.rows(); ++i)
            std::copy_n(call.x[0].row(i).begin() + call.attribute.first, call.y.cols(), call.y.row(i).begin());
        },
    .pullback = {[](Var<T> g, const Recorded<T>& r) {
      const auto& a = r.attribute();
      return pad_cols(std::move(g), a.first, r.x_shape().cols - a.first - a.second);
    }},
    .pushforward = {[](Var<T> t, const Recorded<T>& r) {
      return slice_cols(std::move(t), r.attribute().first, r.attribute().second);
    }},
    .reads = {nothing}};

template <class T>
constexpr Primitive<T> pad_cols_op = {
    .name = "pad_cols",
    .arity = 1,
    .shape =
        [](const char* name, const Shapes& x, const Attribute& a) {
          if (a.first < 0 || a.second < 0)
            throw InputError(text(name, ": ", a.first, " columns before and ", a.second,
                                  " after were asked for; neither may be negative"));
          return Shape{x[0].rows, a.first + x[0].cols + a.second};
        },
    .value =
        [](const Call<T>& call) {
          for (Index i = 0; i < call.y.rows(); ++i) {
            auto y = std::fill_n(call.y.row(i).begin(), call.attribute.first, T{0});
            y = std::ranges::copy(call.x[0].row(i), y).out;
            std::fill_n(y, call.attribute.second, T{0});
          }
        },
    .pullback = {[](Var<T> g, const Recorded<T>& r) {
      return slice_cols(std::move(g), r.attribute().first, r.x_shape().cols);
    }},
    .pushforward = {[](Var<T> t, const Recorded<T>& r) {
      return pad_cols(std::move(t), r.attribute().first, r.attribute().second);
    }},
    .reads = {nothing}};

template <class T>
constexpr Primitive<T> concat_rows_op = {
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

// ---- columns by index: constant in the index ------------------------------------------------------------------------

template <class T>
constexpr Primitive<T> gather_cols_op = {
    .name = "gather_cols",
    .arity = 2,
    .shape =
        [](const char* name, const Shapes& x, const Attribute&) {
          if (x[0].rows != x[1].rows)
            throw InputError(text(name, ": x is ", x[0], " but index is ", x[1], "; their rows must be equal"));
          return x[1];
        },
    .value =
        [](const Call<T>& call) {
          const auto &x = call.x[0], &index = call.x[1];
          for (Index i = 0; i < index.rows(); ++i)
            for (Index j = 0; j < index.cols(); ++j)
              call.y(i, j) = x(i, column_number("gather_cols", "index", index(i, j), i, x.cols()));
        },
    .pullback = {[](Var<T> g, const Recorded<T>& r) {
      return scatter_add_cols(std::move(g), r.x(1), r.x_shape(0).cols);
    }},
    .pushforward = {[](Var<T> t, const Recorded<T>& r) { return gather_cols(std::move(t), r.x(1)); }},
    .reads = {x1}};

// first: columns of the output
template <class T>
constexpr Primitive<T> scatter_add_cols_op = {
    .name = "scatter_add_cols",
    .arity = 2,
    .shape =
        [](const char* name, const Shapes& x, const Attribute& a) {
          if (x[0] != x[1])
            throw InputError(text(name, ": g is ", x[0], " but index is ", x[1], "; they must be equal"));
          return Shape{x[0].rows, a.first};
        },
    .value =
        [](const Call<T>& call) {
          const auto &g = call.x[0], &index = call.x[1];
          std::ranges::fill(call.y.span(), T{0});
          for (Index i = 0; i < g.rows(); ++i)
            for (Index j = 0; j < g.cols(); ++j)
              call.y(i, column_number("scatter_add_cols", "index", index(i, j), i, call.y.cols())) += g(i, j);
        },
    .pullback = {[](Var<T> h, const Recorded<T>& r) { return gather_cols(std::move(h), r.x(1)); }},
    .pushforward = {[](Var<T> t, const Recorded<T>& r) {
      return scatter_add_cols(std::move(t), r.x(1), r.attribute().first);
    }},
    .reads = {x1}};

Attribute pair(const char* name, Index first, Index second) {
  return {.first = attribute_number(name, first), .second = attribute_number(name, second)};
}

}  // namespace

// ---- the functions that users call ----------------------------------------------------------------------------------

template <class T>
Var<T> slice_rows(Var<T> x, Index first, Index count) {
  return apply(slice_rows_op<T>, {&x}, pair("slice_rows", first, count));
}
template <class T>
Var<T> slice_cols(Var<T> x, Index first, Index count) {
  return apply(slice_cols_op<T>, {&x}, pair("slice_cols", first, count));
}
template <class T>
Var<T> pad_rows(Var<T> x, Index before, Index after) {
  return apply(pad_rows_op<T>, {&x}, pair("pad_rows", before, after));
}
template <class T>
Var<T> pad_cols(Var<T> x, Index before, Index after) {
  return apply(pad_cols_op<T>, {&x}, pair("pad_cols", before, after));
}
template <class T>
Var<T> concat_rows(Var<T> a, Var<T> b) {
  return apply(concat_rows_op<T>, {&a, &b});
}
template <class T>
Var<T> concat_rows(std::span<const Var<T>> parts) {
  if (parts.empty()) throw InputError("concat_rows: there are no parts; there must be at least one");
  if (parts.size() == 1) return parts[0];
  // By halves, so that each row is copied log2(parts) times.
  const std::size_t half = parts.size() / 2;
  return concat_rows(concat_rows(parts.first(half)), concat_rows(parts.subspan(half)));
}
template <class T>
Var<T> gather_cols(Var<T> x, Var<T> index) {
  return apply(gather_cols_op<T>, {&x, &index});
}
template <class T>
Var<T> scatter_add_cols(Var<T> g, Var<T> index, Index cols) {
  return apply(scatter_add_cols_op<T>, {&g, &index}, pair("scatter_add_cols", cols, 0));
}

template <class T>
std::span<const Primitive<T>* const> shape_primitives() {
  static constexpr const Primitive<T>* all[] = {&slice_rows_op<T>,      &slice_cols_op<T>,  &pad_rows_op<T>,
                                                &pad_cols_op<T>,        &concat_rows_op<T>, &gather_cols_op<T>,
                                                &scatter_add_cols_op<T>};
  return all;
}

#define NORMALIGN_INSTANTIATE(T)                           \
  template Var<T> slice_rows(Var<T>, Index, Index);        \
  template Var<T> slice_cols(Var<T>, Index, Index);        \
  template Var<T> pad_rows(Var<T>, Index, Index);          \
  template Var<T> pad_cols(Var<T>, Index, Index);          \
  template Var<T> concat_rows(Var<T>, Var<T>);             \
  template Var<T> concat_rows(std::span<const Var<T>>);    \
  template Var<T> gather_cols(Var<T>, Var<T>);             \
  template Var<T> scatter_add_cols(Var<T>, Var<T>, Index); \
  template std::span<const Primitive<T>* const> shape_primitives();
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign
