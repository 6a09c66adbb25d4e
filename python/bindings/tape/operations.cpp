// The functions of `ops`, which are those of autodiff/ and nn/losses.hpp in both precisions.
#include "autodiff/ops.hpp"
#include "nn/losses.hpp"
#include "python/bindings/bindings.hpp"
#include "python/bindings/tape/tape.hpp"

namespace normalign::python {
namespace {

using namespace py::literals;

template <class T, std::size_t>
using VarAt = Var<T>;
template <std::size_t>
using OperandAt = const Operand&;

// An operation in both precisions: of Vars, and of what else Numbers says.
template <class Positions, class... Numbers>
struct Both;
template <std::size_t... i, class... Numbers>
struct Both<std::index_sequence<i...>, Numbers...> {
  const char* name;
  Operand::Flat flat;  // what the last Var may be made of
  Var<float> (*in_float)(VarAt<float, i>..., Numbers...);
  Var<double> (*in_double)(VarAt<double, i>..., Numbers...);

  AnyVar operator()(OperandAt<i>... operands, Numbers... numbers) const {
    const auto tape = tape_of(name, {&operands...});
    return tape->visit([&]<class T>(Tape<T>& on) {
      const auto var = [&](const Operand& operand, bool is_last) {
        return operand.on(name, on, is_last ? flat : Operand::Flat::refused);
      };
      if constexpr (std::is_same_v<T, double>)
        return tape->var(in_double(var(operands, i + 1 == sizeof...(i))..., numbers...));
      else
        return tape->var(in_float(var(operands, i + 1 == sizeof...(i))..., numbers...));
    });
  }
  template <class... Named>
  void define(py::module_& ops, const Named&... named) const {
    const Both both = *this;
    ops.def(
        name, [both](OperandAt<i>... operands, Numbers... numbers) { return both(operands..., numbers...); }, named...);
  }
};

/// Defines `name` as an operation of so many Vars and those numbers; `named` names them and says what it does.
template <std::size_t vars, class... Numbers, class Function, class... Named>
void define(py::module_& ops, const char* name, Function function, const Named&... named) {
  Both<std::make_index_sequence<vars>, Numbers...>{name, Operand::Flat::refused, function, function}.define(ops,
                                                                                                            named...);
}
/// The same where the last Var may be made of an array (n,), for the column that this stands for.
template <std::size_t vars, class... Numbers, class Function, class... Named>
void define_with_labels(py::module_& ops, const char* name, Function function, const Named&... named) {
  Both<std::make_index_sequence<vars>, Numbers...>{name, Operand::Flat::column, function, function}.define(ops,
                                                                                                           named...);
}

using Extents = std::pair<Index, Index>;

Shape shape(const Extents& extents) { return {extents.first, extents.second}; }

CrossEntropyGradient cross_entropy_gradient(const std::string& name) {
  if (name == "subtracted") return CrossEntropyGradient::subtracted;
  if (name == "accurate") return CrossEntropyGradient::accurate;
  throw InputError(text("gradient: found '", name, "', expected 'subtracted' or 'accurate'"));
}

void define_functions(py::module_& ops) {
  const auto unary = [&](const char* name, auto function, const char* doc) {
    define<1>(ops, name, function, "x"_a, doc);
  };
  unary(
      "exp", [](auto x) { return exp(x); }, "e^x.");
  unary(
      "log", [](auto x) { return log(x); }, "The natural logarithm; -inf at 0 and NaN below.");
  unary(
      "sqrt", [](auto x) { return sqrt(x); }, R"(
The square root; its derivative at 0 is infinite, so put a floor inside: sqrt(clamp_min(x, 1e-8)).)");
  unary(
      "square", [](auto x) { return square(x); }, "x * x.");
  unary(
      "abs", [](auto x) { return abs(x); }, "|x|; derivative 0 at 0.");
  unary(
      "sign", [](auto x) { return sign(x); }, "-1, 0 or 1; derivative 0 everywhere.");
  unary(
      "relu", [](auto x) { return relu(x); }, "max(x, 0); derivative 0 at 0.");
  unary(
      "tanh", [](auto x) { return tanh(x); }, "The hyperbolic tangent.");
  unary(
      "sigmoid", [](auto x) { return sigmoid(x); }, "1 / (1 + e^-x).");
  unary(
      "softplus", [](auto x) { return softplus(x); }, "log(1 + e^x), without overflow.");
  unary(
      "silu", [](auto x) { return silu(x); }, "x sigmoid(x).");
  unary(
      "normal_cdf", [](auto x) { return normal_cdf(x); }, "The standard normal distribution's mass below x.");
  unary(
      "gelu", [](auto x) { return gelu(x); }, "x normal_cdf(x).");
  unary(
      "gelu_tanh", [](auto x) { return gelu_tanh(x); }, "The approximation of gelu by tanh.");
  define<1, double>(
      ops, "pow", [](auto x, double power) { return pow(x, power); }, "x"_a, "power"_a, "x to a fixed power.");
  define<1, double>(
      ops, "leaky_relu", [](auto x, double slope) { return leaky_relu(x, slope); }, "x"_a, "slope"_a = 0.01,
      "x where x > 0, slope x elsewhere; derivative `slope` at 0.");
  define<1, double>(
      ops, "clamp_min", [](auto x, double minimum) { return clamp_min(x, minimum); }, "x"_a, "minimum"_a,
      "max(x, minimum); derivative 1 at the bound.");
  define<1, double, double>(
      ops, "affine", [](auto x, double scale, double shift) { return affine(x, scale, shift); }, "x"_a, "scale"_a,
      "shift"_a, "scale x + shift, with plain numbers.");
  define<2, double>(
      ops, "gate", [](auto g, auto y, double slope) { return gate(g, y, slope); }, "g"_a, "y"_a, "slope"_a = 0.0, R"(
g where y > 0, slope g elsewhere: the derivative of a (leaky) ReLU, with zero derivative in y. Both are (n, d).)");
  define<2, double>(
      ops, "gate_from", [](auto g, auto y, double bound) { return gate_from(g, y, bound); }, "g"_a, "y"_a, "bound"_a,
      "g where y >= bound, 0 elsewhere, with zero derivative in y. Both are (n, d).");
}

void define_sums(py::module_& ops) {
  const auto unary = [&](const char* name, auto function, const char* doc) {
    define<1>(ops, name, function, "x"_a, doc);
  };
  unary(
      "sum", [](auto x) { return sum(x); }, "The sum of all values, (1, 1).");
  unary(
      "mean", [](auto x) { return mean(x); }, "The mean of all values, (1, 1).");
  unary(
      "row_sum", [](auto x) { return row_sum(x); }, "The sum over each row: (n, d) to (n, 1).");
  unary(
      "row_square_sum", [](auto x) { return row_square_sum(x); }, "The squared length of each row: (n, d) to (n, 1).");
  unary(
      "col_sum", [](auto x) { return col_sum(x); }, "The sum over each column: (n, d) to (1, d).");
  unary(
      "logsumexp", [](auto x) { return logsumexp(x); }, "log(sum_j exp x_ij) of each row: (n, d) to (n, 1).");
  unary(
      "softmax", [](auto x) { return softmax(x); }, "exp(x_ij - logsumexp_i): each row sums to 1.");
  unary(
      "log_softmax", [](auto x) { return log_softmax(x); }, "x_ij - logsumexp_i.");
  define<1, Extents>(
      ops, "broadcast_to", [](auto x, Extents to) { return broadcast_to(x, shape(to)); }, "x"_a, "shape"_a,
      "x repeated to a shape (n, d); each extent of x is 1 or equal.");
  define<1, Extents>(
      ops, "sum_to", [](auto x, Extents to) { return sum_to(x, shape(to)); }, "x"_a, "shape"_a,
      "x summed over the extents in which it is larger than a shape, which undoes a broadcast.");
  define_with_labels<2, const std::string&>(
      ops, "cross_entropy_rows",
      [](auto logits, auto labels, const std::string& gradient) {
        return cross_entropy_rows(logits, labels, cross_entropy_gradient(gradient));
      },
      "logits"_a, "labels"_a, "gradient"_a = "subtracted", R"(
Each row's cross entropy logsumexp_i - x_{i, label_i}: logits (n, k) and class numbers (n,) or (n, 1) to (n, 1).

gradient: 'subtracted', as in PyTorch: it vanishes where a sample is fitted very well; or 'accurate', which never does.)");
  define_with_labels<2>(
      ops, "softmax_minus_label", [](auto logits, auto labels) { return softmax_minus_label(logits, labels); },
      "logits"_a, "labels"_a, "The derivative of each row's cross entropy in its logits, (n, k).");
}

void define_losses(py::module_& ops) {
  define_with_labels<2, Index, const std::string&>(
      ops, "cross_entropy",
      [](auto logits, auto labels, Index samples, const std::string& gradient) {
        return cross_entropy(logits, labels, samples, cross_entropy_gradient(gradient));
      },
      "logits"_a, "labels"_a, "samples"_a = 0, "gradient"_a = "subtracted", R"(
Mean over samples of the softmax cross entropy in nats: logits (n, k), class numbers (n,) or (n, 1).

samples: how many the mean is over, where the rows are part of a batch; 0: the rows. gradient: see cross_entropy_rows.)");
  define<2, Index>(
      ops, "mse", [](auto f, auto targets, Index samples) { return mse(f, targets, samples); }, "f"_a, "targets"_a,
      "samples"_a = 0, "Mean over samples and outputs of (f - target)^2; both are (n, k). samples: see cross_entropy.");
  define<2, Index>(
      ops, "bce", [](auto f, auto targets, Index samples) { return bce(f, targets, samples); }, "f"_a, "targets"_a,
      "samples"_a = 0, R"(
Mean over samples and outputs of the binary cross entropy, in nats, of sigmoid(f) against targets in [0, 1].

f, targets: (n, k). samples: see cross_entropy.)");
}

void define_products(py::module_& ops) {
  define<2, bool, bool>(
      ops, "matmul",
      [](auto a, auto b, bool transpose_a, bool transpose_b) {
        return matmul(a, b, {.a = transpose_a, .b = transpose_b});
      },
      "a"_a, "b"_a, "transpose_a"_a = false, "transpose_b"_a = false, "a b, each transposed where its flag says so.");
  define<3, bool, bool>(
      ops, "add_product",
      [](auto c, auto a, auto b, bool transpose_a, bool transpose_b) {
        return add_product(c, a, b, {.a = transpose_a, .b = transpose_b});
      },
      "c"_a, "a"_a, "b"_a, "transpose_a"_a = false, "transpose_b"_a = false, "c + a b; see matmul.");
  define<3>(
      ops, "linear", [](auto x, auto w, auto b) { return linear(x, w, b); }, "x"_a, "w"_a, "b"_a,
      "x w^T + b: x (n, d), w (m, d), b (1, m), to (n, m); the layer of a network.");
  define<2>(
      ops, "linear", [](auto x, auto w) { return linear(x, w); }, "x"_a, "w"_a, "x w^T, a layer without bias.");
  define<1>(
      ops, "transpose", [](auto x) { return transpose(x); }, "x"_a, "x^T.");
  define<3>(
      ops, "hot_linear", [](auto x, auto w, auto hot) { return hot_linear(x, w, hot); }, "x"_a, "w"_a, "hot"_a, R"(
x w^T for x of rows that are 1 at few columns and 0 elsewhere: x (n, d), w (m, d), hot (n, c), to (n, m).

hot: the columns of the ones of each row, constant and distinct. Only the shape of x is looked at.)");
  define<2>(
      ops, "hot_sum", [](auto w, auto hot) { return hot_sum(w, hot); }, "w"_a, "hot"_a,
      "The same without x: y_ij = sum_c w_{j, hot_ic}.");
  define<2, Index>(
      ops, "hot_outer", [](auto g, auto hot, Index cols) { return hot_outer(g, hot, cols); }, "g"_a, "hot"_a, "cols"_a,
      "g^T x for such an x of `cols` columns: g (n, m), to (m, cols).");
}

AnyVar concat_rows(const std::vector<Operand>& parts) {
  for (const Operand& part : parts) {
    if (!part.var) continue;
    const auto tape = part.var->tape;
    return tape->visit([&]<class T>(Tape<T>& on) {
      std::vector<Var<T>> vars;
      for (const Operand& each : parts) vars.push_back(each.on("concat_rows", on));
      return tape->var(normalign::concat_rows(std::span<const Var<T>>(vars)));
    });
  }
  throw InputError("concat_rows: found no Var among the parts, expected one");
}

void define_moves(py::module_& ops) {
  const auto range = [&](const char* name, auto function, const char* first, const char* second, const char* doc) {
    define<1, Index, Index>(ops, name, function, "x"_a, py::arg(first), py::arg(second), doc);
  };
  range(
      "slice_rows", [](auto x, Index first, Index count) { return slice_rows(x, first, count); }, "first", "count",
      "Rows first, ..., first + count - 1 of x.");
  range(
      "slice_cols", [](auto x, Index first, Index count) { return slice_cols(x, first, count); }, "first", "count",
      "Columns first, ..., first + count - 1 of x.");
  range(
      "pad_rows", [](auto x, Index before, Index after) { return pad_rows(x, before, after); }, "before", "after",
      "x with zero rows put before and after it.");
  range(
      "pad_cols", [](auto x, Index before, Index after) { return pad_cols(x, before, after); }, "before", "after",
      "x with zero columns put before and after it.");
  define<2>(
      ops, "gather_cols", [](auto x, auto index) { return gather_cols(x, index); }, "x"_a, "index"_a, R"(
y_ij = x_{i, index_ij}: one or more picks from each row. index: (n, m), constant whole numbers.)");
  define<2, Index>(
      ops, "scatter_add_cols", [](auto g, auto index, Index cols) { return scatter_add_cols(g, index, cols); }, "g"_a,
      "index"_a, "cols"_a, "An (n, cols) matrix of zeros to which g_ij is added at (i, index_ij).");
  define<1>(
      ops, "detached", [](auto x) { return detached(x); }, "x"_a,
      "The value of x as a constant: derivatives do not flow through it.");
  ops.def("concat_rows", &concat_rows, "parts"_a, "The rows of all the parts, a list, in order.");
}

}  // namespace

void bind_operations(py::module_& module) {
  py::module_ ops = module.def_submodule("ops", R"(
The operations on Vars, by their names in C++.

Where a function takes a Var it takes an array too, of two dimensions, which is a constant; one operand is a Var.)");
  define_functions(ops);
  define_sums(ops);
  define_losses(ops);
  define_products(ops);
  define_moves(ops);
}

}  // namespace normalign::python
