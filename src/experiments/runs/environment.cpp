#include "experiments/runs/environment.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "linalg/blas.hpp"

namespace normalign {
namespace {

std::string host_cpu() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name") && line.find(": ") != std::string::npos) return line.substr(line.find(": ") + 2);
  return "unknown";
}

}  // namespace

nlohmann::ordered_json environment(int threads) {
#ifdef __clang__
  const char* const compiler = "clang++ " __VERSION__;
#else
  const char* const compiler = "g++ " __VERSION__;
#endif
  return {{"version", NORMALIGN_VERSION}, {"compiler", compiler},
          {"blas", blas_description()},   {"threads", threads},
          {"host_cpu", host_cpu()},       {"hardware_threads", std::thread::hardware_concurrency()}};
}

}  // namespace normalign
