// The progress of a run, as a person at a terminal or a log file wants it.
#pragma once

#include <chrono>
#include <optional>
#include <ostream>

#include "experiments/runs/status_line.hpp"
#include "experiments/training/run_log.hpp"

namespace normalign {

/// Writes how far a run is: on a terminal one line that is written over ten times a second, else a plain line every ten
/// seconds.
class Progress {
 public:
  /// `last_epoch`: the most epochs that the run may take.
  Progress(std::ostream& out, bool terminal, Index last_epoch);
  /// To be called after every epoch; the speed is that since the first call, so a resumed run tells its own.
  void operator()(const RunLog& log, Index epoch);
  /// Ends the line on a terminal. To be called once at the end.
  void finish();

 private:
  std::string line(const RunLog& log, Index epoch) const;

  using Clock = std::chrono::steady_clock;
  std::ostream& out_;
  bool terminal_;
  StatusLine status_;
  Index last_epoch_;
  std::optional<Index> first_epoch_;
  Clock::time_point start_ = Clock::now();  // of the first epoch
  Clock::time_point next_ = start_;
};

}  // namespace normalign
