// What a machine offers, and what this program makes of it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "linalg/blas_kernels.hpp"

namespace normalign {

/// How fast one thread computes, in floating-point operations a second of its processor time.
struct ComputeRate {
  double reached = 0;  ///< by a product, see `product_rate`
  double peak = 0;     ///< by multiplications and additions in registers, see `peak_rate`; 0 where that is not known
};

/// A machine as this process sees it. Limits that are not set are infinite.
struct Machine {
  std::string cpu = {};            ///< the CPU's name; "unknown" where the system does not tell
  CpuFeatures features = {};       ///< its vector instructions
  int processors = 0;              ///< of the machine
  int cores_by_affinity = 0;       ///< that the scheduler lets this process run on
  double cores_by_quota = 0;       ///< processors' time that control groups grant
  int usable_cores = 0;            ///< the default of --jobs and --threads
  double memory = 0;               ///< bytes that can be taken without swapping, control groups included
  double address_space = 0;        ///< bytes that `ulimit -v` allows
  std::string blas = {};           ///< the library and the kernels in use, such as "OpenBLAS 0.3.21 (Haswell)"
  BlasKernels kernels = {};        ///< why it uses them
  ComputeRate float64 = {};        ///< in double precision
  ComputeRate float32 = {};        ///< in single precision
  std::string wrong_product = {};  ///< what is wrong about the library's products; empty where nothing is
};

/// Looks at the machine and measures its rates, which takes about a second of processor time.
Machine machine();

/// The machine as lines for a terminal.
std::string as_text(const Machine& machine);
/// The machine as docs/schema/machine.schema.json says.
nlohmann::ordered_json as_json(const Machine& machine);

}  // namespace normalign
