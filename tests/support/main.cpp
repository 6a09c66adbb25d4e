// The test program: prints the seed and the versions first and a plain count last.
#define CATCH_CONFIG_RUNNER
#include "support/catch.hpp"

#include <iostream>
#include <string_view>

#include "linalg/blas.hpp"

namespace normalign::tests {
namespace {
int skipped_tests = 0;
bool nothing_fits = false;  // the filter, of all tests
}  // namespace

std::string tags_of(const char* file, const char*, const char* tags) {
  std::string result = tags;
  std::string_view folders(file);
  folders.remove_prefix(folders.find("tests/") + 6);
  for (auto slash = folders.find('/'); slash != folders.npos; slash = folders.find('/')) {
    result += '[' + std::string(folders.substr(0, slash)) + ']';
    folders.remove_prefix(slash + 1);
  }
  return result;
}

void skip(const std::string& reason) {
  ++skipped_tests;
  std::cout << "SKIPPED " << reason << std::endl;
}
}  // namespace normalign::tests

namespace {
using namespace normalign::tests;

#if __has_include(<catch2/catch_all.hpp>)
using ListenerBase = Catch::EventListenerBase;
#else
using ListenerBase = Catch::TestEventListenerBase;
#endif

// Ends the output with one plain line that counts test cases.
struct Count : ListenerBase {
  using ListenerBase::ListenerBase;
  void testRunEnded(const Catch::TestRunStats& stats) override {
    const auto& cases = stats.totals.testCases;
    nothing_fits = cases.total() == 0;
    std::cout << cases.passed - static_cast<std::size_t>(skipped_tests) << " passed, " << cases.failed << " failed, "
              << skipped_tests << " skipped" << std::endl;
  }
};
CATCH_REGISTER_LISTENER(Count)
}  // namespace

int main(int argc, char** argv) {
  Catch::Session session;
  const int bad_arguments = session.applyCommandLine(argc, argv);
  if (bad_arguments) return bad_arguments;
  std::cout << "normalign " << NORMALIGN_VERSION << ", compiler " << __VERSION__ << ", "
            << normalign::blas_description() << ", seed " << session.config().rngSeed() << std::endl;
  const int failed = session.run();
  if (!nothing_fits) return failed;
  std::cerr << "normalign-tests: found no test whose name or tags fit, expected one (--list-tests names them)"
            << std::endl;
  return 2;
}
