#include "data/tables/array_table.hpp"

#include <fstream>
#include <limits>

#include "data/tables/labelled_table.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/numpy_files.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

// The values of a <f8 array.
std::string doubles(const std::vector<double>& values) {
  std::string bytes;
  for (const double value : values) bytes += bytes_of(value);
  return bytes;
}

std::string integers(const std::vector<std::int64_t>& values) {
  std::string bytes;
  for (const std::int64_t value : values) bytes += bytes_of(value);
  return bytes;
}

std::filesystem::path file_of(const TemporaryFolder& folder, const std::string& name, const std::string& bytes) {
  std::ofstream(folder / name, std::ios::binary) << bytes;
  return folder / name;
}

// X of 4 x 2, y of 4, names of 4, Z of 3 x 1.
std::string archive() {
  std::string wide;  // as UTF-32
  for (const char c : {'r', 'b', 'r', 'r'}) wide += little_endian(static_cast<std::uint64_t>(c), 4);
  return zip_bytes({zip_part("X.npy", npy_bytes(npy_header("<f8", "(4, 2)"), doubles({1, 2, 3, 4, 5, 6, 7, 8}))),
                    zip_part("y.npy", npy_bytes(npy_header("<i8", "(4,)"), integers({2, 0, 2, 0}))),
                    zip_part("colour.npy", npy_bytes(npy_header("<U1", "(4,)"), wide), true),
                    zip_part("Z.npy", npy_bytes(npy_header("<f8", "(3, 1)"), doubles({1, 2, 3})))});
}

}  // namespace

TEST_CASE("arrays of an archive are groups of columns, and those of other lengths than the label are left out") {
  const TemporaryFolder folder;
  const auto path = file_of(folder, "a.npz", archive());
  const LabelledTable all = labelled_table(path, {.label = "y"});
  CHECK(all.data.inputs == Matrix<double>{{1, 2, 0, 1}, {3, 4, 1, 0}, {5, 6, 0, 1}, {7, 8, 0, 1}});
  CHECK(all.data.labels == std::vector<std::int32_t>{1, 0, 1, 0});
  CHECK(all.encoding.features.names() == std::vector<std::string>{"X[0]", "X[1]", "colour=b", "colour=r"});
  CHECK(all.encoding.class_names == std::vector<std::string>{"0", "2"});
  CHECK(all.reading ==
        "a.npz: 4 rows, 4 features of 3 columns (categories: colour in 2), label 'y' (2 classes); left out Z (3 rows)");
  CHECK(labelled_table(path, {.label = "y", .features = {.columns = {"X"}}}).data.inputs ==
        Matrix<double>{{1, 2}, {3, 4}, {5, 6}, {7, 8}});
  CHECK(labelled_table(path, {.label = "y", .features = {.drop = {"X"}}}).data.inputs.cols() == 2);
  CHECK(labelled_table(path, {.label = "3", .features = {.columns = {"X[1]"}}}).data.inputs ==
        Matrix<double>{{2}, {4}, {6}, {8}});
  CHECK(labelled_table(path, {.label = "colour", .features = {.columns = {"y"}}}).encoding.class_names ==
        std::vector<std::string>{"b", "r"});
  // A place counts the columns of all arrays, those that are left out, too.
  const auto mixed =
      file_of(folder, "mixed.npz",
              zip_bytes({zip_part("Z.npy", npy_bytes(npy_header("<f8", "(3, 2)"), doubles({1, 2, 3, 4, 5, 6}))),
                         zip_part("x.npy", npy_bytes(npy_header("<f8", "(2,)"), doubles({7, 8}))),
                         zip_part("y.npy", npy_bytes(npy_header("<i8", "(2,)"), integers({1, 0})))}));
  CHECK(labelled_table(mixed, {.label = "4"}).data.inputs == Matrix<double>{{7}, {8}});
  CHECK(labelled_table(mixed, {.label = "-2"}).data.inputs == Matrix<double>{{1}, {0}});
  CHECK(contains(message_of<InputError>([&] { labelled_table(path, {.label = "w"}); }),
                 "label column: found no 'w', expected one of X[0], X[1], y, colour, Z[0]"));
  CHECK(contains(message_of<InputError>([&] { array_table(path, std::nullopt); }),
                 "array Z: found 3 rows, expected 4, those of X"));
  CHECK(contains(message_of<InputError>([&] { labelled_table(path, {.label = "y", .header = true}); }),
                 "--header: found it for a file of arrays, expected it for a CSV file"));
}

TEST_CASE("the labels of an array may lie in a file of their own") {
  const TemporaryFolder folder;
  const auto x = file_of(folder, "x.npy", npy_bytes(npy_header("<f8", "(3, 2)", true), doubles({1, 3, 5, 2, 4, 6})));
  const auto y = file_of(folder, "y.npy", npy_bytes(npy_header("<i8", "(3,)"), integers({7, 5, 7})));
  const LabelledTable set = labelled_table(x, {.labels = y});
  CHECK(set.data.inputs == Matrix<double>{{1, 2}, {3, 4}, {5, 6}});
  CHECK(set.data.labels == std::vector<std::int32_t>{1, 0, 1});
  CHECK(set.encoding.class_names == std::vector<std::string>{"5", "7"});
  // And in a file of another kind.
  const auto csv = file_of(folder, "y.csv", "kind\ncat\ndog\ncat\n");
  CHECK(labelled_table(x, {.labels = csv}).encoding.class_names == std::vector<std::string>{"cat", "dog"});
  // As texts, so that none is lost where some are numbers; the options of a CSV file are the labels' then.
  const auto mixed = file_of(folder, "mixed.csv", "2\ncat\n2.0\n");
  CHECK(labelled_table(x, {.header = false, .labels = mixed}).encoding.class_names ==
        std::vector<std::string>{"2", "2.0", "cat"});
  const auto names = file_of(folder, "names.csv", "cat\ndog\ncat\n");
  CHECK(labelled_table(x, {.header = false, .labels = names}).data.labels == std::vector<std::int32_t>{0, 1, 0});
  CHECK(contains(message_of<InputError>([&] { labelled_table(x, {.labels = names}); }),
                 "found 2 labels, expected 3, one for each row of "));
  CHECK(contains(message_of<InputError>([&] { labelled_table(x, {.header = false, .labels = y}); }),
                 "--header: found it for a file of arrays, expected it for a CSV file"));
  const auto few = file_of(folder, "few.npy", npy_bytes(npy_header("<i8", "(2,)"), integers({7, 5})));
  CHECK(contains(message_of<InputError>([&] { labelled_table(x, {.labels = few}); }),
                 "found 2 labels, expected 3, one for each row of "));
  CHECK(contains(message_of<InputError>([&] { labelled_table(x, {.labels = x}); }),
                 "found 2 columns, expected one, that of the labels"));
}

TEST_CASE("NaN is a missing value of an array, and an infinity is refused where it is used") {
  const TemporaryFolder folder;
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  const auto path =
      file_of(folder, "x.npy", npy_bytes(npy_header("<f8", "(3, 3)"), doubles({1, 2, 0, nan, infinity, 1, 5, 6, 0})));
  CHECK(contains(message_of<InputError>([&] { labelled_table(path, {.features = {.drop = {"2"}}}); }),
                 "row 2: column 1: found 'nan', a missing value, expected a finite number"));
  CHECK(contains(message_of<InputError>([&] { labelled_table(path, {.features = {.drop = {"1"}}}); }),
                 "row 2: column 2: found inf, expected a finite number"));
  CHECK(labelled_table(path, {.features = {.drop = {"2"}, .missing = MissingValues::impute}}).data.inputs ==
        Matrix<double>{{1}, {3}, {5}});
}

}  // namespace normalign::tests
