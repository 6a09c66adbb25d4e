#include "autodiff/check/gradcheck.hpp"
#include "autodiff/grad.hpp"
#include "python/bindings/bindings.hpp"
#include "python/bindings/support/printed.hpp"
#include "python/bindings/tape/tape.hpp"

namespace normalign::python {

/// One Var or a list of them.
struct OneOrMore {
  std::vector<AnyVar> vars;
  bool is_one = false;
};

}  // namespace normalign::python

namespace pybind11::detail {

template <>
struct type_caster<normalign::python::OneOrMore> {
  PYBIND11_TYPE_CASTER(normalign::python::OneOrMore,
                       const_name("Union[normalign._core.Var, Sequence[normalign._core.Var]]"));
  bool load(handle source, bool) {
    make_caster<normalign::python::AnyVar> one;
    if (!source.is_none() && one.load(source, false)) {
      value = {{cast_op<const normalign::python::AnyVar&>(one)}, true};
      return true;
    }
    make_caster<std::vector<normalign::python::AnyVar>> list;
    if (!isinstance<sequence>(source) || !list.load(source, false)) return false;
    value = {cast_op<std::vector<normalign::python::AnyVar>&&>(std::move(list)), false};
    return true;
  }
};

}  // namespace pybind11::detail

namespace normalign::python {
namespace {

using namespace py::literals;
using Found = std::variant<AnyVar, std::vector<AnyVar>>;

template <class T>
std::vector<Var<T>> in_precision(const char* name, const std::vector<AnyVar>& all) {
  std::vector<Var<T>> result;
  for (const AnyVar& var : all) result.push_back(var.as<T>(name));
  return result;
}

template <class T>
std::vector<AnyVar> any_vars(AnyTape& tape, const std::vector<Var<T>>& all) {
  std::vector<AnyVar> result;
  for (const Var<T>& var : all) result.push_back(tape.var(var));
  return result;
}

Found found(std::vector<AnyVar> all, bool is_one) {
  if (is_one) return std::move(all.front());
  return all;
}

Found gradient(const AnyVar& f, const OneOrMore& wrt, const std::optional<Operand>& seed, bool create_graph) {
  return f.tape->visit([&]<class T>(Tape<T>& tape) {
    const GradOptions<T> options{.seed = seed ? seed->on("seed", tape) : Var<T>(), .create_graph = create_graph};
    const auto inputs = in_precision<T>("grad", wrt.vars);
    return found(any_vars(*f.tape, grad(f.as<T>("grad"), inputs, options)), wrt.is_one);
  });
}

AnyVar pushed_forward(const AnyVar& f, const AnyVar& x, const Operand& tangent, bool create_graph) {
  return f.tape->visit([&]<class T>(Tape<T>& tape) {
    const auto direction = tangent.on("tangent", tape);
    return f.tape->var(jvp(f.as<T>("jvp"), x.as<T>("jvp"), direction, {.create_graph = create_graph}));
  });
}

std::vector<AnyVar> jacobian_rows(const AnyVar& f, const AnyVar& x, bool create_graph) {
  return f.tape->visit([&]<class T>(Tape<T>&) {
    return any_vars(*f.tape, jacobian(f.as<T>("jacobian"), x.as<T>("jacobian"), {.create_graph = create_graph}));
  });
}

Found hessian_product(const AnyVar& loss, const OneOrMore& wrt, const py::object& direction) {
  std::vector<Operand> directions;
  if (wrt.is_one)
    directions.push_back(Operand::of("hvp", direction));
  else
    for (const py::handle one : direction)
      directions.push_back(Operand::of("hvp", py::reinterpret_borrow<py::object>(one)));
  return loss.tape->visit([&]<class T>(Tape<T>& tape) {
    std::vector<Var<T>> along;
    for (const Operand& one : directions) along.push_back(one.on("direction", tape));
    const auto inputs = in_precision<T>("hvp", wrt.vars);
    return found(any_vars(*loss.tape, hvp(loss.as<T>("hvp"), inputs, along)), wrt.is_one);
  });
}

// ---- gradcheck -------------------------------------------------------------------------------------------------

// What a function of Python's makes of Vars on a tape that is lent to it for as long as this lives.
class PythonFunction {
 public:
  explicit PythonFunction(py::function function) : function_(std::move(function)) {}
  ~PythonFunction() {
    if (tape_) tape_->end_loan();
  }
  PythonFunction(const PythonFunction&) = delete;
  PythonFunction& operator=(const PythonFunction&) = delete;

  Var<double> operator()(Tape<double>& tape, std::span<const Var<double>> x) {
    if (!tape_) tape_ = AnyTape::lent(tape);
    const AnyTape::InUse in_use(tape_);
    py::tuple arguments(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) arguments[i] = py::cast(tape_->var(x[i]));
    const py::object result = function_(*arguments);
    if (!py::isinstance<AnyVar>(result))
      throw InputError(text("gradcheck: found that the function returns ",
                            std::string(py::str(py::type::of(result).attr("__name__"))), ", expected a Var"));
    const AnyVar& var = result.cast<const AnyVar&>();
    if (var.tape != tape_)
      throw InputError(
          "gradcheck: found that the function returns a Var of another tape, expected one of its arguments'");
    return var.as<double>("gradcheck");
  }

 private:
  py::function function_;
  std::shared_ptr<AnyTape> tape_;
};

GradcheckReport checked(const py::function& function, const py::object& inputs, int order, double step,
                        const std::variant<double, std::array<double, 3>>& tolerance, std::uint64_t seed,
                        std::string name) {
  std::vector<Matrix<double>> matrices;
  const auto add = [&](const py::handle& input) {
    const ArrayLike array{py::reinterpret_borrow<py::object>(input)};
    matrices.emplace_back(MatrixArgument<double>("inputs", array).view());
  };
  if (py::isinstance<py::array>(inputs))
    add(inputs);
  else
    for (const py::handle input : inputs) add(input);
  const auto* const one = std::get_if<double>(&tolerance);
  const auto each = one ? std::array{*one, *one, *one} : std::get<1>(tolerance);
  PythonFunction call(function);
  return gradcheck([&](Tape<double>& tape, std::span<const Var<double>> x) { return call(tape, x); }, matrices,
                   {.name = std::move(name), .order = order, .step = step, .tolerance = each, .seed = seed});
}

std::string described(const GradcheckReport& report) {
  if (!report.passed) return "GradcheckReport(failed: " + report.failure + ")";
  return text("GradcheckReport(passed, errors ", joined(report.error, ", ", [](double error) { return text(error); }),
              ")");
}

void bind_gradcheck(py::module_& module) {
  py::class_<GradcheckReport>(module, "GradcheckReport", printed(), "What a check found; true where it passed.")
      .def_readonly("passed", &GradcheckReport::passed, "Whether it passed.")
      .def_readonly("error", &GradcheckReport::error,
                    "Largest relative errors against differences, by order; 0 for orders that were not checked.")
      .def_readonly("forward_error", &GradcheckReport::forward_error,
                    "Largest relative disagreement of forward and reverse mode, by order.")
      .def_readonly("failure", &GradcheckReport::failure, "Empty where it passed, else a line that says what is wrong.")
      .def("__bool__", [](const GradcheckReport& report) { return report.passed; })
      .def(printed_method, &described);
  module.def("gradcheck", &checked, "function"_a, "inputs"_a, py::kw_only(), "order"_a = 2, "step"_a = 1e-5,
             "tolerance"_a = 1e-6, "seed"_a = 0, "name"_a = "f", R"(
Checks every derivative of a function up to an order at `inputs`, entry by entry, against central differences.

function: takes as many Vars as there are inputs and returns a Var. inputs: a list of arrays, each (n, d), or one array.
order: 1, 2 or 3. step: of the differences, times max(1, |entry|). tolerance: the largest relative error that passes,
one number or one for each of three orders. seed: of the random directions that outputs are contracted with. name: what
the report calls the function. It also checks that forward and reverse mode agree. A point within a step of a kink is
refused, which the report tells as a failure. What the function raises comes out as it is.)");
}

}  // namespace

void bind_derivatives(py::module_& module) {
  module.def("grad", &gradient, "f"_a, "wrt"_a, py::kw_only(), "seed"_a = py::none(), "create_graph"_a = false, R"(
The vector-Jacobian products seed^T df/dx for each x in `wrt`, of x's shape.

wrt: a Var, for which a Var is returned, or a list of them, for which a list is. seed: of f's shape; may be left out where
f is (1, 1). create_graph: whether the gradient is recorded, so that it can be differentiated again.)");
  module.def("jvp", &pushed_forward, "f"_a, "x"_a, "tangent"_a, py::kw_only(), "create_graph"_a = false, R"(
The Jacobian-vector product (df/dx) tangent, of f's shape. tangent: of x's shape. create_graph: see grad.)");
  module.def("jacobian", &jacobian_rows, "f"_a, "x"_a, py::kw_only(), "create_graph"_a = false, R"(
Each sample's Jacobian, as a list of k Vars (n, d): row i of entry j is the gradient of f_ij in x_i.

f: (n, k), of which row i is presumed to depend on row i of x (n, d) alone. create_graph: see grad.)");
  module.def("hvp", &hessian_product, "loss"_a, "wrt"_a, "direction"_a, R"(
The Hessian of a loss (1, 1) in `wrt`, times a direction, which counts as a constant.

wrt: a Var or a list of them. direction: of its shape, or a list of as many.)");
  bind_gradcheck(module);
}

}  // namespace normalign::python
