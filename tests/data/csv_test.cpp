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

// What is said to a file of this content, without its name.
std::string message(const std::string& content, const CsvOptions& options = {}) {
  const TemporaryFolder folder;
  const auto path = file_of(folder, content);
  const std::string found = message_of<InputError>([&] { csv(path, options); });
  return found.starts_with(path.string() + ": ") ? found.substr(path.string().size() + 2) : found;
}

CsvDataset read(const std::string& content, const CsvOptions& options = {}) {
  const TemporaryFolder folder;
  return csv(file_of(folder, content), options);
}

}  // namespace

TEST_CASE("samples are read from lines of any delimiter, with or without a header", "[data]") {
  for (const char* content : {"x,y,label\n1,-2.5,0\n3e-1, 4 ,2\n", "1,-2.5,0\n+0.3,4,2",
                              "a\tb\tc\r\n1\t-2.5\t0\r\n0.3\t4\t2\r\n\r\n", "x;y, a point;label\n1;-2.5;0\n\n0.3;4;2\n",
                              "\xEF\xBB\xBF"
                              "1;-2.5;0\n  \n0.3;4;2\n",
                              "\xEF\xBB\xBF\"x\",\"y;z\"\"\t\",label\n\"1\", \"-2.5\" ,\"0\"\n0.3,4,2.0\n",
                              ",y,label\n1,-2.5,0\n0.3,4,2\n"}) {
    CAPTURE(content);
    const CsvDataset numbered = read(content, {.numbered_classes = true});
    CHECK(numbered.data.inputs == Matrix<double>{{1, -2.5}, {0.3, 4}});
    CHECK(numbered.data.labels == std::vector<std::int32_t>{0, 2});
    CHECK(numbered.data.classes == 3);
    CHECK(numbered.class_names == std::vector<std::string>{"0", "1", "2"});
    const CsvDataset named = read(content);
    CHECK(named.data.inputs == numbered.data.inputs);
    CHECK(named.data.labels == std::vector<std::int32_t>{0, 1});
    CHECK(named.data.classes == 2);
    CHECK(named.class_names == std::vector<std::string>{"0", "2"});
  }
  CHECK(read("1|2|0\n3|4|1\n", {.delimiter = '|'}).data.inputs == Matrix<double>{{1, 2}, {3, 4}});
  CHECK(read("x y;2\n1;1\n", {.delimiter = ';'}).data.inputs == Matrix<double>{{1}});
}

TEST_CASE("the label column is named, or counted from either end", "[data]") {
  const std::string content = "kind,7,size\nb,1,2\na,3,4\n";
  for (const char* label : {"kind", "1", "-3"}) {
    CAPTURE(label);
    const CsvDataset set = read(content, {.label = label, .header = true});
    CHECK(set.data.inputs == Matrix<double>{{1, 2}, {3, 4}});
    CHECK(set.data.labels == std::vector<std::int32_t>{1, 0});
    CHECK(set.class_names == std::vector<std::string>{"a", "b"});
  }
  // A number is a place, never a name; and where a name is given there is a header, whatever it looks like.
  CHECK(read("kind,7,size\n1,b,2\n", {.label = "2", .header = true}).class_names == std::vector<std::string>{"b"});
  CHECK(read(content, {.label = "kind"}).data.inputs.rows() == 2);
}

TEST_CASE("a first line is a header where nothing but its label can be a number", "[data]") {
  CHECK(read("1,2,cat\n3,4,dog\n").data.inputs.rows() == 2);
  CHECK(read("x,y,0\n3,4,1\n").data.inputs.rows() == 1);
  CHECK(read("1,2,0\n3,4,1\n", {.header = true}).data.inputs.rows() == 1);
  // Half a header is a line with a mistake.
  CHECK(message("x,2,kind\n3,4,1\n") == "line 1: column 1: found 'x', expected a finite number");
  CHECK(message("?,NA,0\n3,4,1\n") == "line 1: column 1: found '?', a missing value, expected a finite number");
  CHECK(message("x,y,0\n3,4,1\n", {.header = false}) == "line 1: column 1: found 'x', expected a finite number");
}

TEST_CASE("classes are the labels in order, of number or of bytes", "[data]") {
  const auto names = [](const std::string& content) { return read(content).class_names; };
  CHECK(names("0,10\n0,9\n0,-3\n0,10.0\n") == std::vector<std::string>{"-3", "9", "10"});
  CHECK(names("0,10\n0,9\n0,1.5\n") == std::vector<std::string>{"1.5", "10", "9"});
  CHECK(names("0,ten\n0,Nine\n0,9\n") == std::vector<std::string>{"9", "Nine", "ten"});
  CHECK(read("0,10\n0,9\n0,-3\n0,10.0\n").data.labels == std::vector<std::int32_t>{2, 1, 0, 2});
  CHECK(read("0,0\n0,1\n0,2\n0,1\n").data.labels == std::vector<std::int32_t>{0, 1, 2, 1});
  CHECK(names("0,\"a \"\"b\"\", c\nd\"\n0, e f \n") == std::vector<std::string>{"a \"b\", c\nd", "e f"});
}

TEST_CASE("what is no table of samples is refused by file, line and column", "[data]") {
  const CsvOptions numbered{.numbered_classes = true};
  CHECK(message("1,2,0\n1,2\n") == "line 2: found 2 fields, expected 3");
  CHECK(message("1,2,0\n1,2,0,\n") == "line 2: found 4 fields, expected 3");
  CHECK(message("1\t2\t0\n\t\t\n") == "line 2: column 1: found '', a missing value, expected a finite number");
  CHECK(message("1,2,0\n1,,1\n") == "line 2: column 2: found '', a missing value, expected a finite number");
  CHECK(message("w,h (m),k\n1,?,1\n") ==
        "line 2: column 2 (h (m)): found '?', a missing value, expected a finite number");
  CHECK(message("1,2,0\n1,nan,1\n") == "line 2: column 2: found 'nan', a missing value, expected a finite number");
  CHECK(message("1,2,0\n1,2,NA\n") == "line 2: column 3: found 'NA', a missing value, expected a label");
  CHECK(message("1,2,0\n1,2,\"\"\n") == "line 2: column 3: found '', a missing value, expected a label");
  CHECK(message("1,2,0\n1,2,\n", numbered) ==
        "line 2: column 3: found '', a missing value, expected a label, a whole number from 0 to 32767");
  CHECK(message("1,2,0\n1,1e999,1\n") == "line 2: column 2: found '1e999', expected a finite number");
  CHECK(message("1,2,0\n1,-inf,1\n") == "line 2: column 2: found '-inf', expected a finite number");
  CHECK(message("1,2,0\n1,0x1p3,1\n") == "line 2: column 2: found '0x1p3', expected a finite number");
  CHECK(message("1,2,0\nx,y,z\n") == "line 2: column 1: found 'x', expected a finite number");
  CHECK(message("1,5;2,5;a\n3,5;4,5;b\n") == "line 2: column 1 (1,5): found '3,5', expected a finite number");
  CHECK(message("1,2,0.5\n", numbered) ==
        "line 1: column 3: found '0.5', expected a label, a whole number from 0 to 32767");
  CHECK(message("1,2,-1\n", numbered) ==
        "line 1: column 3: found '-1', expected a label, a whole number from 0 to 32767");
  CHECK(message("1,2,40000\n", numbered) ==
        "line 1: column 3: found '40000', expected a label, a whole number from 0 to 32767");
  CHECK(message("1\n2\n") == "line 1: found 1 field, expected features and a label");
  CHECK(message("\n\n1\n") == "line 3: found 1 field, expected features and a label");
  for (const char* nothing : {"x,y\n", "", "\xEF\xBB\xBF", "\r\n \n"})
    CHECK(message(nothing) == "found no samples, expected at least one line of them");
  std::string column;
  for (int i = 0; i <= 32768; ++i) column += text("0,", i, ".5\n");
  CHECK(message(column) == "found 32769 different labels, expected at most 32768 (is column 2 that of the labels?)");
}

TEST_CASE("quotes that are wrong are refused where they stand", "[data]") {
  CHECK(message("1,2,\"a\n3,4,b\n") ==
        "line 1: column 3: found a quote that is not closed, expected another one behind it");
  CHECK(message("1,2,\"a\"\"") == "line 1: column 3: found a quote that is not closed, expected another one behind it");
  CHECK(message("1,2,\"") == "line 1: column 3: found a quote that is not closed, expected another one behind it");
  CHECK(message("1,2,\"a\"b\n") ==
        "line 1: column 3: found 'b' behind a closing quote, expected the next field or the end of the line");
  // Lines are counted through quotes.
  CHECK(message("1,2,\"a\n\n\"\n3,x,b\n") == "line 4: column 2: found 'x', expected a finite number");
  CHECK(message("\"x\ny\",\"z\",k\n1,\"\n\",a\n") == "line 3: column 2 (z): found '?', expected a finite number");
}

TEST_CASE("a label column that is not there, and a file that is none, are refused", "[data]") {
  const std::string content = "a,b,c,b\n1,2,3,4\n";
  for (const char* label : {"5", "-5", "0"})
    CHECK(message(content, {.label = label}) ==
          std::string("label column: found ") + label + ", expected 1 to 4 or -4 to -1");
  CHECK(message(content, {.label = "d"}) == "label column: found no 'd', expected one of a, b, c, b");
  CHECK(message(content, {.label = ""}) == "label column: found no '', expected one of a, b, c, b");
  CHECK(message(content, {.label = "b"}) == "label column: found more than one 'b', expected one");
  CHECK(message(content, {.label = "c", .header = false}) ==
        "label column: found 'c' but no header, expected a whole number");
  CHECK(message(content, {.delimiter = ' '}) == "delimiter: found ' ', expected a comma, a semicolon, a tab or '|'");
  const TemporaryFolder folder;
  CHECK(message_of<InputError>([&] { csv(folder.path() / "none.csv"); }) ==
        (folder.path() / "none.csv").string() + ": cannot be read: No such file or directory");
  CHECK(message_of<InputError>([&] { csv(folder.path()); }) ==
        folder.path().string() + ": cannot be read: Is a directory");
}

}  // namespace normalign::tests
