// The extension module normalign._core.
#include <pybind11/pybind11.h>

#include "base/error.hpp"
#include "linalg/blas_kernels.hpp"
#include "python/bindings/bindings.hpp"
#include "python/bindings/support/blas.hpp"
#include "python/bindings/support/computation.hpp"

namespace {

namespace py = pybind11;

// What the library throws as exceptions of the module.
void translate_errors(py::module_& module) {
  py::register_exception<normalign::InputError>(module, "InputError", PyExc_ValueError).doc() =
      "A caller's mistake: what was found and what was expected.";
  py::register_exception<normalign::RunError>(module, "RunError", PyExc_RuntimeError).doc() =
      "A computation that failed on input that is right.";
}

}  // namespace

PYBIND11_MODULE(_core, module) {
  using namespace normalign;
  module.doc() = "The local geometry of trained models: what the C++ library does, on NumPy arrays.";
  module.attr("__version__") = NORMALIGN_VERSION;
  translate_errors(module);
  python::watch_forks();
  python::choose_fastest_blas_kernels();
  pybind11::module_::import("atexit").attr("register")(pybind11::cpp_function(&python::end_computations));
  python::bind_networks(module);
  python::bind_geometry(module);
  python::bind_slice(module);
  python::bind_regions(module);
  python::bind_robustness(module);
  python::bind_kernel_machines(module);
  python::bind_rfm(module);
  python::bind_training_options(module);
  python::bind_training(module);
  python::bind_tapes(module);
  module.def("blas_description", &blas_description, "The BLAS inside this module, and its kernels.");
  module.def("_choose_blas_kernels", &python::choose_blas_kernels, pybind11::arg("core"), "For tests.");
}
