#include "data/tables/labelled_table.hpp"

#include <cmath>
#include <fstream>

#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

std::filesystem::path csv_file(const TemporaryFolder& folder, const std::string& name, const std::string& content) {
  std::ofstream(folder / name) << content;
  return folder / name;
}

constexpr const char* houses =
    "rooms,town,price,rent\n"
    "2,Ulm,100.5,400\n"
    "3,Jena,200,500\n"
    "5,Ulm,300,900\n";

TableOptions predicting(std::vector<std::string> targets) {
  return {.regression = true, .targets = std::move(targets)};
}

}  // namespace

TEST_CASE("columns of numbers are targets, in the order in which they are asked for") {
  const TemporaryFolder folder;
  const auto path = csv_file(folder, "houses.csv", houses);
  const LabelledTable one = labelled_table(path, predicting({"price"}));
  CHECK(one.data.is_regression());
  CHECK(one.data.outputs() == 1);
  CHECK(one.data.labels.empty());
  CHECK(one.data.targets == Matrix<double>{{100.5}, {200}, {300}});
  CHECK(one.data.inputs == Matrix<double>{{2, 0, 1, 400}, {3, 1, 0, 500}, {5, 0, 1, 900}});
  CHECK(one.reading ==
        "houses.csv: 3 rows, 4 features of 3 columns (categories: town in 2), target 'price'; header yes");

  const LabelledTable two = labelled_table(path, predicting({"rent", "3"}));
  CHECK(two.data.targets == Matrix<double>{{400, 100.5}, {500, 200}, {900, 300}});
  CHECK(two.encoding.targets == std::vector<std::string>{"rent", "price"});
  CHECK(two.encoding.features.names() == std::vector<std::string>{"rooms", "town=Jena", "town=Ulm"});
  CHECK(contains(two.reading, "targets 'rent', 'price'"));
}

TEST_CASE("targets of a second file are all its columns") {
  const TemporaryFolder folder;
  const auto x = csv_file(folder, "x.csv", "a,b\n1,2\n3,4\n");
  const auto y = csv_file(folder, "y.csv", "u,v\n0.5,7\n1.5,8\n");
  const LabelledTable set = labelled_table(x, {.regression = true, .labels = y});
  CHECK(set.data.inputs == Matrix<double>{{1, 2}, {3, 4}});
  CHECK(set.data.targets == Matrix<double>{{0.5, 7}, {1.5, 8}});
  const auto few = csv_file(folder, "few.csv", "u\n0.5\n");
  CHECK(contains(message_of<InputError>([&] { labelled_table(x, {.regression = true, .labels = few}); }),
                 "found 1 rows, expected 2"));
}

TEST_CASE("settled targets have mean 0 and deviation 1 over the rows they are settled by") {
  const TemporaryFolder folder;
  const auto path = csv_file(folder, "houses.csv", houses);
  EncodableTable table = encodable_table(path, predicting({"price", "rent"}));
  const std::vector<Index> rows = {0, 2};
  settle(table, rows, true);
  REQUIRE(table.encoding.target_scales);
  CHECK(table.encoding.target_scales->means == std::vector<double>{200.25, 650});
  const Dataset<double> settled = samples_at(table, rows);
  CHECK(settled.targets(0, 0) == Approx(-std::sqrt(0.5)));
  CHECK(settled.targets(1, 1) == Approx(std::sqrt(0.5)));
  settle(table, rows, false);
  CHECK_FALSE(table.encoding.target_scales);
}

TEST_CASE("what cannot be a target is refused by column") {
  const TemporaryFolder folder;
  const auto path = csv_file(folder, "houses.csv", houses);
  const auto refusal = [&](std::vector<std::string> targets) {
    return message_of<InputError>([&] { labelled_table(path, predicting(std::move(targets))); });
  };
  CHECK(contains(refusal({"town"}), "column 2 (town): found texts, such as 'Jena', expected numbers to predict"));
  CHECK(contains(refusal({"price", "3"}), "--target: found column 3 (price) twice, expected it once"));
  CHECK(contains(refusal({"prize"}), "found no 'prize'"));
  CHECK(contains(refusal({}), "--target: found none"));
  const auto gap = csv_file(folder, "gap.csv", "a,price\n7,2\n2,\n3,4\n");
  CHECK(contains(message_of<InputError>([&] { labelled_table(gap, predicting({"price"})); }),
                 "line 3: column 2 (price): found '', a missing value, expected a number to predict"));
  TableOptions dropping = predicting({"price"});
  dropping.features.missing = MissingValues::drop;
  CHECK(labelled_table(gap, dropping).data.targets == Matrix<double>{{2}, {4}});
}

TEST_CASE("rows to predict are read as the table was, with or without what is to be predicted") {
  const TemporaryFolder folder;
  const auto path = csv_file(folder, "houses.csv", houses);
  TableOptions options = predicting({"price"});
  options.features.columns = {"rooms", "town"};
  options.features.standardise = true;
  const LabelledTable known = labelled_table(path, options);
  const auto rows = csv_file(folder, "new.csv", "town,rooms\nJena,3\nUlm,5\n");
  const FeatureRows found = feature_rows(rows, {}, known.encoding);
  CHECK(found.rows == std::vector<Index>{0, 1});
  CHECK(std::ranges::equal(found.inputs.row(0), known.data.inputs.row(1)));
  CHECK(std::ranges::equal(found.inputs.row(1), known.data.inputs.row(2)));
  CHECK(feature_rows(path, {}, known.encoding).inputs == known.data.inputs);
  const auto other = csv_file(folder, "other.csv", "town,rooms\nBonn,3\n");
  CHECK(contains(message_of<InputError>([&] { feature_rows(other, {}, known.encoding); }), "found 'Bonn'"));
  const auto gap = csv_file(folder, "gap.csv", "town,rooms\nJena,\nUlm,5\n");
  CHECK(contains(message_of<InputError>([&] { feature_rows(gap, {}, known.encoding); }), "a missing value"));

  TableOptions dropping = options;
  dropping.features.missing = MissingValues::drop;
  const FeatureRows whole = feature_rows(gap, {}, labelled_table(path, dropping).encoding);
  CHECK(whole.rows == std::vector<Index>{1});
  CHECK(whole.file_rows == 2);
}

}  // namespace normalign::tests
