// How many threads a piece of work is fastest on, found out as it is done again and again.
#pragma once

#include <vector>

namespace normalign {

/// Chooses the threads of work that is repeated many times, such as training steps, by how long it took: on a small
/// step, or beside other programs, more threads are slower. Now and then it does the work a few times in turn on half
/// or twice as many, for about a fiftieth of all time; the faster number stays, the smaller one where they are within 2
/// %.
class ThreadChoice {
 public:
  /// At most `most` threads, at first `first` of them or as many as there are. Throws InputError when either is less
  /// than 1.
  ThreadChoice(int most, int first);
  /// The threads that the work is to be done on next.
  int threads() const { return is_trial_ && is_turn_of_other_ ? other_ : current_; }
  /// The work was done on `threads()`, in so many seconds.
  void took(double seconds);

 private:
  bool begin_trial(bool upwards);
  bool is_decided() const;
  void end_trial();

  int most_, current_, other_ = 0;
  bool is_trial_ = false, is_turn_of_other_ = false;
  bool tries_more_ = false;                            // in the next trial, or the one going on
  std::vector<double> times_ = {}, other_times_ = {};  // in the trial
  int first_times_ = 0;                                // of the work, which are not looked at
  double rested_ = 0, rest_ = 0;                       // seconds since the last trial, and until the next one
};

}  // namespace normalign
