// Ctrl-C and the like as a question that a long computation asks itself.
#pragma once

#include <csignal>

namespace normalign {

/// What a second signal does: it ends the process as ever, or is noted as the first one was.
enum class SecondSignal { ends, is_noted };

/// While it lives, the first SIGINT or SIGTERM does not end this process but is noted. A signal that the process was
/// told to ignore stays ignored. At most one lives at a time.
class Interrupt {
 public:
  explicit Interrupt(SecondSignal second = SecondSignal::ends);  ///< begins to note signals
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  /// SIGINT or SIGTERM where it has come, else 0.
  int signal() const;

 private:
  struct sigaction before_int_ = {}, before_term_ = {};
};

}  // namespace normalign
