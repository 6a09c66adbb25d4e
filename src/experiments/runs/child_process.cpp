#include "experiments/runs/child_process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.hpp"
#include "base/file_content.hpp"

namespace normalign {
namespace {

// A file without a name that holds `content`. Unlike a pipe it takes any amount without a reader.
int memory_file(const char* name, const std::string& content) {
  const int file = ::memfd_create(name, MFD_CLOEXEC);
  if (file < 0 || ::write(file, content.data(), content.size()) != static_cast<ssize_t>(content.size()) ||
      ::lseek(file, 0, SEEK_SET) != 0)
    throw RunError(text("a process cannot be started: ", std::strerror(errno)));
  return file;
}

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : signals) sigaddset(&set, signal);
  return set;
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command, const std::string& input)
    : error_(memory_file("standard error", "")) {
  const int in = memory_file("standard input", input);
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&files, error_, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  const sigset_t blocked = set_of({SIGINT});
  posix_spawnattr_setsigmask(&attributes, &blocked);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  const int error = ::posix_spawn(&id_, arguments.front(), &files, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  ::close(in);
  if (!error) return;
  ::close(error_);
  throw RunError(text(command.front(), ": cannot be started: ", std::strerror(error)));
}

ChildProcess::~ChildProcess() {
  if (id_ > 0) {
    ::kill(id_, SIGKILL);
    while (::waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  if (error_ >= 0) ::close(error_);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : id_(std::exchange(other.id_, 0)), error_(std::exchange(other.error_, -1)) {}

void ChildProcess::ask_to_end() {
  if (id_ > 0) ::kill(id_, SIGTERM);
}

std::optional<ProcessEnd> ChildProcess::end() {
  int raw = 0;
  const pid_t found = ::waitpid(id_, &raw, WNOHANG);
  if (found == 0 || (found < 0 && errno == EINTR)) return std::nullopt;
  if (found < 0) throw RunError(text("process ", id_, " cannot be waited for: ", std::strerror(errno)));
  id_ = 0;
  return ProcessEnd{.status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 0,
                    .signal = WIFSIGNALED(raw) ? WTERMSIG(raw) : 0,
                    .error = file_content(text("/proc/self/fd/", error_))};
}

SignalWait::SignalWait() : awaited_(set_of({SIGCHLD})) {
  // Without this an inherited SIG_IGN would have the system forget how children ended.
  std::signal(SIGCHLD, SIG_DFL);
  for (int signal : {SIGINT, SIGTERM}) {
    struct sigaction action = {};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) sigaddset(&awaited_, signal);
  }
  ::pthread_sigmask(SIG_BLOCK, &awaited_, &before_);
}

SignalWait::~SignalWait() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

int SignalWait::wait(std::chrono::milliseconds limit) {
  const auto count = limit.count();
  const timespec time = {.tv_sec = count / 1000, .tv_nsec = count % 1000 * 1'000'000};
  const int signal = ::sigtimedwait(&awaited_, nullptr, &time);
  return signal == SIGINT || signal == SIGTERM ? signal : 0;
}

void end_with_parent(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) throw RunError("the sweep that started this run has ended");
}

}  // namespace normalign
