#include "experiments/runs/interrupt.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include "support/catch.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("Interrupt: the first signal is noted, and what was before comes back") {
  struct sigaction before = {}, after = {};
  ::sigaction(SIGINT, nullptr, &before);
  {
    const Interrupt interrupt;
    CHECK(interrupt.signal() == 0);
    ::raise(SIGTERM);
    CHECK(interrupt.signal() == SIGTERM);
  }
  ::sigaction(SIGINT, nullptr, &after);
  CHECK(before.sa_handler == after.sa_handler);
  CHECK(Interrupt().signal() == 0);
}

TEST_CASE("Interrupt: a second signal ends the process; one that is ignored stays so") {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGINT, SIG_IGN);
    const Interrupt interrupt;
    ::raise(SIGINT);
    if (interrupt.signal() != 0) ::_exit(1);
    ::raise(SIGTERM);
    if (interrupt.signal() != SIGTERM) ::_exit(2);
    ::raise(SIGTERM);
    ::_exit(3);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGTERM);
}

TEST_CASE("Interrupt: a second signal is noted as the first one was where that is asked for") {
  const pid_t child = ::fork();
  if (child == 0) {
    const Interrupt interrupt(SecondSignal::is_noted);
    for (const int signal : {SIGTERM, SIGTERM, SIGINT, SIGINT}) {
      ::raise(signal);
      if (interrupt.signal() != signal) ::_exit(1);
    }
    ::_exit(3);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 3);
}

}  // namespace
}  // namespace normalign::tests
