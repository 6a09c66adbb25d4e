#include "python/bindings/tape/tape.hpp"

#include <sstream>
#include <unordered_map>

#include "autodiff/check/print.hpp"
#include "autodiff/ops.hpp"
#include "nn/grokalign.hpp"
#include "nn/mlp.hpp"
#include "python/bindings/bindings.hpp"
#include "python/bindings/models/network.hpp"

namespace normalign::python {
namespace {

using namespace py::literals;

// The tapes that there are, by their graphs. The interpreter's lock guards it.
std::unordered_map<const void*, AnyTape*>& tapes() {
  static auto* all = new std::unordered_map<const void*, AnyTape*>;  // never deleted: a tape may go last
  return *all;
}

}  // namespace

const char* precision_name(bool is_double) { return is_double ? "float64" : "float32"; }

py::dtype precision_dtype(bool is_double) { return is_double ? py::dtype::of<double>() : py::dtype::of<float>(); }

// ---- what a tape is --------------------------------------------------------------------------------------------

AnyTape::AnyTape(std::variant<Held<float>, Held<double>> held) : held_(std::move(held)) { tapes()[graph()] = this; }

AnyTape::~AnyTape() { tapes().erase(graph()); }

std::shared_ptr<AnyTape> AnyTape::made(bool is_double) {
  if (is_double) return std::shared_ptr<AnyTape>(new AnyTape(Held<double>{.own = std::make_unique<Tape<double>>()}));
  return std::shared_ptr<AnyTape>(new AnyTape(Held<float>{.own = std::make_unique<Tape<float>>()}));
}

std::shared_ptr<AnyTape> AnyTape::lent(Tape<double>& tape) {
  return std::shared_ptr<AnyTape>(new AnyTape(Held<double>{.own = nullptr, .tape = &tape}));
}

void AnyTape::end_loan() { std::get<Held<double>>(held_).tape = nullptr; }

template <class T>
std::shared_ptr<AnyTape> AnyTape::of(const Var<T>& var) {
  return tapes().at(&detail::Graph<T>::of("Tape", var))->shared_from_this();
}

const void* AnyTape::graph() const {
  return std::visit(
      []<class T>(const Held<T>& held) -> const void* { return &detail::Graph<T>::of("Tape", held.keeper); }, held_);
}

template <class T>
AnyVar AnyTape::var(Var<T> var) {
  using Graph = detail::Graph<T>;
  if (!Graph::is_recorded(var) && !Graph::value(var).block) {
    Graph& graph = Graph::of("Tape", var);
    var = graph.loose(graph.copy(var.value()), Graph::lost(var));
  }
  return {shared_from_this(), std::move(var)};
}

void AnyTape::clear() {
  if (uses_ > 0) throw InputError("clear: found a function of yours that runs on the tape, expected it to have ended");
  visit([](auto& tape) { tape.clear(); });
  kept_.clear();
}

void AnyTape::keep(const py::object& object) {
  if (kept_.empty() || !kept_.back().is(object)) kept_.push_back(object);
}

void AnyTape::enter(Scope scope) {
  with_held([&]<class T>(Held<T>& held) {
    Tape<T>& tape = held.get();
    if (scope == Scope::without_recording) {
      if (without_recording_++ == 0) held.without_recording = std::make_unique<WithoutRecording<T>>(tape);
      return;
    }
    if (!held.own) throw InputError("nan_check: found the tape of a gradcheck, which watches it, expected another");
    if (nan_checks_++ == 0) held.nan_check = std::make_unique<NanCheck<T>>(tape);
  });
}

void AnyTape::leave(Scope scope) {
  with_held([&](auto& held) {
    if (scope == Scope::without_recording) {
      if (--without_recording_ == 0) held.without_recording.reset();
    } else if (--nan_checks_ == 0) {
      held.nan_check.reset();
    }
  });
}

template <class T>
const Var<T>& AnyVar::as(const char* name) const {
  if (const auto* found = std::get_if<Var<T>>(&var)) return *found;
  constexpr bool is_double = std::is_same_v<T, double>;
  throw InputError(text(name, ": found a Var of a ", precision_name(!is_double), " tape and one of a ",
                        precision_name(is_double), " tape, expected Vars of one tape"));
}

double number_from(const py::handle& argument) {
  const double number = PyFloat_AsDouble(argument.ptr());
  if (number == -1 && PyErr_Occurred()) throw py::error_already_set();
  return number;
}

Operand Operand::of(const char* name, const py::object& argument) {
  if (argument.is_none()) throw py::type_error(text(name, ": found None, expected a Var or an array"));
  return {argument, py::isinstance<AnyVar>(argument) ? &argument.cast<const AnyVar&>() : nullptr};
}

template <class T>
Var<T> Operand::on(const char* name, Tape<T>& tape, Flat flat) const {
  if (var) return var->as<T>(name);
  py::array array = array_of(name, ArrayLike{object});
  if (flat == Flat::column) array = as_column(array);
  return tape.constant(MatrixArgument<T>(name, array, Values::any));
}

std::shared_ptr<AnyTape> tape_of(const char* name, std::initializer_list<const Operand*> operands) {
  for (const Operand* operand : operands)
    if (operand->var) return operand->var->tape;
  throw InputError(text(name, ": found ",
                        std::string(py::str(py::type::of((*operands.begin())->object).attr("__name__"))),
                        ", expected a Var: tape.variable or tape.constant makes one of an array"));
}

#define NORMALIGN_INSTANTIATE(T)                                \
  template const Var<T>& AnyVar::as(const char*) const;         \
  template std::shared_ptr<AnyTape> AnyTape::of(const Var<T>&); \
  template AnyVar AnyTape::var(Var<T>);                         \
  template Var<T> Operand::on(const char*, Tape<T>&, Flat) const;
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

// ---- how Python sees it ----------------------------------------------------------------------------------------

namespace {

// A scope that Python enters and leaves.
struct TapeScope {
  std::shared_ptr<AnyTape> tape;
  AnyTape::Scope scope;
  int entered = 0;

  void enter() {
    tape->enter(scope);
    ++entered;
  }
  void leave(const py::args&) {
    if (entered == 0) throw InputError("Tape: found the end of a scope that was not entered, expected `with`");
    --entered;
    tape->leave(scope);
  }
};

AnyVar leaf(const std::shared_ptr<AnyTape>& tape, const ArrayLike& value, bool is_variable) {
  return tape->visit([&]<class T>(Tape<T>& on) {
    const MatrixArgument<T> matrix(is_variable ? "variable" : "constant", value, Values::any);
    return tape->var(is_variable ? on.variable(matrix) : on.constant(matrix));
  });
}

AnyVar labels(const std::shared_ptr<AnyTape>& tape, const ArrayLike& values) {
  const py::array array = array_of("labels", values);
  return tape->visit(
      [&](auto& on) { return tape->var(on.labels(labels_argument("labels", ArrayLike{array}, array.size()))); });
}

std::string printed(const std::shared_ptr<AnyTape>& tape) {
  std::ostringstream out;
  tape->visit([&](auto& on) { print(on, out); });
  std::string table = out.str();
  table.pop_back();  // the end of the last line
  return table;
}

std::string described_tape(const std::shared_ptr<AnyTape>& tape) {
  return tape->visit([&](auto& on) {
    return text("Tape(", precision_name(tape->is_double()), ", ", on.nodes(), " nodes, ", on.bytes(), " bytes)");
  });
}

// A network on a tape. The tape keeps the network for as long as a node borrows from it.
class NetworkOnTape {
 public:
  NetworkOnTape(std::shared_ptr<AnyTape> tape, py::object network) : network_(std::move(network)), tape_(tape) {
    tape->keep(network_);
    tape->visit([&]<class T>(Tape<T>& on) { bound_ = network_.cast<const Network&>().mlp<T>().on(on); });
  }

  AnyVar operator()(const Operand& x) {
    return on_tape([&]<class T>(MlpOnTape<T>& bound, Tape<T>& tape) { return bound(x.on("Network", tape)); });
  }
  AnyVar offset(const Operand& x, const AnyVar& f) {
    return on_tape([&]<class T>(MlpOnTape<T>& bound, Tape<T>& tape) {
      return bound.offset(x.on("offset", tape), f.as<T>("offset"));
    });
  }
  std::vector<AnyVar> parameters() const {
    return std::visit(
        [&](const auto& bound) {
          std::vector<AnyVar> all;
          for (const auto& parameter : bound.parameters()) all.push_back(tape_->var(parameter));
          return all;
        },
        bound_);
  }

 private:
  template <class Compute>
  AnyVar on_tape(const Compute& compute) {
    return tape_->visit([&]<class T>(Tape<T>& tape) {
      tape_->keep(network_);
      return tape_->var(compute(std::get<MlpOnTape<T>>(bound_), tape));
    });
  }

  py::object network_;
  std::shared_ptr<AnyTape> tape_;
  std::variant<MlpOnTape<float>, MlpOnTape<double>> bound_;
};

py::array random_directions(Index samples, Index outputs, std::uint64_t seed, std::uint32_t step,
                            const py::object& dtype) {
  if (samples < 0 || outputs < 1)
    throw InputError(text("random_directions: found ", samples, " samples and ", outputs,
                          " outputs, expected none or more of those and one or more of these"));
  std::vector<Index> rows(static_cast<std::size_t>(samples));
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<Index>(i);
  const auto drawn = [&]<class T>(Matrix<T> v) -> py::array {
    fill_directions<T>({}, 0, v, rows, seed, step);
    return array_from(std::move(v));
  };
  return is_double_precision(dtype) ? drawn(Matrix<double>(samples, outputs)) : drawn(Matrix<float>(samples, outputs));
}

void bind_scope(py::module_& module) {
  py::class_<TapeScope>(module, "TapeScope", "What `tape.without_recording()` and `tape.nan_check()` give to `with`.")
      .def("__enter__", &TapeScope::enter)
      .def("__exit__", &TapeScope::leave);
}

void bind_network(py::module_& module) {
  py::class_<NetworkOnTape>(module, "NetworkOnTape", "A network whose parameters are variables of a tape.")
      .def("__call__", &NetworkOnTape::operator(), "x"_a, R"(
f(x): x is (n, d), a Var or an array, and the result (n, k). Rows of x that are one-hot make the first product a gather.)")
      .def("offset", &NetworkOnTape::offset, "x"_a, "f"_a, R"(
The offsets b(x) = f(x) - J(x) x of the samples, (n, k), which may be differentiated by the parameters.

x, f: those of the last call, in which they must be the network's input and output.)")
      .def_property_readonly("parameters", &NetworkOnTape::parameters, R"(
The weight (d_out, d_in) and the bias (1, d_out) of each layer in order, as a list of Vars.)");
}

void bind_makers(py::class_<AnyTape, std::shared_ptr<AnyTape>>& tape) {
  const auto variable = [](const std::shared_ptr<AnyTape>& on, const ArrayLike& value) {
    return leaf(on, value, true);
  };
  const auto constant = [](const std::shared_ptr<AnyTape>& on, const ArrayLike& value) {
    return leaf(on, value, false);
  };
  const auto full = [](const std::shared_ptr<AnyTape>& on, std::pair<Index, Index> shape, double value) {
    return on->visit([&](auto& of) { return on->var(of.full({shape.first, shape.second}, value)); });
  };
  const auto network = [](const std::shared_ptr<AnyTape>& on, const py::object& net) {
    if (!py::isinstance<Network>(net))
      throw py::type_error("network: found " + std::string(py::str(py::type::of(net).attr("__name__"))) +
                           ", expected a Network");
    return NetworkOnTape(on, net);
  };
  tape.def("variable", variable, "value"_a, R"(
A Var that derivatives are taken with respect to. value: an array (n, d), which is copied.)")
      .def("constant", constant, "value"_a, "A Var without derivatives. value: an array (n, d), which is copied.")
      .def("full", full, "shape"_a, "value"_a, "A constant of that shape (n, d), filled with one number.")
      .def("labels", &labels, "labels"_a, "Class numbers (n,) as a constant (n, 1), as the cross entropies take them.")
      .def("network", network, "net"_a, R"(
A `Network` as a function of Vars, with its parameters as variables. It computes in the tape's precision.)");
}

}  // namespace

void bind_tapes(py::module_& module) {
  py::class_<AnyTape, std::shared_ptr<AnyTape>> tape(module, "Tape", R"(
Records operations so that derivatives can be taken, and owns the memory of every value on it.

All values are matrices. A Var keeps its tape alive. After `clear` Vars that were recorded are forgotten, and using one
raises InputError; the memory is used again. A tape and its Vars hold the interpreter's lock as they compute.)");
  bind_vars(module);
  bind_operations(module);
  bind_own_operations(module);
  bind_derivatives(module);
  bind_scope(module);
  bind_network(module);
  tape.def(py::init([](const py::object& dtype) { return AnyTape::made(is_double_precision(dtype)); }),
           "dtype"_a = "float64", "An empty tape. dtype: float64 or float32; tapes do not mix.");
  bind_makers(tape);
  tape.def("clear", &AnyTape::clear, "Forgets every recorded node; values that were not recorded stay.")
      .def(
          "without_recording",
          [](const std::shared_ptr<AnyTape>& on) {
            return TapeScope{on, AnyTape::Scope::without_recording};
          },
          R"(
For `with`: within it nothing is recorded, and every result is a constant.)")
      .def(
          "nan_check",
          [](const std::shared_ptr<AnyTape>& on) {
            return TapeScope{on, AnyTape::Scope::nan_check};
          },
          R"(
For `with`: within it RunError names the first operation whose result holds a NaN, or an infinity from finite inputs.)");
  const auto count = [&](const char* name, auto of, const char* doc) {
    tape.def_property_readonly(
        name, [of](AnyTape& self) { return self.visit([&](const auto& on) { return of(on); }); }, doc);
  };
  count(
      "nodes", [](const auto& on) { return on.nodes(); }, "How many nodes are recorded.");
  count(
      "buffers", [](const auto& on) { return on.buffers(); }, "Blocks of memory in use by values, recorded or not.");
  count(
      "bytes", [](const auto& on) { return on.bytes(); }, "Bytes in use by values, recorded or not.");
  count(
      "peak_bytes", [](const auto& on) { return on.peak_bytes(); }, "The most bytes in use since the last clear.");
  tape.def_property_readonly(
          "dtype", [](const AnyTape& self) { return precision_dtype(self.is_double()); }, "float64 or float32.")
      .def("__str__", &printed)
      .def("__repr__", &described_tape);
  module.def("random_directions", &random_directions, "samples"_a, "outputs"_a, py::kw_only(), "seed"_a = 0,
             "step"_a = 0, "dtype"_a = "float64", R"(
Rows that are uniform on the unit sphere of R^outputs, (samples, outputs): those with which GrokAlign estimates norms.

seed, step: which random numbers are drawn; the same ones as in C++.)");
}

}  // namespace normalign::python
