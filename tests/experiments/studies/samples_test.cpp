#include "experiments/studies/samples.hpp"

#include <fstream>
#include <sstream>

#include "data/rings.hpp"
#include "data/sparse_parity.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

Dataset<double> samples(const SampleOptions& options) {
  std::ostringstream notes;
  return normalign::samples(options, notes);
}

TEST_CASE("a task's samples are those that it trains on, of either side, in double") {
  const auto split = sparse_parity<float>({.seed = 3});
  const Dataset<double> train = samples({.task = "sparse_parity", .seed = 3}),
                        test = samples({.task = "sparse_parity", .seed = 3, .test = true, .most = 7});
  CHECK(relative_error(train.inputs, split.train.inputs) == 0);
  CHECK(train.labels == split.train.labels);
  CHECK(test.inputs.shape() == Shape{7, 43});
  CHECK(relative_error(test.inputs, Matrix<float>(split.test.inputs.view().row_block(0, 7))) == 0);
  CHECK(same_bits(samples({.task = "rings"}).inputs, rings<double>({.train_samples = 120}).train.inputs));
}

TEST_CASE("a CSV file's samples are all of one kind") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "points.csv";
  std::ofstream(path) << "1,2,0\n3,4,1\n5,6,1\n";
  CHECK(samples({.data = path.string(), .most = 2}).inputs == Matrix<double>{{1, 2}, {3, 4}});
  CHECK(samples({.data = path.string(), .most = 9}).inputs.rows() == 3);
  std::ostringstream notes;
  normalign::samples({.data = path.string()}, notes);
  CHECK(notes.str() == "points.csv: 3 rows, 2 features, label column 3 (2 classes); header no\n");
  std::ofstream(path) << ",x,y,2\n0,1,2,0\n1,3,4,2\n";
  CHECK(contains(message_of<InputError>([&] { samples({.data = path.string()}); }), "--index-column drop"));
  SampleOptions indexed{.data = path.string()};
  indexed.table.index_column = IndexColumn::drop;
  CHECK(samples(indexed).inputs == Matrix<double>{{1, 2}, {3, 4}});
  CHECK(samples(indexed).labels == std::vector<std::int32_t>{0, 2});
}

TEST_CASE("an option that the samples do not read is refused, with what would read it") {
  const TemporaryFolder folder;
  const std::string file = (folder / "points.csv").string();
  write_file(file, "1,2,0\n3,4,1\n");
  const auto refusal = [](const SampleOptions& options) { return message_of([&] { samples(options); }); };
  CHECK(refusal({.data = file, .seed = 3}) == "--seed: found nothing in these samples that reads it, expected a task");
  CHECK(refusal({.data = file, .test = true}) ==
        "--test: found nothing in these samples that reads it, expected a task, a folder of IDX files, or arrays "
        "X_train and X_test");
  CHECK(
      refusal({.data = file, .task = "rings"}) ==
      "--data: found nothing in this run (rings, baseline) that reads data, expected the tasks lazy_regime, mnist_ce, "
      "mnist_se, table");
  SampleOptions with_header{.task = "rings"};
  with_header.table.header = true;
  CHECK(contains(refusal(with_header), "--header: found nothing in these samples"));
  SampleOptions with_columns{.task = "rings"};
  with_columns.table.features.drop = {"x"};
  CHECK(contains(refusal(with_columns), "--drop: found nothing in these samples that reads it, expected a file"));
  CHECK(refusal({.task = "rings", .seed = 3, .test = true}) == "nothing was thrown");
}

TEST_CASE("samples that are not named, not there, or do not fit the network are refused") {
  CHECK(message_of<InputError>([] { samples({}); }) ==
        "samples: found neither --data nor --task, expected one of them");
  CHECK(contains(message_of<InputError>([] { samples({.task = "none"}); }), "task: found 'none'"));
  CHECK(contains(message_of<InputError>([] { samples({.data = "/no/such.csv"}); }), "/no/such.csv"));
  CHECK(message_of<InputError>([] { samples({.task = "rings", .most = -1}); }) ==
        "samples: found -1, expected a whole number from 0 on");
  const Mlp<double> mlp({.widths = {2, 3, 2}});
  Dataset<double> data{Matrix<double>(2, 2), {0, 1}, 2};
  CHECK_NOTHROW(check_fit(mlp, data));
  CHECK_NOTHROW(check_fit(Mlp<double>({.widths = {2, 3, 1}}), data));
  data.labels[0] = 2;
  CHECK(message_of<InputError>([&] { check_fit(mlp, data); }) ==
        "model and samples: the network has 2 outputs but there is a label 2");
  data.inputs = Matrix<double>(2, 3);
  CHECK(message_of<InputError>([&] { check_fit(mlp, data); }) ==
        "model and samples: the network has 2 inputs but samples have 3 features; they must be as many");
}

}  // namespace
}  // namespace normalign::tests
