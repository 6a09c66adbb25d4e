// What the library throws, and how a message is put together.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

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

/// Text from outside, such as a name in a file, as a message shows it: on one line of plain ASCII (other bytes as '?'),
/// cut after 60 bytes.
inline std::string one_line(std::string_view outside) {
  constexpr std::size_t longest = 60;
  std::string result;
  for (const char byte : outside.substr(0, longest)) result += byte >= ' ' && byte <= '~' ? byte : '?';
  return outside.size() > longest ? result + "..." : result;
}

}  // namespace normalign
