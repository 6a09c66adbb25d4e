// What an error says, in a form that both versions of Catch2 can compare.
#pragma once

#include <string>

#include "base/error.hpp"

namespace normalign::tests {

/// The text of the `Error` that `action` throws; "nothing was thrown" when it throws nothing. Any other
/// exception passes through and fails the test.
template <class Error = InputError, class Action>
std::string message_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

/// Whether `part` occurs in `whole`.
inline bool contains(const std::string& whole, const std::string& part) {
  return whole.find(part) != std::string::npos;
}

}  // namespace normalign::tests
