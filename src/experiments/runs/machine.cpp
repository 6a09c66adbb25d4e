#include "experiments/runs/machine.hpp"

#include <cmath>
#include <iomanip>
#include <sstream>
#include <utility>

#include "base/cores.hpp"
#include "base/memory.hpp"
#include "base/number_text.hpp"
#include "experiments/runs/environment.hpp"
#include "linalg/blas.hpp"
#include "linalg/compute_rate.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;

std::string gibibytes(double bytes) {
  return std::isfinite(bytes) ? formatted("%.2f", bytes / (1 << 30)) + " GiB" : "no limit";
}

std::string rate_text(const ComputeRate& rate) {
  const std::string reached = formatted("%.1f", 1e-9 * rate.reached) + " GFLOP/s";
  if (rate.peak <= 0) return reached;
  return reached + ", " + formatted("%.0f", 100 * rate.reached / rate.peak) + " % of the " +
         formatted("%.1f", 1e-9 * rate.peak) + " that multiply-adds in registers reach";
}

std::string reason_of(const BlasKernels& kernels) {
  if (!kernels.setting.empty()) return text("as OPENBLAS_CORETYPE=", one_line(kernels.setting), " asks");
  if (kernels.chosen == kernels.used) return "the library's own choice";
  return text("the library chose ", kernels.chosen, ", of a slower class; the program started again with these");
}

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }
Json words_or_null(const std::string& words) { return words.empty() ? Json(nullptr) : Json(words); }
Json rate_json(const ComputeRate& rate) {
  return {{"reached", rate.reached}, {"peak", rate.peak > 0 ? Json(rate.peak) : Json(nullptr)}};
}

}  // namespace

Machine machine() {
  const Json run = environment(1);
  const CpuFeatures features = cpu_features();
  const KernelClass fastest = fastest_kernels(features);
  return {.cpu = run.at("host_cpu"),
          .features = features,
          .processors = run.at("hardware_threads"),
          .cores_by_affinity = cores_by_affinity(),
          .cores_by_quota = cores_by_quota(),
          .usable_cores = usable_cores(),
          .memory = available_memory(),
          .address_space = address_space_limit(),
          .blas = blas_description(),
          .kernels = blas_kernels(),
          .float64 = {product_rate<double>(), peak_rate<double>(fastest)},
          .float32 = {product_rate<float>(), peak_rate<float>(fastest)},
          .wrong_product = wrong_blas_product()};
}

std::string as_text(const Machine& m) {
  const KernelClass fastest = fastest_kernels(m.features);
  const auto in_use = class_of_core(m.kernels.used);
  std::string kernels = text(m.blas, ": ", reason_of(m.kernels));
  if (in_use && *in_use < fastest) kernels += text("; kernels for ", name_of(fastest), " would run here and be faster");
  const std::pair<const char*, std::string> facts[] = {
      {"CPU", text(m.cpu, ", vectors of ", name_of(fastest))},
      {"cores", text(m.usable_cores, " usable: ", m.cores_by_affinity, " of ", m.processors, " by affinity, ",
                     std::isfinite(m.cores_by_quota)
                         ? text("time of ", formatted("%.2f", m.cores_by_quota), " by control groups")
                         : "no limit by control groups")},
      {"memory", text(std::isfinite(m.memory) ? gibibytes(m.memory) : "unknown",
                      " available; address space: ", gibibytes(m.address_space))},
      {"BLAS", kernels},
      {"products", m.wrong_product.empty() ? "right: small ones equal plain loops" : text("WRONG: ", m.wrong_product)},
      {"double", rate_text(m.float64)},
      {"float", rate_text(m.float32)}};
  std::ostringstream out;
  for (const auto& [what, words] : facts) out << std::left << std::setw(10) << what << words << '\n';
  return out.str();
}

Json as_json(const Machine& m) {
  return {{"version", NORMALIGN_VERSION},
          {"cpu", m.cpu},
          {"vector_instructions", name_of(fastest_kernels(m.features))},
          {"processors", m.processors},
          {"cores_by_affinity", m.cores_by_affinity},
          {"cores_by_quota", number_or_null(m.cores_by_quota)},
          {"usable_cores", m.usable_cores},
          {"available_memory_bytes", number_or_null(m.memory)},
          {"address_space_bytes", number_or_null(m.address_space)},
          {"blas", m.blas},
          {"kernels",
           {{"used", m.kernels.used},
            {"library_choice", words_or_null(m.kernels.chosen)},
            {"setting", words_or_null(m.kernels.setting)}}},
          {"wrong_product", words_or_null(m.wrong_product)},
          {"flops_per_second", {{"float64", rate_json(m.float64)}, {"float32", rate_json(m.float32)}}}};
}

}  // namespace normalign
