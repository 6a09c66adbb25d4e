#include "data/csv.hpp"

#include <fstream>

#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

std::filesystem::path file_of(const TemporaryFolder& folder, const std::string& content) {
  const auto path = folder.path() / "points.csv";
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

TEST_CASE("samples are read from lines of commas or tabs, with or without a header", "[data]") {
  const TemporaryFolder folder;
  for (const char* content :
       {"x,y,label\n1,-2.5,0\n3e-1, 4 ,2\n", "1,-2.5,0\n+0.3,4,2", "a\tb\tc\r\n1\t-2.5\t0\r\n0.3\t4\t2\r\n\r\n"}) {
    CAPTURE(content);
    const Dataset<double> data = csv(file_of(folder, content));
    CHECK(data.inputs == Matrix<double>{{1, -2.5}, {0.3, 4}});
    CHECK(data.labels == std::vector<std::int32_t>{0, 2});
    CHECK(data.classes == 3);
  }
}

TEST_CASE("what is no table of samples is refused by file and line", "[data]") {
  const TemporaryFolder folder;
  const auto message = [&](const std::string& content) {
    const auto path = file_of(folder, content);
    const std::string found = message_of<InputError>([&] { csv(path); });
    CHECK(found.starts_with(path.string() + ": "));
    return found.substr(path.string().size() + 2);
  };
  CHECK(message("1,2,0\n1,2\n") == "line 2: found 2 fields, expected 3");
  CHECK(message("1,2,0\n1,,1\n") == "line 2: field 2: found '', expected a finite number");
  CHECK(message("1,2,0\n1,nan,1\n") == "line 2: field 2: found 'nan', expected a finite number");
  CHECK(message("1,2,0\n1,1e999,1\n") == "line 2: field 2: found '1e999', expected a finite number");
  CHECK(message("1,2,0\nx,y,z\n") == "line 2: field 1: found 'x', expected a finite number");
  CHECK(message("1,2,0.5\n") == "line 1: field 3: found '0.5', expected a label, a whole number from 0 to 32767");
  CHECK(message("1,2,-1\n") == "line 1: field 3: found '-1', expected a label, a whole number from 0 to 32767");
  CHECK(message("1,2,40000\n") == "line 1: field 3: found '40000', expected a label, a whole number from 0 to 32767");
  CHECK(message("1\n2\n") == "line 1: found 1 field, expected features and a label");
  CHECK(message("x,y\n") == "found no samples, expected at least one line of numbers");
  CHECK(message("") == "found no samples, expected at least one line of numbers");
  CHECK(message_of<InputError>([&] { csv(folder.path() / "none.csv"); }) ==
        (folder.path() / "none.csv").string() + ": cannot be read");
  CHECK(message_of<InputError>([&] { csv(folder.path()); }) == folder.path().string() + ": cannot be read");
}

}  // namespace
}  // namespace normalign::tests
