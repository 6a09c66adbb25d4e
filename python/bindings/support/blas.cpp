#include "python/bindings/support/blas.hpp"

#include <cstdlib>
#include <optional>

#include "base/error.hpp"
#include "linalg/blas_kernels.hpp"

// Not in its header: what it calls as it is loaded. A module may call them, as its OpenBLAS is its own, where a program
// must start again.
extern "C" {
void gotoblas_dynamic_init();
void gotoblas_dynamic_quit();
}

namespace normalign::python {

void choose_blas_kernels(const std::string& core) {
  constexpr const char* name = "OPENBLAS_CORETYPE";
  const char* const value = std::getenv(name);
  const std::optional<std::string> before = value ? std::optional<std::string>(value) : std::nullopt;
  ::setenv(name, core.c_str(), 1);
  gotoblas_dynamic_quit();
  gotoblas_dynamic_init();
  if (before)
    ::setenv(name, before->c_str(), 1);
  else
    ::unsetenv(name);
}

void choose_fastest_blas_kernels() {
  const BlasKernels kernels = blas_kernels();
  if (const std::string core = core_to_request(cpu_features(), kernels.used, kernels.setting); !core.empty())
    choose_blas_kernels(core);
  if (const std::string wrong = wrong_blas_product(); !wrong.empty())
    throw RunError(text(blas_description(), ": ", wrong, "; OPENBLAS_CORETYPE asks the library for other kernels"));
}

}  // namespace normalign::python
