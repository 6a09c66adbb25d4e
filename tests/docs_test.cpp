// README and docs/ keep in step with the code: their C++ snippets are excerpts of files, files that they name are
// there, and commands that they quote are understood.
#include <algorithm>
#include <map>
#include <optional>
#include <regex>
#include <sstream>

#include "support/catch.hpp"
#include "support/program.hpp"
#include "support/subprocess.hpp"

namespace normalign::tests {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

std::vector<fs::path> pages() {
  std::vector<fs::path> files;
  for (const fs::path page : {"README.md", "CONTRIBUTING.md", "CHANGELOG.md"})
    if (fs::exists(page)) files.push_back(page);
  for (const auto& file : fs::recursive_directory_iterator("docs"))
    if (file.path().extension() == ".md") files.push_back(file.path());
  return files;
}

std::size_t indentation(const std::string& line) { return std::min(line.find_first_not_of(' '), line.size()); }
std::string trimmed(const std::string& line) { return line.substr(indentation(line)); }

// A block between ```cpp and ```, and the file that the comment above it names: <!-- FILE -->.
struct Snippet {
  std::size_t line = 0;
  std::string file = {};
  Lines code = {};
};

std::vector<Snippet> snippets(const Lines& page) {
  std::vector<Snippet> found;
  for (std::size_t i = 0; i < page.size(); ++i) {
    if (page[i] != "```cpp") continue;
    Snippet snippet{.line = i + 1};
    std::smatch match;
    if (i > 0 && std::regex_match(page[i - 1], match, std::regex("<!-- (\\S+) -->"))) snippet.file = match[1];
    for (++i; i < page.size() && page[i] != "```"; ++i) snippet.code.push_back(page[i]);
    found.push_back(snippet);
  }
  return found;
}

// The line behind the first place, from `from` on, where the file has all of `piece` in a row, indented further by the
// same width everywhere; nothing where there is none.
std::optional<std::size_t> behind(const Lines& file, std::size_t from, const Lines& piece) {
  for (std::size_t i = from; i + piece.size() <= file.size(); ++i) {
    const std::size_t here = indentation(file[i]), there = indentation(piece.front());
    if (here < there) continue;
    const std::string shift(here - there, ' ');
    if (std::equal(piece.begin(), piece.end(), file.begin() + static_cast<std::ptrdiff_t>(i),
                   [&](const std::string& a, const std::string& b) { return a.empty() ? b.empty() : shift + a == b; }))
      return i + piece.size();
  }
  return std::nullopt;
}

// Whether the code is an excerpt: lines of the file, with `...` for what is left out.
bool is_excerpt(const Lines& code, const Lines& file) {
  std::size_t at = 0;
  Lines piece;
  for (std::size_t i = 0; i <= code.size(); ++i) {
    if (i < code.size() && trimmed(code[i]) != "...") {
      piece.push_back(code[i]);
      continue;
    }
    if (piece.empty()) continue;
    const auto end = behind(file, at, piece);
    if (!end) return false;
    at = *end;
    piece.clear();
  }
  return true;
}

// The page without what is between ``` and ```.
std::string prose(const Lines& page) {
  std::string result;
  bool is_code = false;
  for (const std::string& line : page) {
    if (line.starts_with("```")) is_code = !is_code;
    if (!is_code) result += line + '\n';
  }
  return result;
}

TEST_CASE("an excerpt is lines in a row, in order, by any indentation") {
  const Lines file{"a", "  b", "    c", "", "  d", "e"};
  CHECK(is_excerpt({"b", "  c", "", "d"}, file));
  CHECK(is_excerpt({"a", "...", "  d", "e"}, file));
  CHECK_FALSE(is_excerpt({"b", "c"}, file));
  CHECK_FALSE(is_excerpt({"a", "  c"}, file));
  CHECK_FALSE(is_excerpt({"d", "...", "a"}, file));
  CHECK_FALSE(is_excerpt({"b "}, file));
}

TEST_CASE("C++ in README and docs is an excerpt of the file named above it") {
  std::size_t count = 0;
  for (const fs::path& page : pages())
    for (const Snippet& snippet : snippets(lines(read_file(page)))) {
      CAPTURE(page.string(), snippet.line, snippet.file);
      REQUIRE(fs::is_regular_file(snippet.file));
      CHECK(is_excerpt(snippet.code, lines(read_file(snippet.file))));
      ++count;
    }
  CHECK(count > 0);
}

TEST_CASE("files that README and docs name are there") {
  // A path below one of the source folders; NAME in it stands for any.
  static const std::regex path(
      "(?:^|[^A-Za-z0-9_/.-])((?:src|tests|examples|docs|configs|scripts|bench)/"
      "[A-Za-z0-9_/.-]*[A-Za-z0-9_])");
  static const std::regex link("\\]\\(([^)#:]+)(?:#[^)]*)?\\)");
  for (const fs::path& page : pages()) {
    const std::string content = read_file(page);
    for (std::sregex_iterator match(content.begin(), content.end(), path), end; match != end; ++match) {
      const std::string name = (*match)[1];
      CAPTURE(page.string(), name);
      CHECK((name.find("NAME") != name.npos || fs::exists(name)));
    }
    const std::string words = prose(lines(content));
    for (std::sregex_iterator match(words.begin(), words.end(), link), end; match != end; ++match) {
      const fs::path target = page.parent_path() / (*match)[1].str();
      CAPTURE(page.string(), target.string());
      CHECK(fs::exists(target));
    }
  }
}

// A command that a page quotes, and where.
struct Quoted {
  fs::path page;
  std::string command;
};

// What stands between backticks in prose, on lines of four spaces, and between ``` and ``` where that is no C++; parted
// at && and without comments.
std::vector<Quoted> quoted_commands() {
  static const std::regex code("`([^`]+)`"), comment("\\s+#.*$"), conjunction("\\s*&&\\s*");
  std::vector<Quoted> result;
  const auto add = [&](const fs::path& page, const std::string& line) {
    const std::string words = std::regex_replace(line, comment, "");
    for (std::sregex_token_iterator part(words.begin(), words.end(), conjunction, -1), end; part != end; ++part)
      result.push_back({page, trimmed(*part)});
  };
  for (const fs::path& page : pages()) {
    bool is_fenced = false, is_cpp = false;
    for (const std::string& line : lines(read_file(page))) {
      if (line.starts_with("```")) {
        is_fenced = !is_fenced;
        is_cpp = line == "```cpp";
      } else if (is_fenced ? !is_cpp : line.starts_with("    ")) {
        add(page, line);
      } else {
        for (std::sregex_iterator match(line.begin(), line.end(), code), end; match != end; ++match)
          add(page, (*match)[1]);
      }
    }
  }
  return result;
}

std::vector<std::string> matches(const std::string& words, const char* pattern) {
  std::vector<std::string> result;
  const std::regex regex(pattern);
  for (std::sregex_iterator match(words.begin(), words.end(), regex), end; match != end; ++match)
    result.push_back((*match)[1]);
  return result;
}

TEST_CASE("a filter of tests that a page quotes finds a test") {
  std::size_t count = 0;
  for (const Quoted& quoted : quoted_commands())
    for (const std::string& filter : matches(quoted.command, "^make .*TEST_ARGS='([^']+)'")) {
      CAPTURE(quoted.page.string(), quoted.command);
      std::string name = filter;
      std::erase(name, '"');
      const Finished listed =
          Child({fs::read_symlink("/proc/self/exe").string(), name, "--list-test-names-only"}).wait();
      CHECK(lines(listed.out).size() > 1);  // beside the line on the versions
      ++count;
    }
  CHECK(count > 0);
}

TEST_CASE("what a page says to make can be made") {
  const std::string makefile = read_file("Makefile");
  std::size_t count = 0;
  for (const Quoted& quoted : quoted_commands()) {
    if (!quoted.command.starts_with("make ")) continue;
    CAPTURE(quoted.page.string(), quoted.command);
    std::istringstream words(std::regex_replace(quoted.command, std::regex("'[^']*'"), "TEXT"));
    for (std::string word; words >> word;) {
      if (word.find('=') != word.npos) {
        CHECK(!matches(makefile, ("(^|[^A-Z_])" + word.substr(0, word.find('=')) + "([^A-Z_]|$)").c_str()).empty());
      } else if (word.starts_with("build/examples/")) {
        CHECK(fs::exists(word.substr(6) + ".cpp"));
      } else if (word != "make" && !word.starts_with("build/")) {
        CHECK(matches(makefile, ("(?:^|\n)(" + word + "):[^=]").c_str()).size() == 1);
      }
    }
    ++count;
  }
  CHECK(count > 10);
}

TEST_CASE("a command line that a page quotes has a command and options that there are") {
  if (without_program("commands that pages quote")) return;
  std::map<std::string, std::string> help;
  std::size_t count = 0;
  for (const Quoted& quoted : quoted_commands()) {
    std::smatch match;
    if (!std::regex_search(quoted.command, match, std::regex("^(?:build/)?normalign ([a-z]+)\\b(.*)$"))) continue;
    const std::string command = match[1], rest = match[2];
    CAPTURE(quoted.page.string(), quoted.command);
    if (!help.contains(command)) {
      const Finished told = normalign({command, "--help"});
      REQUIRE(told.status == 0);
      help[command] = told.out;
    }
    for (const std::string& option : matches(rest, "(?:^|\\s)(--[a-z][a-z-]*)"))
      CHECK(!matches(help[command], ("(" + option + ")(?:[^a-z-]|$)").c_str()).empty());
    ++count;
  }
  CHECK(count > 30);
}

}  // namespace
}  // namespace normalign::tests
