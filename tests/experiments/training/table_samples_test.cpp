#include "experiments/training/table_samples.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>

#include "experiments/figures/text_file.hpp"
#include "experiments/runs/table_encoding_json.hpp"
#include "experiments/training/run_identity.hpp"
#include "experiments/training/settings_read.hpp"
#include "experiments/training/task.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/numpy_files.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

// 40 rows of three classes: a number that names the row, a category, and a number with a gap in every tenth row.
std::string animals() {
  std::string content = "legs,kind,size,colour\n";
  for (int i = 0; i < 40; ++i)
    content += text(i * i % 7, ',',
                    i % 4 == 0   ? "bird"
                    : i % 4 == 1 ? "fish"
                                 : "cat",
                    ',', i % 10 == 9 ? "NA" : text(i, ".5"), ',', i % 3 ? "red" : "grey", '\n');
  return content;
}

RunConfig config_of(const TemporaryFolder& folder, const std::string& content = animals()) {
  write_text_file(folder / "animals.csv", content);
  RunConfig config = defaults_for(task("table"), "baseline");
  config.data = (folder / "animals.csv").string();
  config.label_column = "kind";
  config.missing = "drop";
  return config;
}

}  // namespace

TEST_CASE("a table's folds test each row once, and settle everything on the training rows") {
  const TemporaryFolder folder;
  RunConfig config = config_of(folder);
  config.standardise = false;
  std::multiset<double> tested;
  for (config.fold = 0; config.fold < config.folds; ++config.fold) {
    const TableSamples samples = table_samples(config);
    CHECK(samples.split.train.inputs.rows() + samples.split.test.inputs.rows() == 36);
    CHECK(samples.split.test.inputs.rows() == 9);
    CHECK(samples.split.train.classes == 3);
    CHECK(samples.encoding.class_names == std::vector<std::string>{"bird", "cat", "fish"});
    CHECK(samples.encoding.features.names() == std::vector<std::string>{"legs", "size", "colour=grey", "colour=red"});
    for (Index i = 0; i < 9; ++i) {
      const double size = samples.split.test.inputs(i, 1);
      tested.insert(size);
      // The label that belongs to the row of that size.
      const int row = static_cast<int>(size);
      CHECK(samples.split.test.labels[static_cast<std::size_t>(i)] == (row % 4 == 0 ? 0 : row % 4 == 1 ? 2 : 1));
    }
  }
  CHECK(tested.size() == 36);
  CHECK(std::set<double>(tested.begin(), tested.end()).size() == 36);
  config.fold = 4;
  CHECK(message_of<InputError>([&] { table_samples(config); }) == "fold: found 4, expected 0 to 3, as folds is 4");

  config.fold = 1;
  config.standardise = true;
  config.missing = "impute";
  const TableSamples scaled = table_samples(config);
  for (Index j = 0; j < 4; ++j) {
    double sum = 0;
    for (Index i = 0; i < scaled.split.train.inputs.rows(); ++i) sum += scaled.split.train.inputs(i, j);
    CHECK_THAT(sum, WithinAbs(0, 1e-12));
  }
  // A gap is the mean of the training rows, which is 0.
  int gaps = 0;
  for (Index i = 0; i < 30; ++i) gaps += std::abs(scaled.split.train.inputs(i, 1)) < 1e-12;
  CHECK(gaps >= 2);
}

TEST_CASE("a second file holds the test rows") {
  const TemporaryFolder folder;
  RunConfig config = config_of(folder);
  write_text_file(folder / "test.csv", "colour,size,kind,legs\nred,1.5,fish,1\ngrey,12.5,bird,4\n");
  config.test_data = (folder / "test.csv").string();
  const TableSamples samples = table_samples(config);
  CHECK(samples.split.train.inputs.rows() == 36);
  CHECK(samples.split.test.labels == std::vector<std::int32_t>{2, 0});
  // Rows 1 and 12 of the first file: row 9 is the first that is left out.
  CHECK(std::ranges::equal(samples.split.test.inputs.row(0), samples.split.train.inputs.row(1)));
  CHECK(std::ranges::equal(samples.split.test.inputs.row(1), samples.split.train.inputs.row(11)));
  write_text_file(folder / "test.csv", "colour,size,kind,legs\nred,1.5,dog,1\n");
  CHECK(contains(message_of<InputError>([&] { table_samples(config); }),
                 "test.csv: line 2: column 3 (kind): found 'dog', expected one of bird, cat, fish"));
  CHECK(table_files(config).size() == 2);
}

TEST_CASE("a run on a table says in its log how the table was read, and its name is the file's") {
  const TemporaryFolder folder;
  RunConfig config = config_of(folder);
  CHECK(run_name(config) == "animals_baseline_seed0");
  const RunLog log = new_log(config, 1);
  CHECK(log.file_hashes.contains("data"));
  CHECK(log.dataset.at("train_rows") == 27);
  CHECK(table_encoding(log.dataset).features.names() == table_samples(config).encoding.features.names());
  CHECK(
      log.dataset.at("reading") ==
      "animals.csv: 36 rows of 40, 4 features of 3 columns (categories: colour in 2), label 'kind' (3 classes); header "
      "yes");
  config.epochs = 3;
  const RunLog ran = task("table").run(config, 1, {});
  CHECK(ran.metrics.size() == 4);
  CHECK(ran.metrics.back().train_acc > 0);
  config.data.clear();
  CHECK(message_of<InputError>([&] { table_samples(config); }) ==
        "data: found no file, expected a table (normalign train table FILE)");
  config = config_of(folder, "a,kind\n1,x\n2,x\n3,x\n5,x\n");
  CHECK(contains(message_of<InputError>([&] { table_samples(config); }),
                 "column 2 (kind): found one class, expected two or more"));
}

TEST_CASE("a share of the rows is tested, of each class and of numbers") {
  const TemporaryFolder folder;
  RunConfig config = config_of(folder);
  config.test_share = 1.0 / 3;
  const TableSamples samples = table_samples(config);
  CHECK(samples.split.test.inputs.rows() == 12);
  CHECK(samples.split.train.inputs.rows() == 24);
  for (const std::int32_t label : {0, 1, 2}) {
    const auto of_class = [&](const Dataset<double>& data) { return std::ranges::count(data.labels, label); };
    CHECK(std::abs(2 * of_class(samples.split.test) - of_class(samples.split.train)) <= 2);
  }
  config.seed = 1;
  CHECK_FALSE(table_samples(config).split.test.inputs == samples.split.test.inputs);
  config.regression = true;
  config.targets = {"legs"};
  config.drop = {"kind"};
  config.test_share = 0.1;
  CHECK(table_samples(config).split.test.targets.rows() == 4);

  config.loss = "mse";
  CHECK_FALSE(reads(config, "folds"));
  config.test_share = 1;
  CHECK(message_of([&] { check(config); }) == "test_share: found 1, expected less, as some rows are for training");
  config.test_share = 0;
  CHECK(reads(config, "folds"));
}

TEST_CASE("arrays of one file are training and test rows where it is the test file too") {
  const TemporaryFolder folder;
  const auto part = [](const char* name, const char* shape, std::initializer_list<double> values) {
    std::string bytes;
    for (const double value : values) bytes += bytes_of(value);
    return zip_part(text(name, ".npy"), npy_bytes(npy_header("<f8", shape), bytes));
  };
  std::ofstream(folder / "k.npz", std::ios::binary)
      << zip_bytes({part("x_train", "(4, 1)", {1, 2, 3, 4}), part("y_train", "(4,)", {0, 1, 0, 1}),
                    part("x_test", "(2, 1)", {6, 7}), part("y_test", "(2,)", {1, 0})});
  RunConfig config = defaults_for(task("table"), "baseline");
  config.data = (folder / "k.npz").string();
  config.test_data = (folder.path() / "." / "k.npz").string();
  config.label_column = "y";
  config.standardise = false;
  const TableSamples samples = table_samples(config);
  CHECK(samples.split.train.inputs == Matrix<double>{{1}, {2}, {3}, {4}});
  CHECK(samples.split.test.inputs == Matrix<double>{{6}, {7}});
  CHECK(samples.split.test.labels == std::vector<std::int32_t>{1, 0});
  CHECK(contains(samples.reading, "its arrays for training"));
}

}  // namespace normalign::tests
