#include "experiments/runs/child_process.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <thread>

#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

std::vector<std::string> shell(const std::string& script) { return {"/bin/sh", "-c", script}; }

ProcessEnd end_of(ChildProcess& process) {
  const auto limit = Clock::now() + 60s;
  while (Clock::now() < limit) {
    if (const auto end = process.end()) return *end;
    std::this_thread::sleep_for(1ms);
  }
  FAIL("the process does not end");
  return {};
}

ProcessEnd end_of(const std::string& script, const std::string& input = "") {
  ChildProcess process(shell(script), input);
  return end_of(process);
}

bool exists(pid_t process) { return ::kill(process, 0) == 0; }

// Waits until `condition` holds; whether it did within a minute.
template <class Condition>
bool comes_true(const Condition& condition) {
  const auto limit = Clock::now() + 60s;
  while (!condition()) {
    if (Clock::now() > limit) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

TEST_CASE("a process's end tells its status or signal, and what it wrote to standard error") {
  CHECK(end_of("exit 0").status == 0);
  CHECK(end_of("exit 0").signal == 0);
  CHECK(end_of("exit 7").status == 7);
  const ProcessEnd killed = end_of("echo last words >&2; kill -9 $$");
  CHECK(killed.signal == SIGKILL);
  CHECK(killed.status == 0);
  CHECK(killed.error == "last words\n");
  CHECK(end_of("echo not kept").error.empty());
}

TEST_CASE("a process finds its input, and no amount of output stops it") {
  const std::string line(1000, 'x');
  std::string input;
  for (int i = 0; i < 300; ++i) input += line;  // more than a pipe holds
  CHECK(end_of("cat >&2", input).error == input);
  CHECK(end_of("cat >&2").error.empty());
  CHECK(end_of("cat /dev/stdin >&2; cat /dev/stdin >&2", "twice").error == "twicetwice");
}

TEST_CASE("a program that is not there is refused by its name") {
  const std::string message = message_of<RunError>([] { ChildProcess({"/nowhere/program"}, ""); });
  CHECK(message.starts_with("/nowhere/program: cannot be started: "));
}

TEST_CASE("a process takes no notice of SIGINT, and ends when it is asked to") {
  // No shell: it would take back the mask of blocked signals, which this shows.
  ChildProcess process({"/bin/dd", "if=/proc/self/status", "of=/dev/stderr", "status=none"}, "");
  const std::string status = end_of(process).error;
  CAPTURE(status);
  CHECK(contains(status, "SigBlk:\t0000000000000002\n"));
  ChildProcess asked({"/bin/sleep", "1000"}, "");
  asked.ask_to_end();
  CHECK(end_of(asked).signal == SIGTERM);
}

TEST_CASE("a process ends with its object, which may have moved") {
  const TemporaryFolder folder;
  const auto file = folder / "id";
  pid_t id = 0;
  {
    ChildProcess process(shell("echo $$ > " + file.string() + ".new; mv " + file.string() + ".new " + file.string() +
                               "; exec sleep 1000"),
                         "");
    REQUIRE(comes_true([&] { return std::filesystem::exists(file); }));
    id = std::stoi(read_file(file));
    const ChildProcess moved(std::move(process));
    CHECK(exists(id));
  }
  CHECK_FALSE(exists(id));
}

// Whether `holds` is true in a process of its own that has no other thread: a signal to the process could end there.
bool in_a_process_alone(const std::function<bool()>& holds) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(holds() ? 0 : 1);
  int status = -1;
  return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

TEST_CASE("waiting ends with a child, with a signal, or with its time") {
  const auto told = [](int signal) { ::kill(::getpid(), signal); };
  CHECK(in_a_process_alone([] { return SignalWait().wait(1ms) == 0; }));
  for (int signal : {SIGTERM, SIGINT})
    CHECK(in_a_process_alone([&] {
      std::signal(signal, SIG_DFL);
      SignalWait signals;
      told(signal);
      return signals.wait(60s) == signal && signals.wait(1ms) == 0;
    }));
  CHECK(in_a_process_alone([] {
    SignalWait signals;
    ChildProcess process(shell("exit 3"), "");
    const auto start = Clock::now();
    return signals.wait(600s) == 0 && Clock::now() - start < 300s && end_of(process).status == 3;
  }));
  // A signal that the process was told to ignore stays ignored.
  CHECK(in_a_process_alone([&] {
    std::signal(SIGINT, SIG_IGN);
    SignalWait signals;
    told(SIGINT);
    return signals.wait(1ms) == 0;
  }));
}

TEST_CASE("a process that ends with its parent is gone when the parent was killed") {
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    const pid_t self = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) {
      end_with_parent(self);
      // Now it may be told: the pipe closes when this process ends.
      (void)!::write(pipe[1], "x", 1);
      ::sleep(20);
      ::_exit(0);
    }
    ::sleep(20);
    ::_exit(0);
  }
  ::close(pipe[1]);
  char letter = 0;
  CHECK(::read(pipe[0], &letter, 1) == 1);
  const auto start = Clock::now();
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  CHECK(::read(pipe[0], &letter, 1) == 0);  // end of file: nobody holds the other end any more
  CHECK(Clock::now() - start < 10s);        // and not because it had slept enough
  ::close(pipe[0]);
}

TEST_CASE("a process whose parent has ended already is told so") {
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string message = message_of<RunError>([] { end_with_parent(1'000'000'000); });
    ::_exit(contains(message, "has ended") ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
}

}  // namespace
}  // namespace normalign::tests
