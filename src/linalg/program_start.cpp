// What every program of this project does before its main. Linked to programs alone, never to the library: whoever
// embeds that decides for himself.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "linalg/blas_kernels.hpp"

namespace {

// OpenBLAS asks for a buffer for each thread as it is loaded, one more for its first product, and, where the system
// gives none, asks for ever. So this runs before the constructors of any library, and uses nothing that they set up.
constexpr unsigned long long mebibyte = 1 << 20, buffer = 128 * mebibyte, margin = 16 * mebibyte;
constexpr long most_threads = 64;  // that Debian's build counts with

// What the environment has behind "NAME="; null where it has no such variable.
__attribute__((no_sanitize("address", "undefined"))) const char* value_of(const char* name, char** environment) {
  for (; *environment; ++environment) {
    const char *found = *environment, *wanted = name;
    for (; *wanted && *found == *wanted; ++wanted) ++found;
    if (!*wanted) return found;
  }
  return nullptr;
}

long blas_threads(char** environment) {
  const long threads = ::sysconf(_SC_NPROCESSORS_CONF);
  const char* const value = value_of("OMP_NUM_THREADS=", environment);
  const long asked = value ? std::atol(value) : 0;
  return std::clamp(asked > 0 ? std::min(threads, asked) : threads, 1L, most_threads);
}

// A thread that waits for others spins; libgomp lets it do so for milliseconds, which costs other work on the machine,
// and this program where it shares its cores, more than sleeping would. The library reads how long as it is loaded, so
// the program starts again with another length, once: the variable is there then. Whoever has set it, or the policy,
// has decided otherwise.
__attribute__((no_sanitize("address", "undefined"))) void spin_shortly(int, char** arguments, char** environment) {
  if (value_of("GOMP_SPINCOUNT=", environment) || value_of("OMP_WAIT_POLICY=", environment)) return;
  static std::array<char*, 4096> variables;
  static char spin_count[] = "GOMP_SPINCOUNT=20000";
  std::size_t count = 0;
  for (; environment[count]; ++count) {
    if (count + 2 == variables.size()) return;
    variables[count] = environment[count];
  }
  variables[count] = spin_count;
  // By its own path, so that the process keeps its name; by the system alone, as what the sanitizers put before the
  // library's functions is not ready yet.
  static char path[4096];
  const long length = ::syscall(SYS_readlink, "/proc/self/exe", path, sizeof path - 1);
  // Comes back only where that fails, and all is as it was.
  if (length > 0) ::syscall(SYS_execve, path, arguments, variables.data());
}

unsigned long long address_space_in_use() {
  char words[64] = {};
  const int file = ::open("/proc/self/statm", O_RDONLY);
  if (file < 0) return 0;
  const ssize_t count = ::read(file, words, sizeof words - 1);
  ::close(file);
  return count > 0 ? std::strtoull(words, nullptr, 10) * static_cast<unsigned long long>(::sysconf(_SC_PAGESIZE)) : 0;
}

__attribute__((no_sanitize("address", "undefined"))) void require_address_space(int, char**, char** environment) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  const long threads = blas_threads(environment);
  const unsigned long long needed =
      address_space_in_use() + static_cast<unsigned long long>(threads + 1) * buffer + margin;
  if (limit.rlim_cur >= needed) return;
  char line[400];
  const int length = std::snprintf(
      line, sizeof line,
      "normalign: ulimit -v: found %llu KiB of address space, expected at least %llu: OpenBLAS takes 128 MiB for each "
      "of %ld threads (OMP_NUM_THREADS) and for its first product\n",
      static_cast<unsigned long long>(limit.rlim_cur) / 1024, (needed + 1023) / 1024, threads);
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line, static_cast<std::size_t>(length));
  ::_exit(1);
}

__attribute__((no_sanitize("address", "undefined"))) void before_libraries(int count, char** arguments,
                                                                           char** environment) {
  spin_shortly(count, arguments, environment);
  require_address_space(count, arguments, environment);
}

// One pointer alone: the sanitizers would put zeros between several.
[[gnu::section(".preinit_array"), gnu::used]] void (*const first_of_all)(int, char**, char**) = before_libraries;

[[noreturn]] void refuse(const std::exception& error, int status) {
  std::fprintf(stderr, "normalign: %s\n", error.what());
  ::_exit(status);
}

[[gnu::constructor]] void before_main() {
  try {
    normalign::use_fastest_blas_kernels();
  } catch (const normalign::InputError& error) {
    refuse(error, 2);
  } catch (const std::exception& error) {
    refuse(error, 1);
  }
}

}  // namespace
