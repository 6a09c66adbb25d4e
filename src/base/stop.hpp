// How a caller ends a long computation before its time.
#pragma once

#include <functional>
#include <memory>

#include "base/error.hpp"

namespace normalign {

/// A computation that its caller has ended.
class Stopped : public RunError {
  using RunError::RunError;
};

/// A caller's question whether to stop, which all threads of a computation may ask as often as they come by: the
/// callback is asked about five times a second, at the first call and then by the first that comes 0.2 s after its
/// last answer, by one thread at a time. Copies are the same poll. A call costs a look at the clock.
class StopPoll {
 public:
  /// Never ends anything, and costs nothing.
  StopPoll() = default;
  /// The poll of one call of a `computation`, such as "certificates". It holds a copy of the callback; an empty one
  /// never ends anything.
  StopPoll(const char* computation, const std::function<bool()>& stop);

  /// Throws what ends the computation, once something does, at every call from then on: Stopped, "COMPUTATION:
  /// stopped", where the callback has returned true, or the exception that it has thrown.
  void check() const;
  /// Whether `check` would throw, for where nothing may be thrown.
  bool has_ended() const noexcept;
  /// The callback for the options of another computation inside this one, which then ends by the exception of this
  /// one; empty where nothing ends it.
  std::function<bool()> inner() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace normalign
