#include "experiments/figures/gnuplot.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>
#include <vector>

#include "base/atomic_file.hpp"
#include "experiments/figures/text_file.hpp"

namespace normalign {

namespace {

// A folder of its own, gone at the end of the scope.
struct ScratchFolder {
  explicit ScratchFolder(const std::filesystem::path& beginning) {
    std::string name = beginning.string() + "XXXXXX";
    if (!::mkdtemp(name.data()))
      throw_unwritable<InputError>(errno, text(name, ": the folder cannot be created: ", std::strerror(errno)));
    path = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::filesystem::path path;
};

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What of this process's environment gnuplot sees: what programs and fonts are found by. Its own variables and start
// files, the display and the locale would change pictures, or open windows in their place.
std::vector<std::string> environment() {
  std::vector<std::string> result = {"LC_ALL=C.UTF-8", "GNUTERM=unknown"};
  for (const char* name : {"PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "FONTCONFIG_FILE", "FONTCONFIG_PATH",
                           "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_DATA_DIRS"})
    if (const char* value = std::getenv(name)) result.push_back(text(name, '=', value));
  return result;
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> result;
  for (std::string& word : words) result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

// On a full disk gnuplot leaves half a picture or none, and ends as if all were well.
void check_whole(const std::filesystem::path& drawn, const std::filesystem::path& picture) {
  std::string content = content_of(drawn);
  const std::string end = picture.extension() == ".svg" ? "</svg>" : std::string("IEND\xae\x42\x60\x82");
  while (end == "</svg>" && content.ends_with('\n')) content.pop_back();
  if (!content.ends_with(end))
    throw StorageError(text(picture.string(), ": gnuplot left ", content.empty() ? "nothing" : "half", " of it (",
                            content.size(), " bytes); is there space on the disk?"));
}

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

std::string figure_name(const std::string& words, std::set<std::string>& taken) {
  const auto is_alphanumeric = [](char letter) { return std::isalnum(static_cast<unsigned char>(letter)) != 0; };
  std::string stem = words.substr(0, 100);
  for (char& letter : stem)
    if (!is_alphanumeric(letter) && std::string_view("._+-").find(letter) == std::string_view::npos) letter = '_';
  if (stem.empty() || !is_alphanumeric(stem.front())) stem.insert(0, "_");
  std::string result = stem;
  const auto is_new = [&] {
    std::string lower = result;
    for (char& letter : lower) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    return taken.insert(lower).second;
  };
  for (int i = 2; !is_new(); ++i) result = text(stem, '_', i);
  return result;
}

std::string gnuplot_comment(const std::string& words) { return "# " + gnuplot_string(words) + "\n"; }

bool write_figure(const std::filesystem::path& folder, const Figure& figure) {
  write_text_file(folder / (figure.name + ".dat"), figure.data);
  write_text_file(folder / (figure.name + ".gp"), figure.script);
  // Drawn apart and then renamed: a reader finds each picture as a whole.
  const ScratchFolder scratch(folder / ("." + figure.name + "."));
  write_text_file(scratch.path / (figure.name + ".dat"), figure.data);
  if (!run_gnuplot(scratch.path, "../" + figure.name + ".gp")) return false;
  for (const char* ending : {".svg", ".png"}) {
    const std::string file = figure.name + ending;
    check_whole(scratch.path / file, folder / file);
  }
  for (const char* ending : {".svg", ".png"}) {
    const std::string file = figure.name + ending;
    std::error_code error;
    std::filesystem::rename(scratch.path / file, folder / file, error);
    if (error)
      throw_unwritable<InputError>(error.value(),
                                   text((folder / file).string(), ": cannot be written: ", error.message()));
  }
  return true;
}

bool run_gnuplot(const std::filesystem::path& folder, const std::string& script, const std::string& output) {
  // --default-settings: without the start files of the system and the user.
  std::vector<std::string> command = {"gnuplot", "-d", script}, variables = environment();
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT, 0600);
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, command.front().c_str(), &actions, nullptr, pointers_to(command).data(),
                                   pointers_to(variables).data());
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

std::optional<std::string> gnuplot_output(const std::string& script) {
  const std::string end = "<!-- all -->\n";
  const ScratchFolder scratch(std::filesystem::temp_directory_path() / "normalign.");
  write_text_file(scratch.path / "script.gp", "set print '-'\n" + script + "print '<!-- all -->'\n");
  try {
    if (!run_gnuplot(scratch.path, "script.gp", "output")) return std::nullopt;
  } catch (const RunError&) {
    // Its message is on standard error, and what it printed before stays of use.
    return content_of(scratch.path / "output");
  }
  std::string result = content_of(scratch.path / "output");
  // On a full disk gnuplot ends as if all were well.
  if (!result.ends_with(end)) throw StorageError(text(scratch.path.string(), ": gnuplot's output cannot be written"));
  return result.substr(0, result.size() - end.size());
}

}  // namespace normalign
