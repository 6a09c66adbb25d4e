// Processes started by this one, and the signals that a process with children waits for.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <vector>

namespace normalign {

/// How a process ended.
struct ProcessEnd {
  int status = 0;     ///< exit status; 0 where a signal ended it
  int signal = 0;     ///< the signal that ended it, or 0
  std::string error;  ///< what it wrote to standard error
};

/// A process that runs beside this one: standard error is kept, standard output goes nowhere. It takes no notice of
/// SIGINT, which a terminal sends to all processes of a group, so that the parent alone decides. Killed at the end of
/// the scope when it still runs.
class ChildProcess {
 public:
  /// Starts `command`, a path and its arguments, which finds `input` on its standard input. Throws RunError when that
  /// fails.
  ChildProcess(const std::vector<std::string>& command, const std::string& input);
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;

  /// Sends it SIGTERM.
  void ask_to_end();
  /// How it ended; none while it runs. To be asked no more once it has answered.
  std::optional<ProcessEnd> end();

 private:
  pid_t id_ = 0;  // 0: ended, or moved from
  int error_ = -1;
};

/// Keeps SIGINT and SIGTERM from ending this process while the object lives; they are waited for instead. A signal that
/// the process was told to ignore stays ignored.
class SignalWait {
 public:
  SignalWait();
  ~SignalWait();
  SignalWait(const SignalWait&) = delete;
  SignalWait& operator=(const SignalWait&) = delete;

  /// Waits until a child ends, a signal comes or `limit` is over. Returns SIGINT or SIGTERM when it came, else 0.
  int wait(std::chrono::milliseconds limit);

 private:
  sigset_t awaited_, before_;
};

/// Ends this process, started by `parent`, as soon as that one ends, however it does. Throws RunError when it has ended
/// already.
void end_with_parent(pid_t parent);

}  // namespace normalign
