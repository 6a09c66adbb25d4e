#include "linalg/blas_kernels.hpp"

#include <cblas.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <vector>

namespace normalign {
namespace {

constexpr const char* setting_name = "OPENBLAS_CORETYPE";
// Set in a program that was started again, and so in its children: the process that was, a blank, and the core that the
// library had chosen.
constexpr const char* restart_name = "NORMALIGN_BLAS_RESTART";

// The core of each class that is asked for.
constexpr const char* core_of(KernelClass kernels) {
  switch (kernels) {
    case KernelClass::avx512:
      return "SkylakeX";
    case KernelClass::avx2:
      return "Haswell";
    case KernelClass::avx:
      return "Sandybridge";
    case KernelClass::sse:
      break;
  }
  return "Prescott";
}

struct Core {
  const char* name;
  KernelClass kernels;
};
constexpr Core cores[] = {{"Katmai", KernelClass::sse},        {"Coppermine", KernelClass::sse},
                          {"Northwood", KernelClass::sse},     {"Prescott", KernelClass::sse},
                          {"Banias", KernelClass::sse},        {"Atom", KernelClass::sse},
                          {"Core2", KernelClass::sse},         {"Penryn", KernelClass::sse},
                          {"Dunnington", KernelClass::sse},    {"Nehalem", KernelClass::sse},
                          {"Athlon", KernelClass::sse},        {"Opteron", KernelClass::sse},
                          {"Opteron_SSE3", KernelClass::sse},  {"Barcelona", KernelClass::sse},
                          {"Nano", KernelClass::sse},          {"Bobcat", KernelClass::sse},
                          {"Sandybridge", KernelClass::avx},   {"Bulldozer", KernelClass::avx},
                          {"Piledriver", KernelClass::avx},    {"Steamroller", KernelClass::avx},
                          {"Excavator", KernelClass::avx2},    {"Haswell", KernelClass::avx2},
                          {"Zen", KernelClass::avx2},          {"SkylakeX", KernelClass::avx512},
                          {"Cooperlake", KernelClass::avx512}, {"Sapphirerapids", KernelClass::avx512}};

std::string environment_value(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

struct Restart {
  pid_t process = 0;
  std::string chosen;
};
std::optional<Restart> restart_before() {
  const std::string value = environment_value(restart_name);
  const std::size_t blank = value.find(' ');
  if (blank == std::string::npos) return std::nullopt;
  return Restart{.process = static_cast<pid_t>(std::atol(value.c_str())), .chosen = value.substr(blank + 1)};
}

// The kernel's copy of the arguments: whoever calls need not have them.
std::vector<std::string> own_arguments() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> arguments;
  for (std::string argument; std::getline(file, argument, '\0');) arguments.push_back(argument);
  return arguments;
}

// Standard streams may not be there yet before main.
void say(const std::string& words) { std::fprintf(stderr, "normalign: %s\n", words.c_str()); }

// Comes back only where that fails.
void start_again(const std::string& core, const std::string& chosen) {
  std::vector<std::string> arguments = own_arguments();
  if (!arguments.empty()) {
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    ::setenv(setting_name, core.c_str(), 1);
    ::setenv(restart_name, text(::getpid(), ' ', chosen).c_str(), 1);
    ::execv("/proc/self/exe", pointers.data());
  }
  const int reason = arguments.empty() ? ENOENT : errno;
  ::unsetenv(setting_name);
  ::unsetenv(restart_name);
  say(text("OpenBLAS chose its slow ", chosen, " kernels for this CPU, and the program cannot start itself again with ",
           core, " kernels (", std::strerror(reason), "): set ", setting_name, '=', core));
}

// Whole numbers from -8 to 8 without a pattern that a transposition keeps.
template <class T>
Matrix<T> small_whole_numbers(Index rows, Index cols, Index seed) {
  Matrix<T> result(rows, cols);
  for (Index i = 0; i < result.size(); ++i) result.data()[i] = static_cast<T>((i * i + seed * i + seed) % 17 - 8);
  return result;
}

template <class T>
void blas_product(ConstView<T> a, ConstView<T> b, MatrixView<T> c, Transposes op) {
  gemm<T>(a, b, c, op);
}

}  // namespace

CpuFeatures cpu_features() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_cpu_init();
  return {.avx = __builtin_cpu_supports("avx") != 0,
          .avx2 = __builtin_cpu_supports("avx2") != 0,
          .fma = __builtin_cpu_supports("fma") != 0,
          .avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
                    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl")};
#else
  return {};
#endif
}

KernelClass fastest_kernels(const CpuFeatures& features) {
  if (features.avx512 && features.avx2 && features.fma) return KernelClass::avx512;
  if (features.avx2 && features.fma) return KernelClass::avx2;
  return features.avx ? KernelClass::avx : KernelClass::sse;
}

const char* name_of(KernelClass kernels) {
  switch (kernels) {
    case KernelClass::avx512:
      return "AVX-512";
    case KernelClass::avx2:
      return "AVX2 and FMA";
    case KernelClass::avx:
      return "AVX";
    case KernelClass::sse:
      break;
  }
  return "SSE";
}

std::optional<KernelClass> class_of_core(std::string_view core) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  for (const auto& [name, kernels] : cores)
    if (std::ranges::equal(core, std::string_view(name), {}, lower, lower)) return kernels;
  return std::nullopt;
}

std::string core_to_request(const CpuFeatures& features, std::string_view chosen, std::string_view setting) {
  const KernelClass fastest = fastest_kernels(features);
  if (!setting.empty()) {
    const auto asked = class_of_core(setting);
    if (asked && *asked > fastest)
      throw InputError(text(setting_name, ": found ", one_line(setting), ", whose kernels need ", name_of(*asked),
                            ", which this machine lacks; expected a core such as ", core_of(fastest)));
    return "";
  }
  const auto found = class_of_core(chosen);
  return found && *found < fastest ? core_of(fastest) : "";
}

template <class T>
std::string wrong_product(const CheckedProduct<T>& product) {
  // Rows and columns of c, inner extent: less than a vector; odd edges behind full vectors; too large for the kernels
  // that some libraries have for small products.
  constexpr Index extents[][3] = {{3, 5, 2}, {37, 41, 43}, {101, 102, 103}};
  for (const auto& [m, n, k] : extents) {
    const Matrix<T> a = small_whole_numbers<T>(m, k, 3), b = small_whole_numbers<T>(k, n, 5);
    Matrix<T> expected(m, n);
    for (Index i = 0; i < m; ++i)
      for (Index l = 0; l < k; ++l)
        for (Index j = 0; j < n; ++j) expected(i, j) += a(i, l) * b(l, j);
    const Matrix<T> a_transposed = transposed(a.view()), b_transposed = transposed(b.view());
    for (const Transposes op : {Transposes{}, {.a = true}, {.b = true}, {.a = true, .b = true}}) {
      Matrix<T> found(m, n);
      product(op.a ? a_transposed : a, op.b ? b_transposed : b, found, op);
      for (Index i = 0; i < m; ++i)
        for (Index j = 0; j < n; ++j)
          if (found(i, j) != expected(i, j))
            return text("a product in ", sizeof(T) == 4 ? "float" : "double", " of ", Shape{m, k}, " and ", Shape{k, n},
                        op.a ? ", the first transposed" : "", op.b ? ", the second transposed" : "",
                        " is wrong: found ", found(i, j), " at (", i, ", ", j, "), expected ", expected(i, j));
    }
  }
  return "";
}
template std::string wrong_product(const CheckedProduct<float>&);
template std::string wrong_product(const CheckedProduct<double>&);

std::string wrong_blas_product() {
  const std::string wrong = wrong_product<float>(blas_product<float>);
  return wrong.empty() ? wrong_product<double>(blas_product<double>) : wrong;
}

BlasKernels blas_kernels() {
  const auto restart = restart_before();
  const std::string setting = restart ? "" : environment_value(setting_name);
  const std::string used = openblas_get_corename();
  return {.used = used, .chosen = restart ? restart->chosen : setting.empty() ? used : "", .setting = setting};
}

void use_fastest_blas_kernels() {
  const std::string used = openblas_get_corename();
  if (const auto restart = restart_before(); !restart) {
    const std::string core = core_to_request(cpu_features(), used, environment_value(setting_name));
    if (!core.empty()) start_again(core, used);
  } else if (restart->process == ::getpid()) {
    say(text("OpenBLAS chose its slow ", restart->chosen, " kernels for this CPU; started again with ", used,
             " kernels (", setting_name, " decides otherwise)"));
  }
  if (const std::string wrong = wrong_blas_product(); !wrong.empty())
    throw RunError(text(blas_description(), ": ", wrong, "; ", setting_name, " asks the library for other kernels"));
}

}  // namespace normalign
