#include "support/subprocess.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace normalign::tests {

Child::Child(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const std::string out = folder_ / "out", err = folder_ / "err";
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int error = ::posix_spawn(&pid_, arguments.front(), &files, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (error) throw std::runtime_error("cannot start " + command.front() + ": " + std::strerror(error));
}

Child::~Child() {
  if (!running()) return;
  kill();
  ::waitpid(pid_, &raw_status_, 0);
}

bool Child::running() {
  if (!ended_) ended_ = ::waitpid(pid_, &raw_status_, WNOHANG) == pid_;
  return !ended_;
}

void Child::kill(int signal) {
  if (running()) ::kill(pid_, signal);
}

Finished Child::wait() {
  using Clock = std::chrono::steady_clock;
  const auto limit = Clock::now() + std::chrono::minutes(2);
  while (running()) {
    if (Clock::now() > limit) kill();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return {.status = WIFEXITED(raw_status_) ? WEXITSTATUS(raw_status_) : -WTERMSIG(raw_status_),
          .out = read_file(folder_ / "out"),
          .err = read_file(folder_ / "err")};
}

Finished run(const std::vector<std::string>& command) { return Child(command).wait(); }

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) result.push_back(line);
  return result;
}

}  // namespace normalign::tests
