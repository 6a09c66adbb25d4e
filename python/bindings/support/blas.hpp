// The kernels of the BLAS inside the module.
#pragma once

#include <string>

namespace normalign::python {

/// Makes OpenBLAS choose its kernels again as if OPENBLAS_CORETYPE were `core`, such as "Haswell". No product may be
/// running.
void choose_blas_kernels(const std::string& core);

/// Chooses the fastest kernels that the CPU runs where OpenBLAS took slower ones, as the programs of this project do,
/// and checks those in use. Throws InputError as `core_to_request` does, and RunError where a product is wrong.
void choose_fastest_blas_kernels();

}  // namespace normalign::python
