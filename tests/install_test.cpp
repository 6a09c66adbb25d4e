// `make install` into an empty prefix, a program outside built against it in both usual ways, `make uninstall`.
#include <cstdlib>
#include <regex>

#include "support/catch.hpp"
#include "support/subprocess.hpp"

namespace normalign::tests {
namespace {

namespace fs = std::filesystem;

// The derivative of x^2 at 3, once as a library of one's own would take it and once with a type of an exception that
// crosses the library's border.
const std::string outside_program = R"(
#include <cstdio>
#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/tape.hpp"
int main() {
  normalign::Tape<double> tape;
  const auto x = tape.variable(normalign::Matrix<double>{{3}});
  std::printf("%g\n", normalign::grad(normalign::square(x), x).item());
  try {
    normalign::Matrix<double>(-1, 1);
  } catch (const normalign::InputError&) {
    std::puts("refused");
  }
}
)";

Finished shell(const std::string& command) { return run({"/bin/bash", "-c", command}); }

void check_succeeds(const std::string& command) {
  CAPTURE(command);
  const Finished finished = shell(command);
  CAPTURE(finished.out, finished.err);
  CHECK(finished.status == 0);
}

TEST_CASE("an installed library serves programs outside, exports its interface alone, and goes without a trace") {
  const char* make = std::getenv("NORMALIGN_MAKE");
  if (!make) return skip("install: NORMALIGN_MAKE is not set (make test of everything, without sanitizers, sets it)");
  const TemporaryFolder folder;
  const std::string prefix = (folder / "a prefix").string();
  // The make around this test passes on its settings, which are in NORMALIGN_MAKE already.
  const std::string installer = "unset MAKEFLAGS MFLAGS MAKELEVEL; " + std::string(make) + " PREFIX='" + prefix + "'";
  write_file(folder / "program.cpp", outside_program);
  const Finished installed = shell(installer + " install");
  CAPTURE(installed.out, installed.err);
  REQUIRE(installed.status == 0);
  REQUIRE(fs::exists(prefix + "/include/normalign/autodiff/tape.hpp"));

  const std::string version = "$(PKG_CONFIG_PATH='" + prefix + "/lib/pkgconfig' pkg-config --modversion normalign)";
  check_succeeds("test \"normalign " + version + "\" = \"$('" + prefix + "/bin/normalign' --version)\"");

  // What `make install` says, with the compiler of this project.
  const std::string compiler = lines(shell("scripts/deps --compiler").out).front();
  const std::string hint = "c++ program.cpp ";
  const auto at = installed.out.find(hint);
  REQUIRE(at != installed.out.npos);
  const std::string before = installed.out.substr(0, at), start = before.ends_with("eval ") ? "eval " : "";
  const std::string rest = installed.out.substr(at + hint.size());
  check_succeeds("cd " + folder.path().string() + " && " + start + compiler + " program.cpp -o by_pkg_config " +
                 rest.substr(0, rest.find('\n')));
  CHECK(shell((folder / "by_pkg_config").string()).out == "6\nrefused\n");

  // Names as the linker has them: qualifiers and lengths, the namespace first.
  const std::regex of_normalign("_Z[A-Z]*(h[0-9n_]*_|v[0-9n_]*_)?N?[KRO]*9normalign.*");
  const std::vector<std::string> exported =
      lines(shell("nm -D --defined-only '" + prefix + "/lib/libnormalign.so' | cut -d' ' -f3").out);
  CHECK(exported.size() > 100);
  for (const std::string& name : exported) {
    CAPTURE(name);
    CHECK(std::regex_match(name, of_normalign));
    CHECK_FALSE(name.starts_with("_ZN9normalign12_GLOBAL__N_1"));
  }

  if (shell("command -v cmake").status == 0) {
    write_file(folder / "CMakeLists.txt",
               "cmake_minimum_required(VERSION 3.16)\nproject(outside CXX)\nfind_package(normalign REQUIRED)\n"
               "add_executable(outside program.cpp)\ntarget_link_libraries(outside normalign::normalign)\n"
               "add_executable(outside_static program.cpp)\ntarget_link_libraries(outside_static normalign::static)\n");
    const std::string build = (folder / "by_cmake").string();
    check_succeeds("cmake -S " + folder.path().string() + " -B " + build + " -DCMAKE_CXX_COMPILER=" + compiler +
                   " -DCMAKE_PREFIX_PATH='" + prefix + "' && cmake --build " + build);
    CHECK(shell(build + "/outside").out == "6\nrefused\n");
    CHECK(shell(build + "/outside_static").out == "6\nrefused\n");
  } else {
    skip("install: cmake is missing");
  }

  check_succeeds(installer + " uninstall");
  CHECK((!fs::exists(prefix) || fs::is_empty(prefix)));
}

}  // namespace
}  // namespace normalign::tests
