// Every program in examples/ prints what the comments in its source say: the line that ends in `// prints
// TEXT` prints TEXT. They are numbered, and short.
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

std::vector<fs::path> examples() {
  std::vector<fs::path> files;
  for (const auto& file : fs::directory_iterator("examples"))
    if (file.path().extension() == ".cpp") files.push_back(file.path());
  std::ranges::sort(files);
  return files;
}

TEST_CASE("examples are numbered and have fewer than 60 lines") {
  const std::vector<fs::path> files = examples();
  REQUIRE(files.size() >= 11);
  for (std::size_t i = 0; i < files.size(); ++i) {
    CAPTURE(files[i].string());
    CHECK(std::stoul(files[i].stem().string().substr(0, 2)) == i + 1);
    CHECK(lines(read_file(files[i])).size() < 60);
  }
}

TEST_CASE("every example runs and prints what its comments promise") {
  const char* folder = std::getenv("NORMALIGN_EXAMPLES");
  if (!folder) return skip("examples: NORMALIGN_EXAMPLES is not set (make test sets it)");
  for (const fs::path& source : examples()) {
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

TEST_CASE("the example of a slice leaves a picture beside its program") {
  const char* folder = std::getenv("NORMALIGN_EXAMPLES");
  if (!folder) return skip("examples: NORMALIGN_EXAMPLES is not set (make test sets it)");
  const fs::path program = fs::path(folder) / "07_slice";
  fs::path picture = program;
  picture.replace_extension(".svg");
  fs::remove(picture);
  CHECK(run({program.string()}).status == 0);
  CHECK(read_file(picture).find("</svg>") != std::string::npos);
}

}  // namespace
}  // namespace normalign::tests
