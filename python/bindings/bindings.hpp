// What the module holds, a function for each part of it.
#pragma once

#include <pybind11/pybind11.h>

namespace normalign::python {

/// Each adds its classes and functions to the module.
void bind_networks(pybind11::module_& module);
void bind_geometry(pybind11::module_& module);
void bind_slice(pybind11::module_& module);
void bind_regions(pybind11::module_& module);
void bind_robustness(pybind11::module_& module);
void bind_kernel_machines(pybind11::module_& module);
void bind_rfm(pybind11::module_& module);
void bind_training_options(pybind11::module_& module);
void bind_training(pybind11::module_& module);
void bind_tapes(pybind11::module_& module);
/// The parts of bind_tapes.
void bind_vars(pybind11::module_& module);
void bind_operations(pybind11::module_& module);
void bind_own_operations(pybind11::module_& module);
void bind_derivatives(pybind11::module_& module);

}  // namespace normalign::python
