#include "python/bindings/support/computation.hpp"

#include <omp.h>
#include <pthread.h>
#include <pybind11/stl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/cores.hpp"
#include "linalg/paying_threads.hpp"
#include "linalg/row_blocks.hpp"

namespace normalign::python {
namespace {

// Read by a signal handler and after a fork, where nothing but such a variable may be looked at.
std::atomic<bool> is_forked = false;
std::atomic<int> interrupts = 0;
std::atomic<int> running = 0;
std::atomic<bool> is_at_exit = false;
struct sigaction handler_of_python = {};

extern "C" void note_interrupt(int signal, siginfo_t* info, void* context) {
  ++interrupts;
  if (handler_of_python.sa_flags & SA_SIGINFO)
    handler_of_python.sa_sigaction(signal, info, context);
  else
    handler_of_python.sa_handler(signal);
}

extern "C" void after_fork_in_child() {
  is_forked = true;
  omp_set_num_threads(1);
}

// Where Python handles signals.
bool is_main_thread() { return ::syscall(SYS_gettid) == ::getpid(); }

}  // namespace

int thread_count(std::optional<int> asked) {
  if (asked) check_threads("threads", *asked);
  if (is_forked) return 1;
  if (asked) return *asked;
  // Looked up once: it takes longer than a small network's outputs. OpenMP's number is the user's OMP_NUM_THREADS, or
  // what joblib and threadpoolctl set for a process that is one of several.
  static const int cores = usable_cores();
  return std::min(cores, omp_get_max_threads());
}

int thread_count(std::optional<int> asked, double flops) {
  const int most = thread_count(asked);
  return asked ? most : paying_threads(most, flops);
}

void watch_forks() { ::pthread_atfork(nullptr, nullptr, after_fork_in_child); }

NotedInterrupt::NotedInterrupt() : is_noted_(is_main_thread()), seen_(interrupts) {
  if (!is_noted_ || ::sigaction(SIGINT, nullptr, &before_) != 0) return;
  const bool has_function = before_.sa_flags & SA_SIGINFO
                                ? before_.sa_sigaction != note_interrupt
                                : before_.sa_handler != SIG_DFL && before_.sa_handler != SIG_IGN;
  if (!has_function) return;
  handler_of_python = before_;
  struct sigaction ours = before_;
  ours.sa_flags |= SA_SIGINFO;
  ours.sa_sigaction = note_interrupt;
  is_installed_ = ::sigaction(SIGINT, &ours, nullptr) == 0;
}

NotedInterrupt::~NotedInterrupt() {
  struct sigaction now = {};
  // Whatever the caller has set meanwhile stays.
  if (is_installed_ && ::sigaction(SIGINT, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) &&
      now.sa_sigaction == note_interrupt)
    ::sigaction(SIGINT, &before_, nullptr);
}

bool NotedInterrupt::came() const { return is_noted_ && interrupts != seen_; }

Running::Running() {
  ++running;
  if (!is_at_exit || is_main_thread()) return;
  --running;
  // None but daemon threads are left: the process ends without them.
  while (true) ::pause();
}
Running::~Running() { --running; }

bool is_ending() { return is_at_exit; }

void end_computations() {
  is_at_exit = true;
  const py::gil_scoped_release released;
  constexpr auto step = std::chrono::milliseconds(10);
  for (auto waited = step; running > 0 && waited < std::chrono::seconds(10); waited += step)
    std::this_thread::sleep_for(step);
}

Progress::Progress(const py::object& shown, const char* unit, std::optional<Index> all) {
  if (shown.is_none() || shown.is(py::bool_(false))) return;
  if (PyCallable_Check(shown.ptr())) {
    show_ = shown;
    return;
  }
  if (!shown.is(py::bool_(true)))
    throw InputError(
        text("progress: found ", std::string(py::repr(shown)), ", expected True, False or a function of (done, all)"));
  try {
    bar_ = py::module_::import("tqdm.auto")
               .attr("tqdm")(py::arg("unit") = std::string(" ") + unit, py::arg("total") = all);
  } catch (const py::error_already_set& error) {
    if (!error.matches(PyExc_ImportError)) throw;
  }
}

Progress::~Progress() {
  if (!bar_) return;
  try {
    bar_.attr("close")();
  } catch (py::error_already_set& error) {
    error.discard_as_unraisable("closing a progress bar");
  }
}

void Progress::operator()(Index done, std::optional<Index> all) {
  if (!*this || failed_) return;
  const py::gil_scoped_acquire lock;
  try {
    if (show_) {
      show_(done, all);
      return;
    }
    if (all) bar_.attr("total") = *all;
    bar_.attr("update")(py::int_(done) - bar_.attr("n"));
  } catch (py::error_already_set& error) {
    error_.emplace(std::move(error));
    failed_ = true;
  }
}

void Progress::rethrow() {
  if (!error_) return;
  py::error_already_set error = std::move(*error_);
  error_.reset();
  throw error;
}

}  // namespace normalign::python
