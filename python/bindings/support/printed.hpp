// Classes whose objects print themselves.
#pragma once

#include <pybind11/pybind11.h>

namespace normalign::python {

/// The method of a class that says what `repr` of its objects is, where the class is made with `printed()`.
inline constexpr const char* printed_method = "_printed";

/// Lets `repr` take the class's `printed_method`. A `__repr__` of pybind11 2.10 cannot be hashed, as `pprint` does,
/// which prints dicts of such objects and all estimators of scikit-learn.
inline pybind11::custom_type_setup printed() {
  return pybind11::custom_type_setup([](PyHeapTypeObject* type) {
    type->ht_type.tp_repr = [](PyObject* self) { return PyObject_CallMethod(self, printed_method, nullptr); };
  });
}

}  // namespace normalign::python
