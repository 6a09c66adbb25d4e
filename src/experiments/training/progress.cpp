#include "experiments/training/progress.hpp"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>

namespace normalign {

Progress::Progress(std::ostream& out, bool terminal, Index last_epoch)
    : out_(out), terminal_(terminal), status_(out, terminal), last_epoch_(last_epoch) {
  // A plain log needs no line about the first seconds.
  if (!terminal) next_ += std::chrono::seconds(10);
}

void Progress::operator()(const RunLog& log, Index epoch) {
  const auto now = Clock::now();
  if (!first_epoch_) {
    first_epoch_ = epoch;
    start_ = now;
  }
  if (now < next_) return;
  next_ = now + (terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(10));
  const std::string text = line(log, epoch);
  if (!terminal_) {
    out_ << text << std::endl;
    return;
  }
  status_.show(text);
}

void Progress::finish() { status_.clear(); }

std::string Progress::line(const RunLog& log, Index epoch) const {
  std::ostringstream out;
  out << log.run_name << "  epoch " << epoch << " of at most " << last_epoch_ << std::fixed;
  if (!log.metrics.empty()) {
    const MetricRow& row = log.metrics.back();
    out << std::setprecision(1) << (is_regression(log) ? "  R²" : "") << "  train " << row.train_acc << " %  test "
        << row.test_acc << " %";
  }
  const auto done = static_cast<double>(epoch - first_epoch_.value_or(epoch));
  if (done > 0) {
    const double rate = done / std::max(std::chrono::duration<double>(Clock::now() - start_).count(), 1e-9);
    out << std::setprecision(rate < 10 ? 1 : 0) << "  " << rate << " epochs/s  at most "
        << duration(static_cast<double>(last_epoch_ - epoch) / rate) << " left";
  }
  if (!log.metrics.empty()) out << std::setprecision(4) << "  loss " << log.metrics.back().train_loss;
  return out.str();
}

}  // namespace normalign
