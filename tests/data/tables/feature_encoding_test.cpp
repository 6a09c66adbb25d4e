#include "data/tables/feature_encoding.hpp"

#include <algorithm>
#include <fstream>
#include <numeric>

#include "data/tables/csv.hpp"
#include "data/tables/labelled_table.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

DataTable table_of(const std::string& content, const CsvOptions& options = {}) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "t.csv", std::ios::binary) << content;
  DataTable result = csv_table(folder.path() / "t.csv", options);
  result.source = "t.csv";
  return result;
}

std::vector<Index> all_rows(const DataTable& table) {
  std::vector<Index> rows(static_cast<std::size_t>(table.rows));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

// The features of a table without labels, settled on all of its rows.
Matrix<double> features_of(const DataTable& table, const FeatureOptions& options = {}) {
  FeatureEncoding encoding = feature_encoding(table, {}, options);
  const std::vector<Index> rows = rows_with_features(encoding, table);
  settle(encoding, table, rows, options.standardise);
  return encoded(encoding, table, rows);
}

std::string refusal(const DataTable& table, const FeatureOptions& options = {}) {
  return message_of<InputError>([&] { features_of(table, options); });
}

}  // namespace

TEST_CASE("a column of texts becomes one feature for each of them, in byte order") {
  const DataTable table = table_of("w,colour,n\n1,red,7\n2,blue,8\n4,red,7\n");
  CHECK(features_of(table) == Matrix<double>{{1, 0, 1, 7}, {2, 1, 0, 8}, {4, 0, 1, 7}});
  CHECK(feature_encoding(table, {}, {}).names() == std::vector<std::string>{"w", "colour=blue", "colour=red", "n"});
  CHECK(features_of(table, {.categories = {"n"}}) == Matrix<double>{{1, 0, 1, 1, 0}, {2, 1, 0, 0, 1}, {4, 0, 1, 1, 0}});
  // Each row has exactly one category of a column.
  const Matrix<double> x = features_of(table, {.columns = {"colour"}});
  for (Index i = 0; i < x.rows(); ++i) CHECK(x(i, 0) + x(i, 1) == 1);
}

TEST_CASE("columns are chosen and left out by name or place") {
  const DataTable table = table_of("a,b,c\n1,2,3\n4,5,6\n");
  CHECK(features_of(table, {.columns = {"c", "1"}}) == Matrix<double>{{1, 3}, {4, 6}});
  CHECK(features_of(table, {.drop = {"-1"}}) == Matrix<double>{{1, 2}, {4, 5}});
  CHECK(features_of(table, {.columns = {"a", "b"}, .drop = {"a"}}) == Matrix<double>{{2}, {5}});
  CHECK(refusal(table, {.drop = {"a", "b", "c"}}) == "t.csv: found no column but labels and index, expected a feature");
  CHECK(refusal(table, {.drop = {"d"}}) == "t.csv: --drop: found no 'd', expected one of a, b, c");
  CHECK(refusal(table, {.columns = {"4"}}) == "t.csv: --columns: found 4, expected 1 to 3 or -3 to -1");
  CHECK(refusal(table, {.drop = {"a"}, .categories = {"a"}}) ==
        "t.csv: --categories: found 'a', which is left out, expected a feature");
  const std::size_t label = 1;
  CHECK(message_of<InputError>([&] {
          feature_encoding(table, {&label, 1}, {.drop = {"b"}});
        }) == "t.csv: --drop: found 'b', that of the labels, expected a feature");
}

TEST_CASE("missing values are refused, their rows dropped, or filled in by the mean and the most frequent text") {
  const DataTable table = table_of("w,k\n1,b\n?,a\n3,NA\n8,b\n,a\n");
  CHECK(refusal(table) ==
        "t.csv: line 3: column 1 (w): found '?', a missing value, expected a finite number (--missing "
        "drop leaves such rows out, impute fills them in)");
  CHECK(features_of(table, {.missing = MissingValues::drop}) == Matrix<double>{{1, 0, 1}, {8, 0, 1}});
  CHECK(features_of(table, {.missing = MissingValues::impute}) ==
        Matrix<double>{{1, 0, 1}, {4, 1, 0}, {3, 1, 0}, {8, 0, 1}, {4, 1, 0}});
  CHECK(refusal(table_of("w,k\n,b\n?,a\n"), {.missing = MissingValues::drop}) ==
        "t.csv: column 1 (w): found no value, expected some (--drop w leaves it out)");
}

TEST_CASE("what is settled on some rows is applied to others, and to another table") {
  const std::string content = "w,k,v\n1,b,10\n2,a,20\n3,b,30\n?,c,90\n100,,40\n";
  const DataTable table = table_of(content);
  FeatureEncoding encoding = feature_encoding(table, {}, {.missing = MissingValues::impute, .standardise = true});
  const std::vector<Index> first{0, 1, 2};
  settle(encoding, table, first, true);
  const Matrix<double> settled = encoded(encoding, table, first);
  for (Index j : {0, 1, 2, 4}) {
    double sum = 0, squares = 0;
    for (Index i = 0; i < 3; ++i) {
      sum += settled(i, j);
      squares += settled(i, j) * settled(i, j);
    }
    CHECK_THAT(sum, WithinAbs(0, 1e-12));
    CHECK_THAT(squares, WithinAbs(2, 1e-12));
  }
  // The mean 2 and the most frequent text b of these rows, at 0 and where b is.
  const Matrix<double> others = encoded(encoding, table, std::vector<Index>{3, 4});
  CHECK(others(0, 0) == 0);
  CHECK(others(1, 2) == settled(0, 2));
  CHECK(others(0, 4) == 7);
  // Columns are found by name wherever they stand.
  const DataTable turned = table_of("v,extra,w,k\n10,0,1,b\n20,0,2,a\n");
  const Matrix<double> again = encoded(encoding, turned, std::vector<Index>{0, 1});
  CHECK(std::ranges::equal(again.span(), settled.view().row_block(0, 2).span()));
  const auto refused = [&](const std::string& words) {
    const DataTable other = table_of(words);
    return message_of<InputError>([&] { encoded(encoding, other, all_rows(other)); });
  };
  CHECK(refused("w,v\n1,2\n") == "t.csv: feature: found no 'k', expected one of w, v");
  CHECK(refused("w,k,v\n1,a,2\n1,d,2\n") == "t.csv: line 3: column 2 (k): found 'd', expected one of a, b, c");
  CHECK(refused("w,k,v\nx,a,2\n") == "t.csv: line 2: column 1 (w): found 'x', expected a finite number");
}

TEST_CASE("columns of one name are told apart by their places, and very many columns are found at once") {
  CHECK(features_of(table_of("a,a,b\n1,2,3\n4,5,6\n")) == Matrix<double>{{1, 2, 3}, {4, 5, 6}});
  std::string content;
  for (int j = 0; j < 30000; ++j) content += text(j ? "," : "", "column", j);
  for (const int row : {1, 2}) {
    content += '\n';
    for (int j = 0; j < 30000; ++j) content += text(j ? "," : "", row * j % 7);
  }
  const Matrix<double> x = features_of(table_of(content));
  CHECK(x.cols() == 30000);
  CHECK(x(1, 29999) == 2 * 29999 % 7);
}

TEST_CASE("texts that are no categories are refused by the name of their column") {
  const auto column = [](const auto& text_of) {
    std::string content = "t,w\n";
    for (int i = 0; i < 60; ++i) content += text(text_of(i), ',', i, '\n');
    return table_of(content);
  };
  const auto dates = column([](int i) { return text("2024-01-", i % 28 + 10, i % 2 ? "T12:00" : ""); });
  CHECK(refusal(dates) ==
        "t.csv: column 1 (t): found dates such as '2024-01-10', expected numbers or categories "
        "(--drop t leaves it out)");
  CHECK(features_of(dates, {.drop = {"t"}}).cols() == 1);
  CHECK(contains(refusal(column([](int i) { return text(i % 12 + 1, "/", i % 28 + 1, "/1999"); })), "found dates"));
  const auto names = column([](int i) { return text("name ", i); });
  CHECK(refusal(names) ==
        "t.csv: column 1 (t): found 60 different texts in 60 rows, such as 'name 0', expected numbers "
        "or categories (--drop t leaves it out)");
  CHECK(features_of(names, {.categories = {"t"}}).cols() == 61);
  CHECK(features_of(column([](int i) { return text("kind ", i % 20); })).cols() == 21);
}

TEST_CASE("numbers may have decimal commas where nothing else has a decimal point") {
  const DataTable commas = table_of("w;h;k\n1,5;2;a\n-0,25;3;b\n");
  CHECK(features_of(commas, {.columns = {"w", "h"}}) == Matrix<double>{{1.5, 2}, {-0.25, 3}});
  CHECK(commas.reading == "header yes, ';' between fields, decimal commas");
  CHECK(
      contains(refusal(table_of("w;h\n1,5;2.5\n0,25;3\n")), "column 1 (w): found '0,25', numbers with decimal commas"));
  CHECK(contains(refusal(table_of("w;h\n1,5;2\n7;3\n\"1,2,3\";3\n")), "line 4: column 1 (w): found '1,2,3', expected"));
}

TEST_CASE("a table is read as another one was") {
  const TemporaryFolder folder;
  std::ofstream(folder / "a.csv") << "kind,w,colour\nx,1,1.0\ny,2,2.0\nx,3,1.0\nx,5,2.0\n";
  std::ofstream(folder / "b.csv") << "w,colour,kind\n3,1.0,x\n2,2.0,y\n";
  const LabelledTable first =
      labelled_table(folder / "a.csv", {.label = "kind", .features = {.categories = {"colour"}, .standardise = true}});
  const LabelledTable second = labelled_table(folder / "b.csv", {}, first.encoding);
  CHECK(first.encoding.features.names() == std::vector<std::string>{"w", "colour=1.0", "colour=2.0"});
  CHECK(std::ranges::equal(second.data.inputs.row(0), first.data.inputs.row(2)));
  CHECK(std::ranges::equal(second.data.inputs.row(1), first.data.inputs.row(1)));
  CHECK(second.data.labels == std::vector<std::int32_t>{0, 1});
  std::ofstream(folder / "b.csv") << "w,colour,kind\n3,1.0,x\n2,2.0,z\n";
  CHECK(contains(message_of<InputError>([&] { labelled_table(folder / "b.csv", {}, first.encoding); }),
                 "line 3: column 3 (kind): found 'z', expected one of x, y"));
}

TEST_CASE("whole numbers are the same label however they are written, and rows without a label are dropped") {
  const TemporaryFolder folder;
  std::ofstream(folder / "a.csv") << "w,kind\n1,2\n2,10\n4,2\n";
  std::ofstream(folder / "b.csv") << "w,kind\n1,2.0\n2,NA\n4,1e1\n";
  const TableOptions drop{.label = "kind", .features = {.missing = MissingValues::drop}};
  const LabelledTable first = labelled_table(folder / "a.csv", drop);
  CHECK(first.encoding.class_names == std::vector<std::string>{"2", "10"});
  const LabelledTable second = labelled_table(folder / "b.csv", {}, first.encoding);
  CHECK(second.data.labels == std::vector<std::int32_t>{0, 1});
  CHECK(second.data.inputs == Matrix<double>{{1}, {4}});
  CHECK(labelled_table(folder / "b.csv", drop).data.inputs == Matrix<double>{{1}, {4}});
  CHECK(contains(message_of<InputError>([&] { labelled_table(folder / "b.csv", {.label = "kind"}); }),
                 "line 3: column 2 (kind): found 'NA', a missing value, expected a label"));
}

}  // namespace normalign::tests
