// Operations that are written in Python: a primitive whose rules call functions of the caller's.
#include "autodiff/primitive.hpp"
#include "python/bindings/bindings.hpp"
#include "python/bindings/tape/tape.hpp"

namespace normalign::python {
namespace {

using namespace py::literals;
using Rules = std::variant<py::none, py::function, std::vector<std::optional<py::function>>>;

constexpr std::size_t most_inputs = 3, most_numbers = 2;

// An operation as it was defined. Nodes point at its primitives, and so it lives as long as the program.
struct OwnOperation {
  std::string name;
  py::function value;
  std::array<std::vector<std::optional<py::function>>, 2> rules;  // pullbacks, pushforwards; empty: there are none
  Primitive<float> in_float;
  Primitive<double> in_double;
  // The value of the call that is being recorded: no function of the caller's runs while a node is made.
  const py::array* computed = nullptr;
};

std::vector<OwnOperation*>& operations() {
  static auto* all = new std::vector<OwnOperation*>;  // never deleted: Python may be gone before
  return *all;
}

// How a call says which operation it is of, and its numbers.
Attribute attribute(std::size_t operation, const std::vector<double>& numbers) {
  return {.scalar = !numbers.empty() ? numbers[0] : 0,
          .offset = numbers.size() > 1 ? numbers[1] : 0,
          .first = static_cast<std::int32_t>(numbers.size()),
          .second = static_cast<std::int32_t>(operation)};
}
OwnOperation& operation_of(const Attribute& attribute) {
  return *operations()[static_cast<std::size_t>(attribute.second)];
}

void append_numbers(py::list& arguments, const Attribute& attribute) {
  if (attribute.first > 0) arguments.append(attribute.scalar);
  if (attribute.first > 1) arguments.append(attribute.offset);
}

Shape shape_of(const char*, const std::array<Shape, 3>&, const Attribute& attribute) {
  const py::array& computed = *operation_of(attribute).computed;
  return {computed.shape(0), computed.shape(1)};
}

template <class T>
void copy_value(const Call<T>& call) {
  std::copy_n(static_cast<const T*>(operation_of(call.attribute).computed->data()), call.y.size(), call.y.data());
}

template <class T, std::size_t direction, std::size_t input>
Var<T> call_rule(Var<T> derivative, const Recorded<T>& recorded) {
  const Attribute attribute = recorded.attribute();
  const OwnOperation& operation = operation_of(attribute);
  const auto& rules = operation.rules[direction];
  if (rules.empty()) throw InputError(text(operation.name, ": found no pushforward, expected one: jvp needs it"));
  const std::size_t arity = (std::is_same_v<T, float> ? operation.in_float.arity : operation.in_double.arity);
  const auto tape = AnyTape::of(derivative);
  const AnyTape::InUse in_use(tape);
  py::list arguments;
  arguments.append(py::cast(tape->var(std::move(derivative))));
  for (std::size_t i = 0; i < arity; ++i) arguments.append(py::cast(tape->var(recorded.x(i))));
  append_numbers(arguments, attribute);
  const py::object share = (*rules[input])(*arguments);
  if (!py::isinstance<AnyVar>(share))
    throw InputError(text(operation.name, ": found that a rule of input ", input, " returns ",
                          std::string(py::str(py::type::of(share).attr("__name__"))), ", expected a Var"));
  return share.cast<const AnyVar&>().as<T>(operation.name.c_str());
}

template <class T>
Primitive<T> primitive(const OwnOperation& operation, std::size_t arity) {
  Primitive<T> result{.name = operation.name.c_str(), .arity = arity, .shape = shape_of, .value = copy_value<T>};
  const auto has = [&](std::size_t input) { return operation.rules[0][input].has_value(); };
  [&]<std::size_t... i>(std::index_sequence<i...>) {
    ((i < arity && has(i)
          ? (void)(result.pullback[i] = Rule<T>(call_rule<T, 0, i>),
                   result.pushforward[i] = Rule<T>(call_rule<T, 1, i>), result.reads[i] = Reads{(1u << arity) - 1})
          : (void)0),
     ...);
  }
  (std::make_index_sequence<most_inputs>());
  return result;
}

std::vector<std::optional<py::function>> listed(const Rules& rules) {
  if (const auto* one = std::get_if<py::function>(&rules)) return {*one};
  if (const auto* more = std::get_if<2>(&rules)) return *more;
  return {};
}

// What Python holds of one: its number.
struct OwnOperationHandle {
  std::size_t number;

  OwnOperation& get() const { return *operations()[number]; }
  AnyVar operator()(const py::args& arguments) const;
};

OwnOperationHandle defined(const std::string& name, const py::function& value, const Rules& pullback,
                           const Rules& pushforward) {
  auto operation = std::make_unique<OwnOperation>();
  operation->name = name;
  operation->value = value;
  operation->rules = {listed(pullback), listed(pushforward)};
  const auto& [back, forward] = operation->rules;
  const std::size_t arity = back.size();
  if (arity < 1 || arity > most_inputs)
    throw InputError(text(name, ": found ", arity, " pullbacks, expected one for each of 1 to 3 inputs"));
  if (!forward.empty()) {
    if (forward.size() != arity)
      throw InputError(text(name, ": found ", forward.size(), " pushforwards, expected as many as pullbacks, ", arity));
    for (std::size_t i = 0; i < arity; ++i)
      if (back[i].has_value() != forward[i].has_value())
        throw InputError(
            text(name, ": found one rule of input ", i, ", expected a pullback and a pushforward, or None"));
  }
  operation->in_float = primitive<float>(*operation, arity);
  operation->in_double = primitive<double>(*operation, arity);
  operations().push_back(operation.release());
  return {operations().size() - 1};
}

// What the caller's function makes of the inputs' values.
template <class T>
py::array computed_value(const OwnOperation& operation, const std::vector<Var<T>>& inputs, const Attribute& attribute) {
  py::list values;
  for (const Var<T>& input : inputs) values.append(array_from(Matrix<T>(input.value())));
  append_numbers(values, attribute);
  const py::object result = operation.value(*values);
  if (result.is_none()) throw InputError(text(operation.name, ": found None as its value, expected an array"));
  const py::array array = array_of(operation.name.c_str(), ArrayLike{result});
  if (array.ndim() != 2)
    throw InputError(text(operation.name, ": found a value of shape ", shape_text(array), ", expected two dimensions"));
  return converted_array<T>(array);
}

AnyVar OwnOperationHandle::operator()(const py::args& arguments) const {
  OwnOperation& operation = get();
  const char* const name = operation.name.c_str();
  const std::size_t arity = operation.in_double.arity;
  if (arguments.size() < arity || arguments.size() > arity + most_numbers)
    throw InputError(text(name, ": found ", arguments.size(), " arguments, expected ", arity,
                          " Vars or arrays and after them at most two numbers"));
  std::vector<Operand> operands;
  std::vector<double> numbers;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (i < arity)
      operands.push_back(Operand::of(name, arguments[i]));
    else
      numbers.push_back(number_from(arguments[i]));
  }
  const auto with_var = std::ranges::find_if(operands, [](const Operand& operand) { return operand.var != nullptr; });
  const auto tape = tape_of(name, {with_var == operands.end() ? &operands.front() : &*with_var});
  return tape->visit([&]<class T>(Tape<T>& on) {
    std::vector<Var<T>> inputs;
    for (const Operand& operand : operands) inputs.push_back(operand.on(name, on));
    const Attribute numbered = attribute(number, numbers);
    const py::array computed = [&] {
      const AnyTape::InUse in_use(tape);
      return computed_value<T>(operation, inputs, numbered);
    }();
    const ScopedValue<const py::array*> being_recorded(operation.computed, &computed);
    const Primitive<T>& primitive = [&]() -> const Primitive<T>& {
      if constexpr (std::is_same_v<T, double>)
        return operation.in_double;
      else
        return operation.in_float;
    }();
    std::array<Var<T>*, most_inputs> pointers{};
    for (std::size_t i = 0; i < arity; ++i) pointers[i] = &inputs[i];
    return tape->var(detail::Graph<T>::of(name, inputs[0])
                         .apply(primitive, std::span<Var<T>* const>(pointers.data(), arity), numbered));
  });
}

}  // namespace

void bind_own_operations(py::module_& module) {
  py::class_<OwnOperationHandle>(module, "Operation", R"(
An operation of one's own, by functions of Python's. Its rules are written with operations on Vars, and so serve every
order; `gradcheck` tells when one is wrong. Once defined it lives as long as the program.)")
      .def(py::init(&defined), "name"_a, "value"_a, py::kw_only(), "pullback"_a, "pushforward"_a = py::none(), R"(
An operation of 1 to 3 inputs.

name: how errors and tapes call it. value: takes the inputs' values as arrays, then the numbers of the call, and returns
an array (n, d). pullback: for each input a rule(derivative, *inputs, *numbers) that takes Vars and returns this input's
share of its cotangent, or None where the derivative is zero; a rule alone, where there is one input. pushforward: the
same for tangents, which `jvp` and `gradcheck` need; for an operation on each value by itself the same rules.)")
      .def("__call__", &OwnOperationHandle::operator(), R"(
Of Vars, or arrays that are constants, as many as there are inputs, and then of at most two numbers.)")
      .def_property_readonly(
          "name", [](const OwnOperationHandle& self) { return self.get().name; }, "Its name.")
      .def("__repr__", [](const OwnOperationHandle& self) { return "Operation('" + self.get().name + "')"; });
}

}  // namespace normalign::python
