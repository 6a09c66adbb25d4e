// How a call from Python computes: without the interpreter's lock, stopped by Ctrl-C, on how many threads.
#pragma once

#include <pybind11/pybind11.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <optional>
#include <string>

#include "base/stop.hpp"
#include "linalg/matrix.hpp"

namespace normalign::python {

namespace py = pybind11;

/// The number of threads for a call: those asked for, else as many as there are usable cores and as OpenMP may use
/// (OMP_NUM_THREADS, or less where somebody has limited it); cores are looked up once. Always 1 in a process
/// that was forked from one that had loaded this module: the threads of OpenMP stay behind there, and waiting for them
/// would never end. Throws InputError on fewer than one.
int thread_count(std::optional<int> asked);

/// The same for a computation of so many operations: no more threads than pay (paying_threads.hpp) where the caller
/// leaves it open.
int thread_count(std::optional<int> asked, double flops);

/// Sees to it that forked processes compute on one thread. To be called once.
void watch_forks();

/// Notes Ctrl-C while it lives, where it is made by the thread that Python handles signals on. Python's own handler
/// sees the signal as well.
class NotedInterrupt {
 public:
  /// Begins to note it.
  NotedInterrupt();
  ~NotedInterrupt();
  NotedInterrupt(const NotedInterrupt&) = delete;
  NotedInterrupt& operator=(const NotedInterrupt&) = delete;
  /// Whether it came while this lived.
  bool came() const;

 private:
  bool is_noted_ = false;
  int seen_ = 0;  // signals before this one lived
  bool is_installed_ = false;
  struct sigaction before_ = {};
};

/// Shows how far a computation is: to a function of the caller's, called with (done, all), as a tqdm bar where `shown`
/// is True and tqdm is there, else not at all. May be told from any thread.
class Progress {
 public:
  /// Of `all` units, where that is known already. Throws InputError where `shown` is neither None, True, False nor
  /// callable.
  Progress(const py::object& shown, const char* unit, std::optional<Index> all = {});
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Whether anybody looks.
  explicit operator bool() const { return static_cast<bool>(show_) || static_cast<bool>(bar_); }
  /// Tells the caller; an exception of his is kept for `rethrow`.
  void operator()(Index done, std::optional<Index> all);
  /// Whether the caller threw.
  bool failed() const { return failed_; }
  /// Throws the exception of the caller, if any. With the interpreter's lock.
  void rethrow();

 private:
  py::object show_, bar_;
  std::optional<py::error_already_set> error_;
  std::atomic<bool> failed_ = false;
};

/// Counts a computation as running while it lives.
class Running {
 public:
  /// Begins to count. Never returns to another thread than the main one after `end_computations`.
  Running();
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
};

/// Whether `end_computations` was called.
bool is_ending();

/// Ends computations that other threads are in the midst of, and waits for them, ten seconds at most. To be called
/// before the process ends: the memory of OpenBLAS goes then.
void end_computations();

/// What `compute()` returns, computed without the interpreter's lock: for what takes no time to speak of.
template <class Compute>
auto without_lock(const Compute& compute) {
  const py::gil_scoped_release released;
  const Running running;
  return compute();
}

/// What `compute(stop)` returns, computed without the interpreter's lock; `stop` says whether Ctrl-C came or the
/// caller's progress function threw, which is then thrown in place of Stopped.
template <class Compute>
auto interruptible(const Compute& compute, Progress* progress = nullptr) {
  const NotedInterrupt interrupt;
  const std::function<bool()> stop = [&] {
    return interrupt.came() || (progress && progress->failed()) || is_ending();
  };
  try {
    auto result = without_lock([&] { return compute(stop); });
    if (progress) progress->rethrow();
    return result;
  } catch (const Stopped&) {
    if (progress) progress->rethrow();
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    throw;
  }
}

}  // namespace normalign::python
