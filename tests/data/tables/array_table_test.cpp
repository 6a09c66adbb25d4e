#include "data/tables/array_table.hpp"

#include <array>
#include <fstream>
#include <limits>

#include "data/tables/array_file.hpp"
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
  // Z, of another length, is left out here too.
  const FeatureRows rows = feature_rows(path, {}, all.encoding);
  CHECK(rows.inputs == all.data.inputs);
  CHECK(rows.has_answers);
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
                 "label column: found no 'w', expected one of X, y, colour, Z"));
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

TEST_CASE("arrays for training and for testing are two tables that call their arrays alike") {
  const TemporaryFolder folder;
  const auto part = [](const char* name, const std::vector<double>& values) {
    return zip_part(text(name, ".npy"), npy_bytes(npy_header("<f8", text('(', values.size(), ",)")), doubles(values)));
  };
  const auto path = file_of(folder, "k.npz",
                            zip_bytes({part("x_train", {1, 2, 3}), part("y_train", {0, 1, 0}),
                                       part("x_test", {4, 5, 6}), part("y_test", {1, 0, 1}), part("names", {7, 8})}));
  CHECK(has_parts(path));
  const auto read = [&](ArrayPart taken, const char* label = "y") {
    return labelled_table(path, {.label = label, .part = taken});
  };
  const LabelledTable train = read(ArrayPart::train), test = read(ArrayPart::test);
  CHECK(train.data.inputs == Matrix<double>{{1}, {2}, {3}});
  CHECK(train.data.labels == std::vector<std::int32_t>{0, 1, 0});
  CHECK(train.encoding.features.names() == std::vector<std::string>{"x"});
  CHECK(train.reading == "k.npz: 3 rows, 1 feature, label 'y' (2 classes); its arrays for training; left out names");
  CHECK(test.data.inputs == Matrix<double>{{4}, {5}, {6}});
  CHECK(test.data.labels == std::vector<std::int32_t>{1, 0, 1});
  CHECK(labelled_table(path, {.part = ArrayPart::test}, train.encoding).data.inputs == test.data.inputs);

  // By its own name, the label still does not bring the other part's arrays along, though they have as many rows.
  const LabelledTable named = read(ArrayPart::all, "y_train");
  CHECK(named.encoding.features.names() == std::vector<std::string>{"x_train"});
  CHECK(contains(named.reading, "left out x_test (3 rows), y_test (3 rows), names (2 rows); --test-file "));
  const std::string refused = message_of([&] { read(ArrayPart::all); });
  CHECK(contains(refused, "label column: found no 'y', expected one of x_train, y_train, x_test, y_test, names"));
  CHECK(contains(refused, "takes X_train for training and X_test for testing, both called X"));
  CHECK(contains(message_of([&] { labelled_table(path, {.regression = true, .targets = {"y"}}); }),
                 "--target: found no 'y', expected one of x_train, y_train"));

  CHECK(part_of("train_X") == ArrayPart::train);
  CHECK(part_of("X_test[3]") == ArrayPart::test);
  for (const char* name : {"X", "_train", "test_", "trainX", "Xtest", "test", ""})
    CHECK(part_of(name) == ArrayPart::all);
  CHECK_FALSE(has_parts(file_of(folder, "one.npz", zip_bytes({part("x_train", {1}), part("y_test", {1})}))));
  CHECK(has_parts(file_of(folder, "mixed.npz", zip_bytes({part("train_x", {1}), part("x_test", {1})}))));
  const auto twice =
      file_of(folder, "twice.npz", zip_bytes({part("x_train", {1}), part("train_x", {1}), part("x_test", {1})}));
  CHECK(contains(message_of([&] { array_table(twice, "x", ArrayPart::train); }), "that are both called 'x'"));
  CHECK_FALSE(has_parts(folder / "none"));
}

namespace {

// A safetensors file of these descriptions, each the rest of a tensor's entry before its offsets, with its bytes.
std::string tensors(const std::vector<std::array<std::string, 3>>& entries) {
  std::string header, data;
  for (const auto& [name, description, bytes] : entries) {
    header += text(header.empty() ? "{" : ",", '"', name, "\":{", description, ",\"data_offsets\":[", data.size(), ',',
                   data.size() + bytes.size(), "]}");
    data += bytes;
  }
  header += '}';
  return little_endian(header.size(), 8) + header + data;
}

}  // namespace

TEST_CASE("arrays of safetensors are columns as those of an archive are") {
  const TemporaryFolder folder;
  const auto path = file_of(
      folder, "a.csv",  // a file is told by its content
      tensors({{"X", R"("dtype":"F32","shape":[3,1,2])",
                bytes_of(1.0f) + bytes_of(2.0f) + bytes_of(3.0f) + bytes_of(4.0f) + bytes_of(5.0f) + bytes_of(6.0f)},
               {"flag", R"("dtype":"BOOL","shape":[3])", std::string("\1\0\1", 3)},
               {"half", R"("dtype":"F16","shape":[3])",
                little_endian(0x3C00, 2) + little_endian(0xC000, 2) + little_endian(0x3555, 2)},
               {"large", R"("dtype":"U64","shape":[3])",
                little_endian(1, 8) + little_endian(std::uint64_t{1} << 63, 8) + little_endian(3, 8)},
               {"y", R"("dtype":"I8","shape":[3])", std::string("\377\2\377", 3)},
               {"z", R"("dtype":"I16","shape":[1,2])", std::string(4, '\0')}}));
  CHECK(is_array_file(path));
  CHECK(array_names(path) == std::vector<std::string>{"X", "flag", "half", "large", "y", "z"});
  const LabelledTable found = labelled_table(path, {.label = "y"});
  CHECK(found.encoding.features.names() == std::vector<std::string>{"X[0]", "X[1]", "flag", "half", "large"});
  CHECK(found.encoding.class_names == std::vector<std::string>{"-1", "2"});
  CHECK(found.data.inputs.row(0)[0] == 1);
  const Matrix<double> expected{{1, 2, 1, 1, 1}, {3, 4, 0, -2, 9223372036854775808.0}, {5, 6, 1, 0.333251953125, 3}};
  CHECK(found.data.inputs == expected);
  CHECK(contains(found.reading, "left out z (1 rows)"));
  CHECK(labelled_table(path, {.regression = true, .targets = {"X"}}).data.targets ==
        Matrix<double>{{1, 2}, {3, 4}, {5, 6}});

  const auto refusal = [&](const char* description, const std::string& bytes) {
    const auto bad = file_of(folder, "bad", tensors({{"t", description, bytes}}));
    return message_of([&] { array_table(bad, std::nullopt); });
  };
  CHECK(contains(refusal(R"("dtype":"I64","shape":[2])", little_endian(5, 8) + little_endian((1ULL << 53) + 1, 8)),
                 "tensor \"t\": found 9007199254740993 at value 1, expected a number that double precision holds"));
  CHECK(contains(refusal(R"("dtype":"BOOL","shape":[1])", "\2"), "found a byte 2 of type BOOL, expected 0 or 1"));
  CHECK(contains(refusal(R"("dtype":"C64","shape":[1])", std::string(8, '\0')), "found dtype \"C64\""));
  CHECK(contains(refusal(R"("dtype":"F32","shape":[])", std::string(4, '\0')), "one dimension or more"));
  CHECK(contains(refusal(R"("dtype":"F32","shape":[1,2,2])", std::string(4, '\0')), "data_offsets span 4 bytes"));
  CHECK(contains(refusal(R"("dtype":"F32","shape":[0])", ""), "found no samples"));
  CHECK_FALSE(is_array_file(file_of(folder, "text", "a,b,c\n1,2,3\n{}{}{}{}{}")));
  CHECK_FALSE(is_array_file(file_of(folder, "short", little_endian(100, 8) + "{")));
}

}  // namespace normalign::tests
