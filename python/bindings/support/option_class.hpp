// An options struct of the library as a Python class that is made by keywords, prints itself and never changes.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <utility>

#include "base/error.hpp"
#include "python/bindings/support/printed.hpp"

namespace normalign::python {

namespace py = pybind11;

/// A field of a struct by its name in Python; `is_required`: it has no default.
template <class Options, class FieldValue, bool is_required>
struct OptionField {
  using Value = FieldValue;
  const char* name;
  Value Options::*member;

  /// The argument of a constructor.
  auto argument(const Options& defaults) const {
    if constexpr (is_required)
      return py::arg(name);
    else
      return py::arg(name) = defaults.*member;
  }
};

/// A field with a default, and one without.
template <class Options, class Value>
OptionField<Options, Value, false> field(const char* name, Value Options::*member) {
  return {name, member};
}
template <class Options, class Value>
OptionField<Options, Value, true> required_field(const char* name, Value Options::*member) {
  return {name, member};
}

/// Adds the class `name` to the module. check(options) throws InputError where one is out of range. Objects with equal
/// fields are equal.
template <class Options, class Check, class... Fields>
void bind_options(py::module_& module, const std::string& name, const char* doc, const char* fields_doc,
                  const Check& check, const Fields&... fields) {
  const auto made = [check, fields...](const typename Fields::Value&... values) {
    Options options;
    ((options.*(fields.member) = values), ...);
    check(options);
    return options;
  };
  const auto values = [fields...](const Options& options) { return py::make_tuple(options.*(fields.member)...); };
  py::class_<Options> type(module, name.c_str(), printed(), doc);
  if constexpr (sizeof...(fields) == 0)
    type.def(py::init(made), fields_doc);
  else
    type.def(py::init(made), py::kw_only(), fields.argument(Options())..., fields_doc);
  type.def(printed_method,
           [name, fields...](const Options& options) {
             std::string result;
             ((result += text(result.empty() ? "" : ", ", fields.name, "=",
                              std::string(py::repr(py::cast(options.*(fields.member)))))),
              ...);
             return text(name, "(", result, ")");
           })
      .def("__eq__",
           [values](const Options& options, const py::object& other) {
             return py::isinstance<Options>(other) && values(options).equal(values(other.cast<const Options&>()));
           })
      .def("__hash__", [values](const Options& options) { return py::hash(values(options)); })
      .def(py::pickle(values, [made](const py::tuple& state) {
        return [&]<std::size_t... i>(std::index_sequence<i...>) {
          return made(state[i].template cast<typename Fields::Value>()...);
        }
        (std::index_sequence_for<Fields...>());
      }));
  (type.def_readonly(fields.name, fields.member), ...);
}

}  // namespace normalign::python
