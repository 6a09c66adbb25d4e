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
using InputShapes = std::vector<std::vector<Shape>>;

const InputShapes one_input = {{{1, 1}}, {{1, 5}}, {{4, 1}}, {{3, 4}}, {{0, 3}}};
const InputShapes two_equal = {
    {{1, 1}, {1, 1}}, {{1, 4}, {1, 4}}, {{5, 1}, {5, 1}}, {{3, 4}, {3, 4}}, {{0, 2}, {0, 2}}};
const InputShapes broadcasts = {{{3, 4}, {1, 4}}, {{1, 4}, {3, 4}}, {{3, 4}, {3, 1}}, {{3, 1}, {3, 4}},
                                {{3, 4}, {1, 1}}, {{1, 1}, {3, 4}}, {{3, 1}, {1, 4}}, {{1, 4}, {3, 1}},
                                {{1, 1}, {1, 4}}, {{4, 1}, {1, 1}}};
const InputShapes not_broadcastable = {{{3, 4}, {2, 4}}, {{3, 4}, {3, 3}}, {{3, 4}, {4, 3}}};

// Naive definitions.

// The matrix whose entry in row i and column j is f(i, j).
template <class F>
M made(Index rows, Index cols, F f) {
  M y(rows, cols);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < cols; ++j) y(i, j) = f(i, j);
  return y;
}

M each(const M& x, double (*f)(double)) {
  return made(x.rows(), x.cols(), [&](Index i, Index j) { return f(x(i, j)); });
}

M each_pair(const M& a, const M& b, double (*f)(double, double)) {
  const auto at = [](const M& x, Index i, Index j) { return x(x.rows() == 1 ? 0 : i, x.cols() == 1 ? 0 : j); };
  return made(a.rows() == 1 ? b.rows() : a.rows(), a.cols() == 1 ? b.cols() : a.cols(),
              [&](Index i, Index j) { return f(at(a, i, j), at(b, i, j)); });
}

M transposed(const M& x) {
  return made(x.cols(), x.rows(), [&](Index i, Index j) { return x(j, i); });
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
  return made(rows, cols, [&](Index i, Index j) {
    const Index from = first_row + i, at = first_col + j;
    return from >= 0 && from < x.rows() && at >= 0 && at < x.cols() ? x(from, at) : 0;
  });
}

M row_sums(const M& x) {
  M y(x.rows(), 1);
  for (Index i = 0; i < x.rows(); ++i)
    for (double v : x.row(i)) y(i, 0) += v;
  return y;
}

M total_of(const M& x) { return row_sums(transposed(row_sums(x))); }

M naive_logsumexp(const M& x) { return each(row_sums(each(x, std::exp)), std::log); }

M naive_log_softmax(const M& x) {
  return each_pair(x, naive_logsumexp(x), [](double value, double total) { return value - total; });
}

M naive_softmax(const M& x) { return each(naive_log_softmax(x), std::exp); }

// The index of the picks below: deterministic, with repeats.
Index pick(Index i, Index j, Index cols) { return (3 * i + 2 * j + 1) % cols; }

M naive_cross_entropy(Values x) {
  const M log_p = naive_log_softmax(x[0]);
  return made(log_p.rows(), 1, [&](Index i, Index) { return -log_p(i, pick(i, 0, log_p.cols())); });
}

// A constant of the given shape whose entries pick columns of `cols`, and that of one pick for each row of x.
V picks(Tape64& tape, Shape shape, Index cols) {
  return tape.constant(
      made(shape.rows, shape.cols, [&](Index i, Index j) { return static_cast<double>(pick(i, j, cols)); }));
}
V labels(Tape64& tape, const V& x) { return picks(tape, {x.rows(), 1}, x.cols()); }

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

// Of an operator, which says the same of Vars and of numbers.
template <class F>
OpRow binary(const char* name, F f, double low = -2) {
  OpRow row{.name = name,
            .shapes = two_equal,
            .function = [f](Tape64&, Inputs x) { return f(x[0], x[1]); },
            .naive = [f](Values x) { return each_pair(x[0], x[1], f); },
            .low = low,
            .misfits = not_broadcastable,
            .message = "each extent must be equal or 1"};
  row.shapes.insert(row.shapes.end(), broadcasts.begin(), broadcasts.end());
  return row;
}

OpRow mask(const char* name, V (*f)(V, V), double (*naive)(double, double), double bound = 0) {
  return kinked({.name = name,
                 .shapes = two_equal,
                 .function = [f](Tape64&, Inputs x) { return f(x[0], x[1]); },
                 .naive = [naive](Values x) { return each_pair(x[0], x[1], naive); },
                 .misfits = {{{3, 4}, {1, 4}}, {{3, 4}, {4, 3}}, {{3, 4}, {3, 1}}},
                 .message = "must be equal"},
                bound);
}

// op(a) op(b) of two inputs, c + op(a) op(b) of three.
OpRow product_row(const char* name, Transposes op, InputShapes shapes, InputShapes misfits) {
  const bool is_sum = shapes.front().size() == 3;
  return {.name = name,
          .shapes = std::move(shapes),
          .function = [=](Tape64&,
                          Inputs x) { return is_sum ? add_product(x[0], x[1], x[2], op) : matmul(x[0], x[1], op); },
          .naive = [=](Values x) { return is_sum ? plus(x[0], product(x[1], x[2], op)) : product(x[0], x[1], op); },
          .misfits = std::move(misfits),
          .message = is_sum ? "must" : "must equal"};
}

// The rows, in the order of the files.

std::vector<OpRow> elementwise_rows() {  // NOLINT(readability-function-size): a table
  return {
      binary("add", [](auto a, auto b) { return a + b; }),
      binary("subtract", [](auto a, auto b) { return a - b; }),
      binary("multiply", [](auto a, auto b) { return a * b; }),
      {.name = "multiply by itself",
       .shapes = one_input,
       .function = [](Tape64&, Inputs x) { return x[0] * x[0]; },
       .naive = [](Values x) { return each(x[0], [](double v) { return v * v; }); }},
      binary(
          "divide", [](auto a, auto b) { return a / b; }, 0.5),
      unary(
          "affine", [](V x) { return affine(x, -1.5, 0.25); }, [](double x) { return 0.25 - 1.5 * x; }),
      unary(
          "affine through operators", [](V x) { return 3 - (2 * (1 + x) - 0.5) * 4; },
          [](double x) { return 3 - (2 * (1 + x) - 0.5) * 4; }),
      unary(
          "divide_by", [](V x) { return x / 7; }, [](double x) { return x / 7; }),
      unary(
          "divide_into", [](V x) { return 2 / x; }, [](double x) { return 2 / x; }, 0.5, 2),
      unary("exp", exp, std::exp),
      unary("log", log, std::log, 0.5, 3),
      unary("sqrt", sqrt, std::sqrt, 0.5, 3),
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
      unary("tanh", tanh, std::tanh),
      unary(
          "sigmoid", [](V x) { return sigmoid(x); }, [](double x) { return 1 / (1 + std::exp(-x)); }),
      unary(
          "softplus", [](V x) { return softplus(x); }, [](double x) { return std::log(1 + std::exp(x)); }),
      unary(
          "silu", [](V x) { return silu(x); }, [](double x) { return x / (1 + std::exp(-x)); }),
      unary("normal_cdf", normal_cdf, [](double x) { return (1 + std::erf(x / std::sqrt(2))) / 2; }),
      unary("gelu", gelu, [](double x) { return x * (1 + std::erf(x / std::sqrt(2))) / 2; }),
      unary(
          "gelu_tanh", gelu_tanh,
          [](double x) { return x / 2 * (1 + std::tanh(std::sqrt(2 / std::acos(-1)) * (x + 0.044715 * x * x * x))); }),
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
      mask(
          "gate", [](V g, V y) { return gate(g, y); }, [](double g, double y) { return y > 0 ? g : 0; }),
      mask(
          "gate with a slope", [](V g, V y) { return gate(g, y, 0.1); },
          [](double g, double y) { return y > 0 ? g : 0.1 * g; }),
      mask(
          "gate_from", [](V g, V y) { return gate_from(g, y, -0.4); },
          [](double g, double y) { return y >= -0.4 ? g : 0; }, -0.4),
  };
}

std::vector<OpRow> linear_rows() {
  return {
      product_row("matmul", {},
                  {{{1, 1}, {1, 1}}, {{3, 4}, {4, 2}}, {{1, 4}, {4, 1}}, {{4, 1}, {1, 3}}, {{3, 0}, {0, 2}}},
                  {{{3, 4}, {3, 4}}}),
      product_row("matmul aᵀ b", {.a = true}, {{{4, 3}, {4, 2}}, {{1, 3}, {1, 2}}}, {{{3, 4}, {4, 2}}}),
      product_row("matmul a bᵀ", {.b = true}, {{{3, 4}, {2, 4}}, {{1, 4}, {1, 4}}}, {{{3, 4}, {4, 2}}}),
      product_row("matmul aᵀ bᵀ", {.a = true, .b = true}, {{{4, 3}, {2, 4}}}, {{{3, 4}, {4, 2}}}),
      {.name = "matmul with itself",
       .shapes = {{{3, 3}}, {{3, 2}}},
       .function = [](Tape64&, Inputs x) { return matmul(x[0], x[0], {.b = true}); },
       .naive = [](Values x) { return product(x[0], transposed(x[0])); }},
      product_row("add_product", {}, {{{3, 2}, {3, 4}, {4, 2}}, {{1, 1}, {1, 1}, {1, 1}}},
                  {{{3, 2}, {3, 4}, {3, 2}}, {{2, 3}, {3, 4}, {4, 2}}}),
      product_row("add_product aᵀ b", {.a = true}, {{{3, 2}, {4, 3}, {4, 2}}}, {{{3, 2}, {3, 4}, {4, 2}}}),
      product_row("add_product a bᵀ", {.b = true}, {{{3, 2}, {3, 4}, {2, 4}}}, {{{3, 2}, {3, 4}, {4, 2}}}),
      product_row("add_product aᵀ bᵀ", {.a = true, .b = true}, {{{3, 2}, {4, 3}, {2, 4}}}, {{{3, 2}, {3, 4}, {4, 2}}}),
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

std::vector<OpRow> reduce_rows() {  // NOLINT(readability-function-size): a table
  const InputShapes with_values = {{{1, 1}}, {{1, 5}}, {{4, 1}}, {{3, 4}}};
  return {
      {.name = "sum",
       .shapes = one_input,
       .function = [](Tape64&, Inputs x) { return sum(x[0]); },
       .naive = [](Values x) { return total_of(x[0]); }},
      {.name = "sum over the size: mean",
       .shapes = with_values,
       .function = [](Tape64&, Inputs x) { return mean(x[0]); },
       .naive = [](Values x) { return M{{total_of(x[0])(0, 0) / static_cast<double>(x[0].size())}}; },
       .misfits = {{{0, 3}}},
       .message = "it must hold a value"},
      {.name = "row_sum",
       .shapes = one_input,
       .function = [](Tape64&, Inputs x) { return row_sum(x[0]); },
       .naive = [](Values x) { return row_sums(x[0]); }},
      {.name = "row_square_sum",
       .shapes = one_input,
       .function = [](Tape64&, Inputs x) { return row_square_sum(x[0]); },
       .naive = [](Values x) { return row_sums(each(x[0], [](double v) { return v * v; })); }},
      {.name = "col_sum",
       .shapes = {{{1, 1}}, {{1, 5}}, {{4, 1}}, {{3, 4}}, {{0, 3}}, {{2, 150}}},
       .function = [](Tape64&, Inputs x) { return col_sum(x[0]); },
       .naive = [](Values x) { return transposed(row_sums(transposed(x[0]))); }},
      {.name = "broadcast_to",
       .shapes = {{{1, 1}}, {{1, 4}}, {{3, 1}}, {{3, 4}}},
       .function =
           [](Tape64&, Inputs x) {
             return broadcast_to(x[0], Shape{3, 4});
           },
       .naive = [](Values x) { return plus(M(3, 4), x[0]); },
       .misfits = {{{2, 4}}, {{3, 3}}},
       .message = "each extent of x must be equal or 1"},
      {.name = "logsumexp",
       .shapes = with_values,
       .function = [](Tape64&, Inputs x) { return logsumexp(x[0]); },
       .naive = [](Values x) { return naive_logsumexp(x[0]); }},
      {.name = "softmax",
       .shapes = with_values,
       .function = [](Tape64&, Inputs x) { return softmax(x[0]); },
       .naive = [](Values x) { return naive_softmax(x[0]); }},
      {.name = "log_softmax",
       .shapes = with_values,
       .function = [](Tape64&, Inputs x) { return log_softmax(x[0]); },
       .naive = [](Values x) { return naive_log_softmax(x[0]); }},
      {.name = "cross_entropy_rows accurate",
       .shapes = with_values,
       .function =
           [](Tape64& tape, Inputs x) {
             return cross_entropy_rows(x[0], labels(tape, x[0]), CrossEntropyGradient::accurate);
           },
       .naive = naive_cross_entropy},
      {.name = "softmax_minus_label",
       .shapes = with_values,
       .function = [](Tape64& tape, Inputs x) { return softmax_minus_label(x[0], labels(tape, x[0])); },
       .naive =
           [](Values x) {
             const M p = naive_softmax(x[0]);
             return made(p.rows(), p.cols(), [&](Index i, Index j) { return p(i, j) - (j == pick(i, 0, p.cols())); });
           }},
      {.name = "cross_entropy_rows",
       .shapes = with_values,
       .function = [](Tape64& tape, Inputs x) { return cross_entropy_rows(x[0], labels(tape, x[0])); },
       .naive = naive_cross_entropy},
  };
}

std::vector<OpRow> shape_rows() {  // NOLINT(readability-function-size): a table
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
       .function =
           [](Tape64& tape, Inputs x) {
             return gather_cols(x[0], picks(tape, {x[0].rows(), 3}, x[0].cols()));
           },
       .naive =
           [](Values x) {
             return made(x[0].rows(), 3, [&](Index i, Index j) { return x[0](i, pick(i, j, x[0].cols())); });
           }},
      {.name = "scatter_add_cols",
       .shapes = {{{1, 1}}, {{3, 4}}, {{4, 6}}},
       .function = [](Tape64& tape, Inputs x) { return scatter_add_cols(x[0], picks(tape, x[0].shape(), 5), 5); },
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
  return tape.constant(made(rows, 2, [&](Index i, Index c) { return static_cast<double>((i + 2 - c) % cols); }));
}

std::vector<OpRow> hot_rows() {
  return {
      // hot_linear presumes that x is multi-hot, so x is a constant here and its derivatives are checked by the tests
      // of ops_hot against the dense product.
      {.name = "hot_linear",
       .shapes = {{{3, 4}}, {{1, 2}}},
       .function =
           [](Tape64& tape, Inputs x) {
             const Index cols = x[0].cols();
             return hot_linear(tape.constant(multi_hot(5, cols)), x[0], hot_of(tape, 5, cols));
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
