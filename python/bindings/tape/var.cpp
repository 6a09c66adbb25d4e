#include "autodiff/ops.hpp"
#include "python/bindings/bindings.hpp"
#include "python/bindings/tape/tape.hpp"

namespace normalign::python {
namespace {

using namespace py::literals;

// The values, which stay as they are for as long as the array is there: a Var of its own holds them.
py::array value(const AnyVar& self) {
  return self.visit([]<class T>(const Var<T>& var) -> py::array {
    const ConstView<T> view = var.value();
    if (!detail::Graph<T>::value(var).block) return array_from(Matrix<T>(view));  // a network's
    auto held = std::make_unique<Var<T>>(detached(var));
    const py::capsule owner(held.release(), [](void* memory) { delete static_cast<Var<T>*>(memory); });
    return borrowed_array(view.data(), {view.rows(), view.cols()}, owner);
  });
}

std::string described_var(const AnyVar& self) {
  const char* const precision = precision_name(self.var.index() == 1);
  py::object shown;
  try {
    shown = value(self);
  } catch (const InputError&) {
    return text("Var(", precision, ", forgotten: its tape was cleared)");
  }
  const std::string values =
      py::str(py::module_::import("numpy").attr("array2string")(shown, "separator"_a = ", ", "prefix"_a = "Var("));
  return text("Var(", values, ", shape=", shape_text(shown), ", dtype=", precision,
              self.visit([](const auto& var) { return var.depends(); }) ? ", depends=True)" : ", depends=False)");
}

// ---- the operators ---------------------------------------------------------------------------------------------

// A Var and what stands on the other side of an operator: NotImplemented where that is neither a Var nor a number nor
// an array. op(a, b) takes Vars and numbers.
template <class Op>
py::object combined(const char* name, const AnyVar& self, const py::object& other, const Op& op) {
  if (other.is_none()) return py::reinterpret_borrow<py::object>(Py_NotImplemented);
  Operand operand = Operand::of(name, other);
  const bool is_number = PyFloat_Check(other.ptr()) || PyLong_Check(other.ptr());
  if (!operand.var && !is_number) {
    // A scalar of NumPy's is an array without dimensions.
    static const py::handle scalar = py::object(py::module_::import("numpy").attr("generic")).release();
    if (!py::isinstance<py::array>(other) && !py::isinstance(other, scalar))
      return py::reinterpret_borrow<py::object>(Py_NotImplemented);
    operand.object = array_of(name, ArrayLike{other});
  }
  return self.tape->visit([&]<class T>(Tape<T>& tape) -> py::object {
    const Var<T>& var = self.as<T>(name);
    const bool is_scalar = !operand.var && !is_number && py::reinterpret_borrow<py::array>(operand.object).ndim() == 0;
    if (!is_number && !is_scalar) return py::cast(self.tape->var(op(var, operand.on(name, tape))));
    if constexpr (std::is_invocable_v<Op, const Var<T>&, double>) {
      return py::cast(self.tape->var(op(var, number_from(operand.object))));
    } else {
      return py::reinterpret_borrow<py::object>(Py_NotImplemented);
    }
  });
}

// a OP b and b OP a.
template <class Op>
void define_operator(py::class_<AnyVar>& var, const char* name, const std::string& method, const Op& op) {
  const auto define = [&](const std::string& prefix, const auto& applied, const char* doc) {
    var.def(
        (prefix + method + "__").c_str(),
        [name, applied](const AnyVar& self, const py::object& other) { return combined(name, self, other, applied); },
        "other"_a, py::is_operator(), doc);
  };
  define("__", op, "Of a Var, a number or an array, which is a constant.");
  define(
      "__r", [op](const auto& self, const auto& other) -> decltype(op(other, self)) { return op(other, self); },
      "Of a number or an array, which is a constant.");
}

void define_operators(py::class_<AnyVar>& var) {
  define_operator(var, "add", "add", [](const auto& a, const auto& b) -> decltype(a + b) { return a + b; });
  define_operator(var, "subtract", "sub", [](const auto& a, const auto& b) -> decltype(a - b) { return a - b; });
  define_operator(var, "multiply", "mul", [](const auto& a, const auto& b) -> decltype(a * b) { return a * b; });
  define_operator(var, "divide", "truediv", [](const auto& a, const auto& b) -> decltype(a / b) { return a / b; });
  define_operator(var, "matmul", "matmul",
                  []<class T>(const Var<T>& a, const Var<T>& b) -> Var<T> { return matmul(a, b); });
}

AnyVar power(const AnyVar& self, double exponent) {
  return self.visit([&](const auto& var) { return self.tape->var(pow(var, exponent)); });
}

}  // namespace

void bind_vars(py::module_& module) {
  py::class_<AnyVar> var(module, "Var", R"(
A matrix that a tape knows, which every operation takes and returns.

`+ - * / @ **` and the functions of `ops` take Vars, numbers and arrays, which are constants. Binary operations
broadcast rows, columns and 1 x 1 values. What depends on no variable, and a gradient taken without create_graph, owns
its value and outlives `tape.clear()`; all others are forgotten by it.)");
  define_operators(var);
  var.def("__pow__", &power, "exponent"_a, py::is_operator(), "To a fixed power.")
      .def("__neg__", [](const AnyVar& self) { return self.visit([&](const auto& x) { return self.tape->var(-x); }); })
      .def_property_readonly("value", &value, R"(
The value, (n, d), an array that cannot be written to. It is good for as long as it is held, whatever becomes of the tape.)")
      .def(
          "item", [](const AnyVar& self) { return self.visit([](const auto& x) { return double{x.item()}; }); },
          "The only value of a Var of shape (1, 1), a number.")
      .def_property_readonly(
          "shape",
          [](const AnyVar& self) {
            const Shape shape = self.visit([](const auto& x) { return x.shape(); });
            return std::pair(shape.rows, shape.cols);
          },
          "(n, d).")
      .def_property_readonly(
          "depends", [](const AnyVar& self) { return self.visit([](const auto& x) { return x.depends(); }); },
          "Whether derivatives with respect to some variable can flow through it.")
      .def_property_readonly(
          "dtype", [](const AnyVar& self) { return precision_dtype(self.var.index() == 1); }, "float64 or float32.")
      .def_property_readonly(
          "tape", [](const AnyVar& self) { return self.tape; }, "The tape that it is on.")
      .def_property_readonly(
          "T",
          [](const AnyVar& self) { return self.visit([&](const auto& x) { return self.tape->var(transpose(x)); }); },
          "The transposed matrix.")
      .def("__repr__", &described_var)
      .def("__array__", [](const AnyVar&, const py::args&, const py::kwargs&) -> py::array {
        throw py::type_error("a Var is no array, since derivatives do not flow through those: take its .value");
      });
  // NumPy leaves operators with a Var on the right to the Var.
  var.attr("__array_ufunc__") = py::none();
}

}  // namespace normalign::python
