#include "data/tables/csv.hpp"

#include <algorithm>
#include <fstream>

#include "data/tables/labelled_table.hpp"
#include "data/uci.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/reference.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

std::filesystem::path file_of(const TemporaryFolder& folder, const std::string& content) {
  const auto path = folder.path() / "points.csv";
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

// What is said of a missing feature, behind what was found.
const std::string advice = " (--missing drop leaves such rows out, impute fills them in)";

// What is said to a file of this content, without its name.
std::string message(const std::string& content, const TableOptions& options = {}) {
  const TemporaryFolder folder;
  const auto path = file_of(folder, content);
  const std::string found = message_of<InputError>([&] { labelled_table(path, options); });
  return found.starts_with(path.string() + ": ") ? found.substr(path.string().size() + 2) : found;
}

LabelledTable read(const std::string& content, const TableOptions& options = {}) {
  const TemporaryFolder folder;
  return labelled_table(file_of(folder, content), options);
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
    const LabelledTable numbered = read(content, {.numbered_classes = true});
    CHECK(numbered.data.inputs == Matrix<double>{{1, -2.5}, {0.3, 4}});
    CHECK(numbered.data.labels == std::vector<std::int32_t>{0, 2});
    CHECK(numbered.data.classes == 3);
    CHECK(numbered.encoding.class_names == std::vector<std::string>{"0", "1", "2"});
    const LabelledTable named = read(content);
    CHECK(named.data.inputs == numbered.data.inputs);
    CHECK(named.data.labels == std::vector<std::int32_t>{0, 1});
    CHECK(named.data.classes == 2);
    CHECK(named.encoding.class_names == std::vector<std::string>{"0", "2"});
  }
  CHECK(read("1|2|0\n3|4|1\n", {.delimiter = '|'}).data.inputs == Matrix<double>{{1, 2}, {3, 4}});
  CHECK(read("x y;2\n1;1\n", {.delimiter = ';'}).data.inputs == Matrix<double>{{1}});
}

TEST_CASE("the label column is named, or counted from either end", "[data]") {
  const std::string content = "kind,7,size\nb,1,2\na,3,4\n";
  for (const char* label : {"kind", "1", "-3"}) {
    CAPTURE(label);
    const LabelledTable set = read(content, {.label = label, .header = true});
    CHECK(set.data.inputs == Matrix<double>{{1, 2}, {3, 4}});
    CHECK(set.data.labels == std::vector<std::int32_t>{1, 0});
    CHECK(set.encoding.class_names == std::vector<std::string>{"a", "b"});
  }
  // A name goes before a place, and where one that is no number is given there is a header, whatever it looks like.
  CHECK(read("kind,7,size\n1,b,2\n", {.label = "2", .header = true}).encoding.class_names ==
        std::vector<std::string>{"b"});
  CHECK(read("3,5,7\n1,9,2\n", {.label = "3", .header = true}).encoding.class_names == std::vector<std::string>{"1"});
  CHECK(read("1,5,kind\n1,b,2\n", {.label = "5", .header = true}).encoding.class_names ==
        std::vector<std::string>{"b"});
  CHECK(message("2,2,kind\n1,1,2\n", {.label = "2", .header = true}) ==
        "label column: found more than one '2', expected one");
  CHECK(read("3,5,1\n1,2,0\n", {.label = "3"}).encoding.class_names == std::vector<std::string>{"0", "1"});
  CHECK(read(content, {.label = "kind"}).data.inputs.rows() == 2);
}

TEST_CASE("a first line is a header where nothing but its label can be a number", "[data]") {
  CHECK(read("1,2,cat\n3,4,dog\n").data.inputs.rows() == 2);
  CHECK(read("x,y,0\n3,4,1\n").data.inputs.rows() == 1);
  CHECK(read("1,2,0\n3,4,1\n", {.header = true}).data.inputs.rows() == 1);
  // Half a header is a line with a mistake.
  const std::string hint = " (--header yes: this line names the columns)";
  CHECK(message("x,2,a\n3,4,b\n") == "line 1: column 1: found 'x', expected a finite number" + hint);
  CHECK(message("?,NA,0\n3,4,1\n") == "line 1: column 1: found '?', a missing value, expected a finite number" + hint);
  CHECK(message("x,y,0\n3,4,1\n", {.header = false}) == "line 1: column 1: found 'x', expected a finite number");
}

TEST_CASE("a first line is a header where its label alone is no number", "[data]") {
  CHECK(read("2019,2020,kind\n3,4,1\n5,6,0\n").data.inputs.rows() == 2);
  CHECK(read("w,2020,kind\n3,4,1\n5,6,0\n").data.inputs.rows() == 2);
  CHECK(read("2019,2020,kind\n3,4,1\n5,6,none\n").data.inputs.rows() == 3);
}

TEST_CASE("a first line that counts the columns is a header, as pandas names them", "[data]") {
  // Ten lines below the first: five times `one`, five times `other`.
  const auto table = [](const std::string& header, const std::string& one, const std::string& other) {
    std::string content = header + '\n';
    for (int i = 0; i < 5; ++i) content += one + '\n' + other + '\n';
    return content;
  };
  const std::string one = "5.1,3.5,0.2,setosa", other = "6,3,1.5,virginica";
  for (const char* header : {"0,1,2,label", "0,1,2,3", "1,2,3,label", "1,2,3,4", "0.0,1.0,2.0,label"}) {
    CAPTURE(header);
    const LabelledTable set = read(table(header, one, other));
    CHECK(set.data.inputs.rows() == 10);
    CHECK(set.data.inputs(1, 2) == 1.5);
    CHECK(set.encoding.class_names == std::vector<std::string>{"setosa", "virginica"});
  }
  CHECK(read(table(",0,1,label", "7,1,2,a", "9,1,2,b"), {.index_column = IndexColumn::drop}).data.inputs.rows() == 10);
  CHECK(read(table("label,0,1,2", "a,5,3,1", "b,6,3,2"), {.label = "1", .header = false}).data.inputs.rows() == 11);
  CHECK(read(table("label,0,1,2", "a,5,3,1", "b,6,3,2"), {.label = "-4"}).data.inputs.rows() == 10);
  // By name, not by place.
  const std::string numbered = table("0,1,2,3", "5,3,7,1", "6,3,8,0");
  CHECK(Matrix<double>(read(numbered, {.label = "3"}).data.inputs.view().row_block(0, 1)) == Matrix<double>{{5, 3, 7}});
  CHECK(Matrix<double>(read(numbered, {.label = "1"}).data.inputs.view().row_block(0, 1)) == Matrix<double>{{5, 7, 1}});
  // What does not count is a sample, and so is what has the label of another, or one that is as rare as others.
  CHECK(read(table("0,1,3,label", one, other)).data.inputs.rows() == 11);
  CHECK(read(table("2,3,4,label", one, other)).data.inputs.rows() == 11);
  CHECK(read(table("0,1,2,setosa", one, other)).data.inputs.rows() == 11);
  CHECK(read(table("0,1,2,label", one, other) + "1,2,3,a\n").data.inputs.rows() == 11);
  CHECK(read(table("0,1,2,label", one, other) + "1,2,3,a\n1,2,3,b\n").data.inputs.rows() == 13);
  CHECK(read("0,1,2,label\n" + one + '\n' + one + '\n').data.inputs.rows() == 3);
  CHECK(read(table("0,label", "5.1,setosa", "6,virginica")).data.inputs.rows() == 11);
  CHECK(read(table("0,1,2,label", one, other), {.header = false}).data.inputs.rows() == 11);
}

TEST_CASE("one list tells missing values among features, labels and names", "[data]") {
  for (const char* mark :
       {"",    "?",   "NA",   "na",   "N/A",  "n/a",  "#N/A", "#N/A N/A", "#NA",     "<NA>",    "NaN",
        "nan", "NAN", "-NaN", "-nan", "NULL", "null", "None", "1.#IND",   "-1.#IND", "1.#QNAN", "-1.#QNAN"}) {
    CAPTURE(mark);
    const std::string field = text('"', mark, '"');
    CHECK(message("w,h,k\n1," + field + ",a\n") ==
          text("line 2: column 2 (h): found '", mark, "', a missing value, expected a finite number", advice));
    CHECK(message("w,h,k\n1,2,a\n1,2," + field + "\n") ==
          text("line 3: column 3 (k): found '", mark, "', a missing value, expected a label"));
    CHECK(message(field + "," + field + ",x\n1,2,y\n")
              .starts_with(text("line 1: column 1: found '", mark, "', a missing value, expected a finite number")));
  }
  CHECK(read("1,none\n2,Na\n").encoding.class_names == std::vector<std::string>{"Na", "none"});
}

TEST_CASE("a column that numbers or names the rows is refused, dropped or kept", "[data]") {
  const Matrix<double> inputs{{5.1, 3.5}, {6, 3}, {5, 3.2}};
  const std::string advice = ", expected no index column (--index-column drop leaves it out, keep makes it a feature)";
  struct Table {
    std::string content, message;
  };
  const Table tables[] = {
      {"\"\",\"a\",\"b\",\"k\"\n\"1\",5.1,3.5,\"x\"\n\"2\",6,3,\"y\"\n\"3\",5,3.2,\"x\"\n",
       "column 1: found the numbers of the rows from 1 on"},
      {",a,b,k\n0,5.1,3.5,x\n1,6,3,y\n2,5,3.2,x\n", "column 1: found the numbers of the rows from 0 on"},
      {",a,b,k\n12,5.1,3.5,x\n3,6,3,y\n70,5,3.2,x\n", "column 1: found numbers of the rows without a name"},
      {"Unnamed: 0,a,b,k\n12,5.1,3.5,x\n3,6,3,y\n70,5,3.2,x\n",
       "column 1 (Unnamed: 0): found numbers of the rows without a name"},
      {",a,b,k\nMazda,5.1,3.5,x\nFiat,6,3,y\nVolvo,5,3.2,x\n", "column 1: found names of the rows without a name"},
      {"id,a,b,k\n1,5.1,3.5,x\n2,6,3,y\n3,5,3.2,x\n", "column 1 (id): found the numbers of the rows from 1 on"},
      {"1,5.1,3.5,x\n2,6,3,y\n3,5,3.2,x\n", "column 1: found the numbers of the rows from 1 on"},
      {"0,5.1,3.5,x\n1,6,3,y\n2,5,3.2,x\n", "column 1: found the numbers of the rows from 0 on"}};
  for (const auto& [content, expected] : tables) {
    CAPTURE(content);
    CHECK(message(content) == expected + advice);
    const LabelledTable dropped = read(content, {.index_column = IndexColumn::drop});
    CHECK(dropped.data.inputs == inputs);
    CHECK(dropped.data.labels == std::vector<std::int32_t>{0, 1, 0});
    if (!contains(content, "Mazda")) CHECK(read(content, {.index_column = IndexColumn::keep}).data.inputs.cols() == 3);
  }
  // Two rows, a gap, the only feature, or the labels may count without being an index.
  CHECK(read("a,b,k\n1,5.1,x\n2,6,y\n").data.inputs.cols() == 2);
  CHECK(read("a,b,k\n1,5.1,x\n2,6,y\n4,5,y\n").data.inputs.cols() == 2);
  CHECK(read("a,k\n1,x\n2,y\n3,y\n").data.inputs.cols() == 1);
  CHECK(read("k,a,b\n0,5.1,3\n1,6,3\n2,5,3\n", {.label = "k"}).data.inputs.cols() == 2);
  CHECK(message("k,a\n0,5.1\n1,6\n", {.label = "k", .index_column = IndexColumn::drop}) ==
        "index column: found the labels in the first column, expected an index or none to leave out");
  CHECK(message("a,k\n0,x\n1,y\n", {.index_column = IndexColumn::drop}) ==
        "found no column but labels and index, expected a feature");
}

TEST_CASE("what was taken for what is told in one line", "[data]") {
  const auto reading = [](const std::string& content, const TableOptions& options = {}) {
    return read(content, options).reading;
  };
  const std::string indexed = "\"\",w,k\n1,5,x\n2,6,y\n";
  CHECK(reading(indexed, {.index_column = IndexColumn::drop}) ==
        "points.csv: 2 rows, 1 feature, label 'k' (2 classes); header yes, index column '' dropped");
  CHECK(reading(indexed, {.index_column = IndexColumn::keep}) ==
        "points.csv: 2 rows, 2 features, label 'k' (2 classes); header yes, index column '' kept as a feature");
  CHECK(reading("1;2;x\n3;4;x\n") ==
        "points.csv: 2 rows, 2 features, label column 3 (1 class); header no, ';' between fields");
  CHECK(reading("0\t1\t2\t3\n5\t3\t7\t1\n6\t3\t8\t0\n", {.label = "3", .header = true}) ==
        "points.csv: 2 rows, 3 features, label '3', the column of that name, not column 3 (2 classes); header yes, "
        "tabs between fields");
  CHECK(read("w,h,k\n1,2,x\n").encoding.features.names() == std::vector<std::string>{"w", "h"});
  CHECK(read("x,1,2\n", {.label = "1"}).encoding.features.names() == std::vector<std::string>{"column 2", "column 3"});
}

TEST_CASE("numbers that look like a regression target are no labels unless one insists", "[data]") {
  const auto table = [](int rows, int different, const char* ending) {
    std::string content = "x,price\n";
    for (int i = 0; i < rows; ++i) content += text(7 * i % 11, ',', i % different, ending, '\n');
    return content;
  };
  CHECK(
      message(table(506, 229, "")) ==
      "column 2 (price) of the labels: found 229 different numbers in 506 rows, which looks like a regression target; "
      "expected classes: names, or 50 different whole numbers at most (--classes takes each number for a class, "
      "--target predicts the numbers)");
  CHECK(contains(message(table(10, 2, ".5")), "found 2 different numbers in 10 rows, not all whole, which looks"));
  CHECK(read(table(506, 229, ""), {.insist_on_classes = true}).data.classes == 229);
  CHECK(read(table(10, 2, ".5"), {.insist_on_classes = true}).data.classes == 2);
  CHECK(read(table(506, 229, ""), {.numbered_classes = true}).data.classes == 229);
  CHECK(read(table(506, 229, "$")).data.classes == 229);
  CHECK(read(table(20, 20, "")).data.classes == 20);
  CHECK(contains(message(table(21, 21, "")), "or 20 different whole"));
  CHECK(read(table(500, 50, ".0")).data.classes == 50);
  CHECK(contains(message(table(500, 51, "")), "or 50 different whole"));
  CHECK(contains(message(table(5000, 201, "")), "or 200 different whole"));
}

TEST_CASE("labels are whole numbers exactly or not at all", "[data]") {
  const auto names = [](const std::string& content) { return read(content).encoding.class_names; };
  using Names = std::vector<std::string>;
  CHECK(names("0,9007199254740993\n0,9007199254740992\n") == Names{"9007199254740992", "9007199254740993"});
  CHECK(names("0,1000000000000000000001\n0,1000000000000000000002\n") ==
        Names{"1000000000000000000001", "1000000000000000000002"});
  CHECK(names("0,1e+05\n0,100000\n0,20\n0,2.0e1\n0,-0.0\n0,+0\n0,00\n") == Names{"0", "20", "100000"});
  CHECK(read("0,1.00000000000000000001\n0,1\n").data.classes == 2);
}

TEST_CASE("the delimiter is the one that cuts every line alike", "[data]") {
  const Matrix<double> inputs{{1, 2}, {3, 4}};
  for (const char* content : {"a|b|kind\n1|2|x\n3|4|y\n", "1|2|x\n3|4|y\n", "a;b,kind of it|;k\n1;2;x\n3;4;y\n",
                              "a\tb;c,d\tk\n1\t2\tx\n3\t4\ty\n", "a (m;s),b|c,k\n1,2,x\n3,4,y\n", "1,2,x;1\n3,4,y\n",
                              "\"a,b\"|\"c\"\"\"|k\n1|2|x\n3|4|y\n"}) {
    CAPTURE(content);
    CHECK(read(content).data.inputs == inputs);
  }
}

TEST_CASE("what writers of CSV leave at the ends of lines and files does not count", "[data]") {
  const Matrix<double> inputs{{1, 2}, {3, 4}};
  for (const std::string end : {"\n", "\r\n"})
    for (const std::string last : {"", "\n", "\r\n", "\n\n  \n"})
      for (const std::string trailing : {"", ","}) {
        CAPTURE(end, last, trailing);
        const std::string rows = "1,2,x" + trailing + end + "3,4,y" + trailing + last;
        CHECK(read(rows).data.inputs == inputs);
        CHECK(read("\xEF\xBB\xBF\"a\",b,\"k\r\n, of \"\"it\"\"\"" + trailing + end + rows).data.inputs == inputs);
      }
  // A last column that is empty on some lines only is one with missing values.
  CHECK(message("1,2,x,\n3,4,y,z\n") == "line 1: column 4: found '', a missing value, expected a label");
}

TEST_CASE("conformance: the tables of the UCI collection are read as CSV, and no labels are taken for a target") {
  const auto reference = reference_folder();
  if (!reference || !std::filesystem::is_directory(*reference / "../uci"))
    return skip("UCI data sets as CSV: ../shared/data/uci is not there and NORMALIGN_REFERENCE is not set");
  for (const std::string& name : uci_names(*reference / "../uci")) {
    CAPTURE(name);
    const UciDataset set = uci_dataset(*reference / "../uci" / name);
    for (const auto& entry : std::filesystem::directory_iterator(*reference / "../uci" / name)) {
      const std::string file = entry.path().filename().string();
      if (!file.ends_with("_R.dat") || file.ends_with("_test_R.dat")) continue;
      CHECK(contains(message_of([&] { labelled_table(entry.path()); }),
                     "column 1: found the numbers of the rows from 1 on"));
      const LabelledTable table = labelled_table(entry.path(), {.label = "clase", .index_column = IndexColumn::drop});
      CHECK(table.data.inputs == set.data.inputs);
      if (std::ranges::max(set.data.labels) + 1 == table.data.classes) CHECK(table.data.labels == set.data.labels);
    }
  }
}

TEST_CASE("classes are the labels in order, of number or of bytes", "[data]") {
  const auto names = [](const std::string& content) { return read(content).encoding.class_names; };
  CHECK(names("0,10\n0,9\n0,-3\n0,10.0\n") == std::vector<std::string>{"-3", "9", "10"});
  CHECK(read("0,10\n0,9\n0,1.5\n", {.insist_on_classes = true}).encoding.class_names ==
        std::vector<std::string>{"1.5", "10", "9"});
  CHECK(names("0,ten\n0,Nine\n0,9\n") == std::vector<std::string>{"9", "Nine", "ten"});
  CHECK(read("0,10\n0,9\n0,-3\n0,10.0\n").data.labels == std::vector<std::int32_t>{2, 1, 0, 2});
  CHECK(read("0,0\n0,1\n0,2\n0,1\n").data.labels == std::vector<std::int32_t>{0, 1, 2, 1});
  CHECK(names("0,\"a \"\"b\"\", c\nd\"\n0, e f \n") == std::vector<std::string>{"a \"b\", c\nd", "e f"});
}

TEST_CASE("what is no table of samples is refused by file, line and column", "[data]") {
  const TableOptions numbered{.numbered_classes = true};
  CHECK(message("1,2,0\n1,2\n") == "line 2: found 2 fields, expected 3");
  CHECK(message("1,2,0\n1,2,0,\n") == "line 2: found 4 fields, expected 3");
  CHECK(message("1\t2\t0\n\t\t\n") == "line 2: column 1: found '', a missing value, expected a finite number" + advice);
  CHECK(message("1,2,0\n1,,1\n") == "line 2: column 2: found '', a missing value, expected a finite number" + advice);
  CHECK(message("w,h (m),k\n1,?,1\n") ==
        "line 2: column 2 (h (m)): found '?', a missing value, expected a finite number" + advice);
  CHECK(message("1,2,0\n1,nan,1\n") ==
        "line 2: column 2: found 'nan', a missing value, expected a finite number" + advice);
  CHECK(message("1,2,0\n1,2,NA\n") == "line 2: column 3: found 'NA', a missing value, expected a label");
  CHECK(message("1,2,0\n1,2,\"\"\n") == "line 2: column 3: found '', a missing value, expected a label");
  CHECK(message("1,2,0\n1,2,\n", numbered) ==
        "line 2: column 3: found '', a missing value, expected a label, a whole number from 0 to 32767");
  CHECK(message("1,2,0\n1,1e999,1\n") == "line 2: column 2: found '1e999', expected a finite number");
  CHECK(message("1,2,0\n1,-inf,1\n") == "line 2: column 2: found '-inf', expected a finite number");
  CHECK(message("1,2,0\n1,0x1p3,1\n") == "line 2: column 2: found '0x1p3', expected a finite number");
  CHECK(message("1,2,0\nx,y,z\n") == "line 2: column 1: found 'x', expected a finite number");
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
  CHECK(message(column, {.insist_on_classes = true}) ==
        "found 32769 different labels, expected at most 32768 (is column 2 that of the labels?)");
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
  CHECK(message("\"x\ny\",\"z\",k\n1,\"\n\",a\n1,2,a\n") ==
        "line 3: column 2 (z): found '?', expected a finite number");
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
  CHECK(message_of<InputError>([&] { labelled_table(folder.path() / "none.csv"); }) ==
        (folder.path() / "none.csv").string() + ": cannot be read: No such file or directory");
  CHECK(message_of<InputError>([&] { labelled_table(folder.path()); }) ==
        folder.path().string() + ": cannot be read: Is a directory");
}

}  // namespace normalign::tests
