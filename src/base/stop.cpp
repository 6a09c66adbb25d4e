#include "base/stop.hpp"

#include <atomic>
#include <exception>
#include <mutex>

#include "base/clock.hpp"

namespace normalign {
namespace {

constexpr Clock::duration between_askings = std::chrono::milliseconds(200);

}  // namespace

struct StopPoll::State {
  State(const char* of, const std::function<bool()>& callback) : computation(of), stop(callback) {}

  const char* computation;
  std::function<bool()> stop;
  std::mutex asking;
  std::atomic<Clock::duration> next = Clock::duration::min();  // the callback is asked from this time on
  std::exception_ptr end = nullptr;                            // written once, before `has_ended`
  std::atomic<bool> has_ended = false;

  void ask() noexcept {
    try {
      if (stop()) throw Stopped(text(computation, ": stopped"));
    } catch (...) {
      end = std::current_exception();
      has_ended.store(true, std::memory_order_release);
    }
    next.store(Clock::now().time_since_epoch() + between_askings, std::memory_order_relaxed);
  }
};

StopPoll::StopPoll(const char* computation, const std::function<bool()>& stop) {
  if (stop) state_ = std::make_shared<State>(computation, stop);
}

bool StopPoll::has_ended() const noexcept {
  if (!state_) return false;
  State& state = *state_;
  const auto is_due = [&] {
    return !state.has_ended.load(std::memory_order_acquire) &&
           Clock::now().time_since_epoch() >= state.next.load(std::memory_order_relaxed);
  };
  if (is_due()) {
    // Whoever finds another one asking goes on.
    const std::unique_lock lock(state.asking, std::try_to_lock);
    if (lock && is_due()) state.ask();
  }
  return state.has_ended.load(std::memory_order_acquire);
}

void StopPoll::check() const {
  if (has_ended()) std::rethrow_exception(state_->end);
}

std::function<bool()> StopPoll::inner() const {
  if (!state_) return {};
  return [poll = *this] {
    poll.check();
    return false;
  };
}

}  // namespace normalign
