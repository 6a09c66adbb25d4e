#include "autodiff/check/op_table.hpp"

#include <cmath>

#include "autodiff/ops.hpp"
#include "linalg/random.hpp"

namespace normalign {
namespace {

using Tape64 = Tape<double>;
using V = Var<double>;
using M = Matrix<double>;
using Inputs = std::span<const V>;
using Values = std::span<const M>;

const std::vector<std::vector<Shape>> one_input = {{{1, 1}}, {{1, 5}}, {{4, 1}}, {{3, 4}}, {{0, 3}}};
const std::vector<std::vector<Shape>> two_equal = {
    {{1, 1}, {1, 1}}, {{1, 4}, {1, 4}}, {{5, 1}, {5, 1}}, {{3, 4}, {3, 4}}, {{0, 2}, {0, 2}}};
const std::vector<std::vector<Shape>> broadcasts = {
    {{3, 4}, {1, 4}}, {{1, 4}, {3, 4}}, {{3, 4}, {3, 1}}, {{3, 1}, {3, 4}}, {{3, 4}, {1, 1}},
    {{1, 1}, {3, 4}}, {{3, 1}, {1, 4}}, {{1, 4}, {3, 1}}, {{1, 1}, {1, 4}}, {{4, 1}, {1, 1}}};
const std::vector<std::vector<Shape>> not_broadcastable = {{{3, 4}, {2, 4}}, {{3, 4}, {3, 3}}, {{3, 4}, {4, 3}}};

// ---- naive definitions ----------------------------------------------------------------------------------------------

M each(const M& x, double (*f)(double)) {
  M y(x.rows(), x.cols());
  for (Index i = 0; i < x.rows(); ++i)
    for (Index j = 0; j < x.cols(); ++j) y(i, j) = f(x(i, j));
  return y;
}

M each_pair(const M& a, const M& b, double (*f)(double, double)) {
  M y(a.rows() == 1 ? b.rows() : a.rows(), a.cols() == 1 ? b.cols() : a.cols());
  for (Index i = 0; i < y.rows(); ++i)
    for (Index j = 0; j < y.cols(); ++j)
      y(i, j) = f(a(a.rows() == 1 ? 0 : i, a.cols() == 1 ? 0 : j), b(b.rows() == 1 ? 0 : i, b.cols() == 1 ? 0 : j));
  return y;
}

M transposed(const M& x) {
  M y(x.cols(), x.rows());
  for (Index i = 0; i < x.rows(); ++i)
    for (Index j = 0; j < x.cols(); ++j) y(j, i) = x(i, j);
  return y;
}

M product(const M& a, const M& b) {
  M y(a.rows(), b.cols());
  for (Index i = 0; i < a.rows(); ++i)
    for (Index j = 0; j < b.cols(); ++j)
      for (Index k = 0; k < a.cols(); ++k) y(i, j) += a(i, k) * b(k, j);
  return y;
}

M product(const M& a, const M& b, Transposes op) { return product(op.a ? transposed(a) : a, op.b ? transposed(b) : b); }

M plus(const M& a, const M& b) {
  return each_pair(a, b, [](double x, double y) { return x + y; });
}

// Rows first ... first + rows - 1 and columns likewise of x, zero where x has none.
M window(const M& x, Index first_row, Index rows, Index first_col, Index cols) {
  M y(rows, cols);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < cols; ++j) {
      const Index from = first_row + i, at = first_col + j;
      if (from >= 0 && from < x.rows() && at >= 0 && at < x.cols()) y(i, j) = x(from, at);
    }
  return y;
}

double naive_logsumexp(const M& x, Index row) {
  double total = 0;
  for (Index j = 0; j < x.cols(); ++j) total += std::exp(x(row, j));
  return std::log(total);
}

// The index of the picks below: deterministic, with repeats.
Index pick(Index i, Index j, Index cols) { return (3 * i + 2 * j + 1) % cols; }

M naive_cross_entropy(Values x) {
  M y(x[0].rows(), 1);
  for (Index i = 0; i < y.rows(); ++i) y(i, 0) = naive_logsumexp(x[0], i) - x[0](i, pick(i, 0, x[0].cols()));
  return y;
}

M pick_matrix(Index rows, Index picks, Index cols) {
  M index(rows, picks);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < picks; ++j) index(i, j) = static_cast<double>(pick(i, j, cols));
  return index;
}

// ---- kinds of rows
// ----------------------------------------------------------------------------------------------------

OpRow unary(const char* name, V (*f)(V), double (*naive)(double), double low = -2, double high = 2) {
  return {.name = name,
          .shapes = one_input,
          .function = [f](Tape64&, Inputs x) { return f(x[0]); },
          .naive = [naive](Values x) { return each(x[0], naive); },
          .low = low,
          .high = high};
}

OpRow kinked(OpRow row, double at = 0) {
  row.kink = at;
  row.gap = 0.05;
  return row;
}

OpRow binary(const char* name, V (*f)(V, V), double (*naive)(double, double), double low = -2) {
  OpRow row{.name = name,
            .shapes = two_equal,
            .function = [f](Tape64&, Inputs x) { return f(x[0], x[1]); },
            .naive = [naive](Values x) { return each_pair(x[0], x[1], naive); },
            .low = low,
            .misfits = not_broadcastable,
            .message = "each extent must be equal or 1"};
  row.shapes.insert(row.shapes.end(), broadcasts.begin(), broadcasts.end());
  return row;
}

OpRow matmul_row(const char* name, Transposes op, std::vector<std::vector<Shape>> shapes,
                 std::vector<std::vector<Shape>> misfits) {
  return {.name = name,
          .shapes = std::move(shapes),
          .function = [op](Tape64&, Inputs x) { return matmul(x[0], x[1], op); },
          .naive = [op](Values x) { return product(x[0], x[1], op); },
          .misfits = std::move(misfits),
          .message = "must equal"};
}

OpRow add_product_row(const char* name, Transposes op, std::vector<std::vector<Shape>> shapes,
                      std::vector<std::vector<Shape>> misfits) {
  return {.name = name,
          .shapes = std::move(shapes),
          .function = [op](Tape64&, Inputs x) { return add_product(x[0], x[1], x[2], op); },
          .naive = [op](Values x) { return plus(x[0], product(x[1], x[2], op)); },
          .misfits = std::move(misfits),
          .message = "must"};
}

// ---- the rows, in the order of the files
// ------------------------------------------------------------------------------

std::vector<OpRow> elementwise_rows() {
  return {
      binary(
          "add", [](V a, V b) { return a + b; }, [](double a, double b) { return a + b; }),
      binary(
          "subtract", [](V a, V b) { return a - b; }, [](double a, double b) { return a - b; }),
      binary(
          "multiply", [](V a, V b) { return a * b; }, [](double a, double b) { return a * b; }),
      {.name = "multiply by itself",
       .shapes = one_input,
       .function = [](Tape64&, Inputs x) { return x[0] * x[0]; },
       .naive = [](Values x) { return each(x[0], [](double v) { return v * v; }); }},
      binary(
          "divide", [](V a, V b) { return a / b; }, [](double a, double b) { return a / b; }, 0.5),
      unary(
          "affine", [](V x) { return affine(x, -1.5, 0.25); }, [](double x) { return 0.25 - 1.5 * x; }),
      unary(
          "affine through operators", [](V x) { return 3 - (2 * (1 + x) - 0.5) * 4; },
          [](double x) { return 3 - (2 * (1 + x) - 0.5) * 4; }),
      unary(
          "divide_by", [](V x) { return x / 7; }, [](double x) { return x / 7; }),
      unary(
          "divide_into", [](V x) { return 2 / x; }, [](double x) { return 2 / x; }, 0.5, 2),
      unary(
          "exp", [](V x) { return exp(x); }, [](double x) { return std::exp(x); }),
      unary(
          "log", [](V x) { return log(x); }, [](double x) { return std::log(x); }, 0.5, 3),
      unary(
          "sqrt", [](V x) { return sqrt(x); }, [](double x) { return std::sqrt(x); }, 0.5, 3),
      unary(
          "square", [](V x) { return square(x); }, [](double x) { return x * x; }),
      unary(
          "pow 3", [](V x) { return pow(x, 3); }, [](double x) { return x * x * x; }),
      unary(
          "pow 2.5", [](V x) { return pow(x, 2.5); }, [](double x) { return std::sqrt(x) * x * x; }, 0.5, 2),
      unary(
          "pow -1", [](V x) { return pow(x, -1); }, [](double x) { return 1 / x; }, 0.5, 2),
      unary(
          "pow 1", [](V x) { return pow(x, 1); }, [](double x) { return x; }),
      unary(
          "pow 0", [](V x) { return pow(x, 0); }, [](double) { return 1.0; }),
      unary(
          "tanh", [](V x) { return tanh(x); }, [](double x) { return std::tanh(x); }),
      unary(
          "sigmoid", [](V x) { return sigmoid(x); }, [](double x) { return 1 / (1 + std::exp(-x)); }),
      unary(
          "softplus", [](V x) { return softplus(x); }, [](double x) { return std::log(1 + std::exp(x)); }),
      unary(
          "silu", [](V x) { return silu(x); }, [](double x) { return x / (1 + std::exp(-x)); }),
      kinked(unary(
          "abs", [](V x) { return abs(x); }, [](double x) { return x < 0 ? -x : x; })),
      kinked(unary(
          "relu", [](V x) { return relu(x); }, [](double x) { return x > 0 ? x : 0; })),
      kinked(unary(
          "leaky_relu", [](V x) { return leaky_relu(x, 0.2); }, [](double x) { return x > 0 ? x : 0.2 * x; })),
      kinked(unary(
                 "clamp_min", [](V x) { return clamp_min(x, 0.3); }, [](double x) { return x > 0.3 ? x : 0.3; }),
             0.3),
      kinked(unary(
          "sign", [](V x) { return sign(x); }, [](double x) { return x > 0 ? 1.0 : -1.0; })),
      kinked({.name = "gate",
              .shapes = two_equal,
              .function = [](Tape64&, Inputs x) { return gate(x[0], x[1]); },
              .naive = [](Values x) { return each_pair(x[0], x[1], [](double g, double y) { return y > 0 ? g : 0; }); },
              .misfits = {{{3, 4}, {1, 4}}, {{3, 4}, {4, 3}}},
              .message = "must be equal"}),
      kinked(
          {.name = "gate with a slope",
           .shapes = two_equal,
           .function = [](Tape64&, Inputs x) { return gate(x[0], x[1], 0.1); },
           .naive =
               [](Values x) { return each_pair(x[0], x[1], [](double g, double y) { return y > 0 ? g : 0.1 * g; }); }}),
      kinked({.name = "gate_from",
              .shapes = two_equal,
              .function = [](Tape64&, Inputs x) { return gate_from(x[0], x[1], -0.4); },
              .naive =
                  [](Values x) { return each_pair(x[0], x[1], [](double g, double y) { return y >= -0.4 ? g : 0; }); },
              .misfits = {{{3, 4}, {3, 1}}},
              .message = "must be equal"},
             -0.4),
  };
}

std::vector<OpRow> linear_rows() {
  return {
      matmul_row("matmul", {},
                 {{{1, 1}, {1, 1}}, {{3, 4}, {4, 2}}, {{1, 4}, {4, 1}}, {{4, 1}, {1, 3}}, {{3, 0}, {0, 2}}},
                 {{{3, 4}, {3, 4}}}),
      matmul_row("matmul aᵀ b", {.a = true}, {{{4, 3}, {4, 2}}, {{1, 3}, {1, 2}}}, {{{3, 4}, {4, 2}}}),
      matmul_row("matmul a bᵀ", {.b = true}, {{{3, 4}, {2, 4}}, {{1, 4}, {1, 4}}}, {{{3, 4}, {4, 2}}}),
      matmul_row("matmul aᵀ bᵀ", {.a = true, .b = true}, {{{4, 3}, {2, 4}}}, {{{3, 4}, {4, 2}}}),
      {.name = "matmul with itself",
       .shapes = {{{3, 3}}, {{3, 2}}},
       .function = [](Tape64&, Inputs x) { return matmul(x[0], x[0], {.b = true}); },
       .naive = [](Values x) { return product(x[0], transposed(x[0])); }},
      add_product_row("add_product", {}, {{{3, 2}, {3, 4}, {4, 2}}, {{1, 1}, {1, 1}, {1, 1}}},
                      {{{3, 2}, {3, 4}, {3, 2}}, {{2, 3}, {3, 4}, {4, 2}}}),
      add_product_row("add_product aᵀ b", {.a = true}, {{{3, 2}, {4, 3}, {4, 2}}}, {{{3, 2}, {3, 4}, {4, 2}}}),
      add_product_row("add_product a bᵀ", {.b = true}, {{{3, 2}, {3, 4}, {2, 4}}}, {{{3, 2}, {3, 4}, {4, 2}}}),
      add_product_row("add_product aᵀ bᵀ", {.a = true, .b = true}, {{{3, 2}, {4, 3}, {2, 4}}},
                      {{{3, 2}, {3, 4}, {4, 2}}}),
      {.name = "linear",
       .shapes = {{{3, 4}, {2, 4}, {1, 2}}, {{1, 1}, {1, 1}, {1, 1}}, {{0, 4}, {2, 4}, {1, 2}}},
       .function = [](Tape64&, Inputs x) { return linear(x[0], x[1], x[2]); },
       .naive = [](Values x) { return plus(product(x[0], transposed(x[1])), x[2]); },
       .misfits = {{{3, 4}, {4, 2}, {1, 2}}, {{3, 4}, {2, 4}, {2, 1}}},
       .message = "must"},
      {.name = "transpose",
       .shapes = one_input,
       .function = [](Tape64&, Inputs x) { return transpose(x[0]); },
       .naive = [](Values x) { return transposed(x[0]); }},
  };
}

std::vector<OpRow> reduce_rows() {
  const std::vector<std::vector<Shape>> with_values = {{{1, 1}}, {{1, 5}}, {{4, 1}}, {{3, 4}}};
  return {
      {.name = "sum",
       .shapes = one_input,
       .function = [](Tape64&, Inputs x) { return sum(x[0]); },
       .naive =
           [](Values x) {
             M y(1, 1);
             for (double v : x[0].span()) y(0, 0) += v;
             return y;
           }},
      {.name = "sum over the size: mean",
       .shapes = with_values,
       .function = [](Tape64&, Inputs x) { return mean(x[0]); },
       .naive =
           [](Values x) {
             M y(1, 1);
             for (double v : x[0].span()) y(0, 0) += v / static_cast<double>(x[0].size());
             return y;
           },
       .misfits = {{{0, 3}}},
       .message = "it must hold a value"},
      {.name = "row_sum",
       .shapes = one_input,
       .function = [](Tape64&, Inputs x) { return row_sum(x[0]); },
       .naive =
           [](Values x) {
             M y(x[0].rows(), 1);
             for (Index i = 0; i < x[0].rows(); ++i)
               for (double v : x[0].row(i)) y(i, 0) += v;
             return y;
           }},
      {.name = "row_square_sum",
       .shapes = one_input,
       .function = [](Tape64&, Inputs x) { return row_square_sum(x[0]); },
       .naive =
           [](Values x) {
             M y(x[0].rows(), 1);
             for (Index i = 0; i < x[0].rows(); ++i)
               for (double v : x[0].row(i)) y(i, 0) += v * v;
             return y;
           }},
      {.name = "col_sum",
       .shapes = {{{1, 1}}, {{1, 5}}, {{4, 1}}, {{3, 4}}, {{0, 3}}, {{2, 150}}},
       .function = [](Tape64&, Inputs x) { return col_sum(x[0]); },
       .naive =
           [](Values x) {
             M y(1, x[0].cols());
             for (Index i = 0; i < x[0].rows(); ++i)
               for (Index j = 0; j < x[0].cols(); ++j) y(0, j) += x[0](i, j);
             return y;
           }},
      {.name = "broadcast_to",
       .shapes = {{{1, 1}}, {{1, 4}}, {{3, 1}}, {{3, 4}}},
       .function =
           [](Tape64&, Inputs x) {
             return broadcast_to(x[0], {3, 4});
           },
       .naive = [](Values x) { return plus(M(3, 4), x[0]); },
       .misfits = {{{2, 4}}, {{3, 3}}},
       .message = "each extent of x must be equal or 1"},
      {.name = "logsumexp",
       .shapes = with_values,
       .function = [](Tape64&, Inputs x) { return logsumexp(x[0]); },
       .naive =
           [](Values x) {
             M y(x[0].rows(), 1);
             for (Index i = 0; i < y.rows(); ++i) y(i, 0) = naive_logsumexp(x[0], i);
             return y;
           }},
      {.name = "softmax",
       .shapes = with_values,
       .function = [](Tape64&, Inputs x) { return softmax(x[0]); },
       .naive =
           [](Values x) {
             M y = x[0];
             for (Index i = 0; i < y.rows(); ++i)
               for (Index j = 0; j < y.cols(); ++j) y(i, j) = std::exp(x[0](i, j) - naive_logsumexp(x[0], i));
             return y;
           }},
      {.name = "log_softmax",
       .shapes = with_values,
       .function = [](Tape64&, Inputs x) { return log_softmax(x[0]); },
       .naive =
           [](Values x) {
             M y = x[0];
             for (Index i = 0; i < y.rows(); ++i)
               for (Index j = 0; j < y.cols(); ++j) y(i, j) = x[0](i, j) - naive_logsumexp(x[0], i);
             return y;
           }},
      {.name = "cross_entropy_rows accurate",
       .shapes = with_values,
       .function =
           [](Tape64& tape, Inputs x) {
             return cross_entropy_rows(x[0], tape.constant(pick_matrix(x[0].rows(), 1, x[0].cols())),
                                       CrossEntropyGradient::accurate);
           },
       .naive = naive_cross_entropy},
      {.name = "softmax_minus_label",
       .shapes = with_values,
       .function =
           [](Tape64& tape, Inputs x) {
             return softmax_minus_label(x[0], tape.constant(pick_matrix(x[0].rows(), 1, x[0].cols())));
           },
       .naive =
           [](Values x) {
             M y = x[0];
             for (Index i = 0; i < y.rows(); ++i)
               for (Index j = 0; j < y.cols(); ++j)
                 y(i, j) = std::exp(x[0](i, j) - naive_logsumexp(x[0], i)) - (j == pick(i, 0, y.cols()) ? 1 : 0);
             return y;
           }},
      {.name = "cross_entropy_rows",
       .shapes = with_values,
       .function =
           [](Tape64& tape, Inputs x) {
             return cross_entropy_rows(x[0], tape.constant(pick_matrix(x[0].rows(), 1, x[0].cols())));
           },
       .naive = naive_cross_entropy},
  };
}

std::vector<OpRow> shape_rows() {
  return {
      {.name = "slice_rows",
       .shapes = {{{4, 3}}, {{3, 1}}},
       .function = [](Tape64&, Inputs x) { return slice_rows(x[0], 1, 2); },
       .naive = [](Values x) { return window(x[0], 1, 2, 0, x[0].cols()); },
       .misfits = {{{2, 3}}},
       .message = "were asked for"},
      {.name = "slice_cols",
       .shapes = {{{3, 4}}, {{1, 3}}, {{0, 3}}},
       .function = [](Tape64&, Inputs x) { return slice_cols(x[0], 1, 2); },
       .naive = [](Values x) { return window(x[0], 0, x[0].rows(), 1, 2); },
       .misfits = {{{3, 2}}},
       .message = "were asked for"},
      {.name = "pad_rows",
       .shapes = one_input,
       .function = [](Tape64&, Inputs x) { return pad_rows(x[0], 2, 1); },
       .naive = [](Values x) { return window(x[0], -2, x[0].rows() + 3, 0, x[0].cols()); }},
      {.name = "pad_cols",
       .shapes = one_input,
       .function = [](Tape64&, Inputs x) { return pad_cols(x[0], 0, 2); },
       .naive = [](Values x) { return window(x[0], 0, x[0].rows(), 0, x[0].cols() + 2); }},
      {.name = "concat_rows",
       .shapes = {{{2, 3}, {1, 3}}, {{1, 1}, {1, 1}}, {{0, 2}, {3, 2}}},
       .function = [](Tape64&, Inputs x) { return concat_rows(x[0], x[1]); },
       .naive =
           [](Values x) {
             const Index rows = x[0].rows() + x[1].rows(), cols = x[0].cols();
             return plus(window(x[0], 0, rows, 0, cols), window(x[1], -x[0].rows(), rows, 0, cols));
           },
       .misfits = {{{2, 3}, {2, 2}}},
       .message = "a.cols must equal b.cols"},
      {.name = "concat_rows of a list",
       .shapes = {{{2, 3}, {1, 3}, {3, 3}}},
       .function = [](Tape64&, Inputs x) { return concat_rows(x); },
       .naive =
           [](Values x) {
             const Index cols = x[0].cols(), first = x[0].rows(), second = first + x[1].rows();
             const Index rows = second + x[2].rows();
             return plus(window(x[0], 0, rows, 0, cols),
                         plus(window(x[1], -first, rows, 0, cols), window(x[2], -second, rows, 0, cols)));
           }},
      {.name = "gather_cols",
       .shapes = {{{1, 1}}, {{3, 4}}, {{4, 2}}},
       .function = [](Tape64& tape,
                      Inputs x) { return gather_cols(x[0], tape.constant(pick_matrix(x[0].rows(), 3, x[0].cols()))); },
       .naive =
           [](Values x) {
             M y(x[0].rows(), 3);
             for (Index i = 0; i < y.rows(); ++i)
               for (Index j = 0; j < 3; ++j) y(i, j) = x[0](i, pick(i, j, x[0].cols()));
             return y;
           }},
      {.name = "scatter_add_cols",
       .shapes = {{{1, 1}}, {{3, 4}}, {{4, 6}}},
       .function =
           [](Tape64& tape, Inputs x) {
             return scatter_add_cols(x[0], tape.constant(pick_matrix(x[0].rows(), x[0].cols(), 5)), 5);
           },
       .naive =
           [](Values x) {
             M y(x[0].rows(), 5);
             for (Index i = 0; i < x[0].rows(); ++i)
               for (Index j = 0; j < x[0].cols(); ++j) y(i, pick(i, j, 5)) += x[0](i, j);
             return y;
           }},
  };
}

// The multi-hot matrix of three columns that row i's hot numbers (i + 2) % cols and (i + 1) % cols say.
M multi_hot(Index rows, Index cols) {
  M x(rows, cols);
  for (Index i = 0; i < rows; ++i) x(i, (i + 2) % cols) = x(i, (i + 1) % cols) = 1;
  return x;
}

V hot_of(Tape64& tape, Index rows, Index cols) {
  M hot(rows, 2);
  for (Index i = 0; i < rows; ++i) {
    hot(i, 0) = static_cast<double>((i + 2) % cols);
    hot(i, 1) = static_cast<double>((i + 1) % cols);
  }
  return tape.constant(hot);
}

std::vector<OpRow> hot_rows() {
  return {
      // hot_linear presumes that x is multi-hot, so x is a constant here and its derivatives are checked by the tests
      // of ops_hot against the dense product.
      {.name = "hot_linear",
       .shapes = {{{3, 4}}, {{1, 2}}},
       .function =
           [](Tape64& tape, Inputs x) {
             const V hot_x = tape.constant(multi_hot(5, x[0].cols()));
             return hot_linear(hot_x, x[0], hot_of(tape, 5, x[0].cols()));
           },
       .naive = [](Values x) { return product(multi_hot(5, x[0].cols()), transposed(x[0])); }},
      {.name = "hot_sum",
       .shapes = {{{3, 4}}, {{1, 2}}},
       .function = [](Tape64& tape, Inputs x) { return hot_sum(x[0], hot_of(tape, 5, x[0].cols())); },
       .naive = [](Values x) { return product(multi_hot(5, x[0].cols()), transposed(x[0])); }},
      {.name = "hot_outer",
       .shapes = {{{4, 3}}, {{1, 1}}},
       .function = [](Tape64& tape, Inputs x) { return hot_outer(x[0], hot_of(tape, x[0].rows(), 6), 6); },
       .naive = [](Values x) { return product(transposed(x[0]), multi_hot(x[0].rows(), 6)); }},
  };
}

}  // namespace

std::vector<Matrix<double>> OpRow::inputs(const std::vector<Shape>& input_shapes, std::uint64_t seed) const {
  std::vector<Matrix<double>> result;
  for (std::size_t k = 0; k < input_shapes.size(); ++k) {
    Matrix<double>& input = result.emplace_back(input_shapes[k].rows, input_shapes[k].cols);
    RandomRows(seed, Stream::gradcheck, 20).uniform(static_cast<std::uint32_t>(k), input.span(), low, high);
    for (double& value : input.span())
      if (std::abs(value - kink) < gap) value = kink + (value < kink ? -gap : gap);
  }
  return result;
}

const std::vector<OpRow>& op_table() {
  static const std::vector<OpRow> table = [] {
    std::vector<OpRow> all;
    for (auto&& part : {elementwise_rows(), linear_rows(), reduce_rows(), shape_rows(), hot_rows()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return table;
}

}  // namespace normalign
