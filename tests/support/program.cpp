#include "support/program.hpp"

#include <cstdlib>
#include <stdexcept>

#include "support/catch.hpp"

namespace normalign::tests {

bool without_program(const std::string& what) {
  if (std::getenv("NORMALIGN_PROGRAM")) return false;
  skip("command line, " + what + ": NORMALIGN_PROGRAM is not set (make test sets it)");
  return true;
}

Arguments command(const Arguments& arguments) {
  const char* program = std::getenv("NORMALIGN_PROGRAM");
  if (!program) throw std::runtime_error("NORMALIGN_PROGRAM is not set");
  Arguments result{program};
  result.insert(result.end(), arguments.begin(), arguments.end());
  return result;
}

Finished normalign(const Arguments& arguments) { return run(command(arguments)); }

}  // namespace normalign::tests
