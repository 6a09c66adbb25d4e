// What the library throws, and how a message is put together.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace normalign {

/// A caller's mistake: a shape, a range, a missing file, an unknown name. The command line ends with status 2.
class InputError : public std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

/// A computation that failed on acceptable input: a loss that is not finite, say. Status 1 on the command line.
class RunError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The parts written one after the other, as `operator<<` writes them.
template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

}  // namespace normalign
