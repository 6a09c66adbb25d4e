// What the library throws, and how a message is put together.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace normalign {

/// A caller's mistake: a shape, a range, a missing file, an unknown name. The command line ends with status 2.
class InputError : public std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

/// A computation that failed on acceptable input: a loss that is not finite, say. Status 1 on the command line.
class RunError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

namespace detail {

/// A value and how it is written to a stream.
struct Written {
  const void* value;
  void (*write)(std::ostream& out, const void* value);
};

/// Borrows the value for as long as the expression lasts.
template <class T>
Written written(const T& value) {
  return {&value, [](std::ostream& out, const void* at) { out << *static_cast<const T*>(at); }};
}
inline Written written(const char* words) {
  return {words, [](std::ostream& out, const void* at) { out << static_cast<const char*>(at); }};
}

/// What the stream holds then.
std::string joined(std::initializer_list<Written> parts);

}  // namespace detail

/// The parts written one after the other, as `operator<<` writes them.
template <class... Parts>
std::string text(const Parts&... parts) {
  // The stream is out of sight: a template that holds one takes longer to compile than the function it is called in.
  return detail::joined({detail::written(parts)...});
}

/// What `words_of` makes of each of the items, with `separator` between them.
template <class Items, class WordsOf = std::identity>
std::string joined(const Items& items, std::string_view separator, const WordsOf& words_of = {}) {
  std::string result;
  bool is_first = true;
  for (const auto& item : items) {
    if (!std::exchange(is_first, false)) result += separator;
    result += std::invoke(words_of, item);
  }
  return result;
}

/// Does `action`; what it refuses is refused with `before` before it and `after` behind.
template <class Action>
auto within(const std::string& before, const Action& action, const std::string& after = "") {
  try {
    return action();
  } catch (const InputError& error) {
    throw InputError(before + error.what() + after);
  }
}

/// Text from outside, such as a name in a file, as a message shows it: on one line of plain ASCII (other bytes as '?'),
/// cut after 60 bytes.
inline std::string one_line(std::string_view outside) {
  constexpr std::size_t longest = 60;
  std::string result;
  for (const char byte : outside.substr(0, longest)) result += byte >= ' ' && byte <= '~' ? byte : '?';
  return outside.size() > longest ? result + "..." : result;
}

/// Throws InputError, "FIELD: found N, expected a whole number from LEAST to MOST", unless N lies in that range.
void check_whole(const char* field, std::int64_t found, std::int64_t least, std::int64_t most);

}  // namespace normalign
