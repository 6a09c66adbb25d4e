// Child processes whose output is kept.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"

namespace normalign::tests {

/// How a child ended and what it wrote.
struct Finished {
  int status = 0;  ///< the exit status, or minus the signal that ended it
  std::string out;
  std::string err;
};

/// A program that runs beside the test; standard input is empty, the two outputs go to files. Killed at the
/// end of the scope when it still runs.
class Child {
 public:
  /// Starts `command`, a path and its arguments. Throws std::runtime_error when that fails.
  explicit Child(const std::vector<std::string>& command);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Whether it still runs.
  bool running();
  /// Sends it a signal; the default ends it at once.
  void kill(int signal = SIGKILL);
  /// Waits for its end; after two minutes it is killed.
  Finished wait();

 private:
  TemporaryFolder folder_;
  pid_t pid_ = 0;
  bool ended_ = false;
  int raw_status_ = 0;
};

/// Runs `command` to its end.
Finished run(const std::vector<std::string>& command);

/// The lines of a text, without their ends.
std::vector<std::string> lines(const std::string& text);

}  // namespace normalign::tests
