// Every program in examples/ prints what the comments in its source say: the line that ends in `// prints
// TEXT` prints TEXT.
#include <algorithm>
#include <cstdlib>

#include "support/catch.hpp"
#include "support/subprocess.hpp"

namespace normalign::tests {
namespace {

namespace fs = std::filesystem;

std::string without_trailing_space(const std::string& line) {
  return line.substr(0, line.find_last_not_of(" \t\r") + 1);
}

std::vector<std::string> promised(const fs::path& source) {
  static const std::string mark = "// prints ";
  std::vector<std::string> result;
  for (const std::string& line : lines(read_file(source)))
    if (const auto at = line.find(mark); at != line.npos)
      result.push_back(without_trailing_space(line.substr(at + mark.size())));
  return result;
}

TEST_CASE("every example runs and prints what its comments promise") {
  const char* folder = std::getenv("NORMALIGN_EXAMPLES");
  if (!folder) return skip("examples: NORMALIGN_EXAMPLES is not set (make test sets it)");
  const fs::path sources = "examples";
  REQUIRE(fs::is_directory(sources));
  std::vector<fs::path> files;
  for (const auto& file : fs::directory_iterator(sources))
    if (file.path().extension() == ".cpp") files.push_back(file.path());
  std::ranges::sort(files);
  REQUIRE_FALSE(files.empty());
  for (const fs::path& source : files) {
    CAPTURE(source.string());
    const Finished finished = run({(fs::path(folder) / source.stem()).string()});
    CAPTURE(finished.err);
    CHECK(finished.status == 0);
    std::vector<std::string> found = lines(finished.out);
    std::ranges::transform(found, found.begin(), without_trailing_space);
    const std::vector<std::string> expected = promised(source);
    CHECK_FALSE(expected.empty());
    CHECK(found == expected);
  }
}

}  // namespace
}  // namespace normalign::tests
