#include "experiments/gnuplot.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstring>

#include "experiments/text_file.hpp"
#include "linalg/error.hpp"

namespace normalign {

namespace {

// A folder that is gone at the end of the scope.
struct ScratchFolder {
  explicit ScratchFolder(std::filesystem::path where) : path(std::move(where)) { make_folder(path); }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::filesystem::path path;
};

}  // namespace

std::string gnuplot_string(const std::string& words) {
  // Between single quotes nothing has a meaning but the quote itself.
  std::string result = "'";
  for (const char letter : words) {
    if (letter == '\'') result += '\'';
    result += std::iscntrl(static_cast<unsigned char>(letter)) ? ' ' : letter;
  }
  result += '\'';
  return result;
}

std::string gnuplot_comment(const std::string& words) { return "# " + gnuplot_string(words) + "\n"; }

bool write_figure(const std::filesystem::path& folder, const Figure& figure) {
  write_text_file(folder / (figure.name + ".dat"), figure.data);
  write_text_file(folder / (figure.name + ".gp"), figure.script);
  // Drawn apart and then renamed: a reader finds each picture as a whole.
  const ScratchFolder scratch(folder / text('.', figure.name, '.', ::getpid(), ".tmp"));
  write_text_file(scratch.path / (figure.name + ".dat"), figure.data);
  if (!run_gnuplot(scratch.path, "../" + figure.name + ".gp")) return false;
  for (const char* ending : {".svg", ".png"}) {
    const std::string file = figure.name + ending;
    std::error_code error;
    if (std::filesystem::exists(scratch.path / file))
      std::filesystem::rename(scratch.path / file, folder / file, error);
    if (error) throw InputError(text((folder / file).string(), ": cannot be written: ", error.message()));
  }
  return true;
}

bool run_gnuplot(const std::filesystem::path& folder, const std::string& script) {
  std::string program = "gnuplot", argument = script;
  char* const arguments[] = {program.data(), argument.data(), nullptr};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, program.c_str(), &actions, nullptr, arguments, environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error == ENOENT) return false;
  if (error) throw RunError(text("gnuplot cannot be started: ", std::strerror(error)));

  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) throw RunError(text("gnuplot: its end was lost: ", std::strerror(errno)));
  const std::string named = (folder / script).lexically_normal().string();
  if (WIFSIGNALED(status)) throw RunError(text(named, ": gnuplot was ended by signal ", WTERMSIG(status)));
  if (WEXITSTATUS(status) != 0) throw RunError(text(named, ": gnuplot ended with status ", WEXITSTATUS(status)));
  return true;
}

}  // namespace normalign
