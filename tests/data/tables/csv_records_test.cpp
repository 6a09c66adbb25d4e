#include "data/tables/csv_records.hpp"

#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

using namespace detail;

using Lines = std::vector<std::vector<std::string>>;

TEST_CASE("csv records: quotes, line ends, blank lines and a byte order mark") {
  const TemporaryFolder folder;
  const auto path = folder / "t.csv";
  write_file(path, "\xEF\xBB\xBF a , \"b \"\"c\"\"\r\n,d\" ,\r\n  \r\n\n1,2,3");
  const CsvFile file(path, std::nullopt);
  CHECK(file.delimiter() == ',');
  CsvRecords records(file);
  Lines found;
  std::vector<Index> lines;
  while (records.next()) {
    lines.push_back(records.record().front().line);
    found.emplace_back();
    for (const CsvField& field : records.record()) found.back().emplace_back(field.text);
  }
  CHECK(found == Lines{{"a", "b \"c\"\r\n,d", ""}, {"1", "2", "3"}});
  CHECK(lines == std::vector<Index>{1, 5});
  CHECK_FALSE(records.next());
}

TEST_CASE("csv records: the delimiter is the one that cuts all lines alike, or the one that is given") {
  const TemporaryFolder folder;
  const auto path = folder / "t.csv";
  const auto delimiter = [&](const std::string& content, std::optional<char> given = {}) {
    write_file(path, content);
    return CsvFile(path, given).delimiter();
  };
  CHECK(delimiter("1,5|2\n3|4,5\n") == '|');
  CHECK(delimiter("1,5;2,5\n3,5;4,5\n") == ';');
  CHECK(delimiter("a b\tc\n1 2\t3\n") == '\t');
  CHECK(delimiter("\"a;b\",c\n\"d;e\",f\n") == ',');
  CHECK(delimiter("1;2\n3\n") == ';');  // ragged: the first line decides
  CHECK(delimiter("alone\n") == ',');
  CHECK(delimiter("a|b,c\n1,2\n") == ',');  // the first line alone would be cut by either
  CHECK(delimiter("1,5|2\n3|4,5\n", ',') == ',');
}

TEST_CASE("csv records: a quote that is wrong is refused with file, line and column") {
  const TemporaryFolder folder;
  const auto path = folder / "t.csv";
  const auto refusal = [&](const std::string& content) {
    write_file(path, content);
    return message_of([&] {
      const CsvFile file(path, ',');
      for (CsvRecords records(file); records.next();) {
      }
    });
  };
  CHECK(refusal("1,2\n3,\"4\n") ==
        path.string() + ": line 2: column 2: found a quote that is not closed, expected " + "another one behind it");
  CHECK(contains(refusal("\"1\"x,2\n"), "line 1: column 1: found 'x' behind a closing quote"));
  CHECK(refusal("1\n2,3\n") == "nothing was thrown");  // it is not for the records to count fields
}

}  // namespace
}  // namespace normalign::tests
