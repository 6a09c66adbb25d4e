#include "linalg/thread_choice.hpp"

#include <algorithm>
#include <numeric>

#include "linalg/row_blocks.hpp"

namespace normalign {
namespace {

constexpr int first_times = 4;  // in which memory is asked for
constexpr std::size_t least_times_of_trial = 2, times_of_trial = 7;
constexpr double far_slower = 2;  // than which nobody has to see more of it
constexpr double rest_over_trial = 50, about_equal = 1.02;

double median_of(std::vector<double>& times) {
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

}  // namespace

ThreadChoice::ThreadChoice(int most, int first) : most_(most), current_(std::min(most, first)) {
  check_threads("ThreadChoice", current_);
  times_.reserve(times_of_trial);
  other_times_.reserve(times_of_trial);
}

// Whether there is another number to try.
bool ThreadChoice::begin_trial(bool upwards) {
  other_ = upwards ? std::min(2 * current_, most_) : std::max(current_ / 2, 1);
  tries_more_ = upwards;
  is_trial_ = other_ != current_;
  is_turn_of_other_ = false;
  return is_trial_;
}

void ThreadChoice::end_trial() {
  const double trial = std::accumulate(times_.begin(), times_.end(), 0.0) +
                       std::accumulate(other_times_.begin(), other_times_.end(), 0.0);
  const double more = median_of(tries_more_ ? other_times_ : times_),
               fewer = median_of(tries_more_ ? times_ : other_times_);
  times_.clear();
  other_times_.clear();
  is_trial_ = false;
  const bool takes_more = more * about_equal < fewer;
  if (takes_more == tries_more_) {
    current_ = other_;
    if (begin_trial(tries_more_)) return;
  }
  rest_ = rest_over_trial * trial;
  rested_ = 0;
  tries_more_ = !tries_more_;
}

void ThreadChoice::took(double seconds) {
  if (most_ == 1 || ++first_times_ <= first_times) return;
  first_times_ = first_times;
  if (!is_trial_) {
    rested_ += seconds;
    if (rested_ >= rest_ && !begin_trial(tries_more_)) begin_trial(!tries_more_);
    return;
  }
  (is_turn_of_other_ ? other_times_ : times_).push_back(seconds);
  is_turn_of_other_ = !is_turn_of_other_;
  if (!is_turn_of_other_ && is_decided()) end_trial();
}

// Whether the trial, after as many times on either number, has shown enough.
bool ThreadChoice::is_decided() const {
  if (times_.size() == times_of_trial) return true;
  if (times_.size() < least_times_of_trial) return false;
  const auto [fastest, slowest] = std::ranges::minmax(times_);
  const auto [other_fastest, other_slowest] = std::ranges::minmax(other_times_);
  return fastest > far_slower * other_slowest || other_fastest > far_slower * slowest;
}

}  // namespace normalign
