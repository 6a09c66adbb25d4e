#include "experiments/studies/sparsity_report.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "experiments/runs/log_json.hpp"
#include "support/catch.hpp"
#include "support/damaged_json.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

// Two sizes, two models, two seeds, with measures that are easily averaged.
std::vector<SparsityRow> rows_of_two_seeds() {
  std::vector<SparsityRow> rows;
  for (const Index samples : {16, 8192})
    for (const std::int64_t seed : {0, 5})
      for (const bool is_network : {true, false}) {
        const double shift = seed == 0 ? 0 : 2;
        SparsityRow row{.samples = samples,
                        .model = is_network ? "mlp" : "rfm",
                        .seed = seed,
                        .train = {.accuracy = 98 + shift, .geometry = {.class_alignment = -0.1234567}},
                        .test = {.accuracy = 50 + shift, .geometry = {.normal_alignment = 0.25 + shift / 8}},
                        .chance_alignment = 0.125,
                        .nearest_distance = 0.5};
        if (is_network) row.steps = 12345, row.train_loss = 1.234e-05;
        rows.push_back(row);
      }
  return rows;
}

}  // namespace

TEST_CASE("means and deviations of the study are over seeds, absent where undefined", "[sparsity]") {
  const std::vector<SparsityRow> rows = rows_of_two_seeds();
  const nlohmann::ordered_json json = as_json(rows);
  CHECK(json["chance_alignment"] == 0.125);
  REQUIRE(json["means"].size() == 8);
  REQUIRE(json["rows"].size() == 16);
  const auto& train = json["means"][0];
  CHECK(train["n"] == 16);
  CHECK(train["model"] == "mlp");
  CHECK(train["points"] == "train");
  CHECK(train["seeds"] == 2);
  CHECK(train["acc"] == 99);
  CHECK_THAT(train["acc_std"].get<double>(), WithinRel(std::sqrt(2.0), 1e-12));
  CHECK_THAT(train["class_over_chance"].get<double>(), WithinRel(-0.1234567 / 0.125, 1e-12));
  CHECK(train["normal_alignment"].is_null());
  CHECK(train["nearest_distance"].is_null());
  CHECK(train["steps"] == 12345);
  const auto& test = json["means"][3];
  CHECK(test["model"] == "rfm");
  CHECK(test["points"] == "test");
  CHECK(test["acc"] == 51);
  CHECK(test["normal_over_chance"] == 3);  // of 0.25 and 0.5
  CHECK(test["nearest_distance"] == 0.5);
  CHECK(test["steps"].is_null());
  CHECK(json["means"][7]["n"] == 8192);
}

TEST_CASE("rows of the study read back as they were written", "[sparsity]") {
  const std::vector<SparsityRow> rows = rows_of_two_seeds();
  const nlohmann::ordered_json json = as_json(rows);
  const std::vector<SparsityRow> read = rows_in(nlohmann::ordered_json::parse(json.dump()));
  CHECK(read.size() == rows.size());
  CHECK(as_json(read) == json);
  CHECK(as_text(tables(read)) == as_text(tables(rows)));
  CHECK(rows_in({{"rows", nlohmann::ordered_json::array()}}).empty());
  CHECK_THROWS_AS(rows_in({{"rows", {{{"n", 16}}}}}), nlohmann::json::exception);
  CHECK_THROWS_AS(rows_in(nlohmann::ordered_json::object()), nlohmann::json::exception);
}

TEST_CASE("a damaged study is read as far as it is one, or refused", "[sparsity]") {
  const nlohmann::ordered_json whole = as_json(rows_of_two_seeds());
  nlohmann::ordered_json json = whole;
  json["rows"].erase(0);  // so that the first line is of test points
  CHECK(message_of([&] { rows_in(json); }) == "rows: found points \"test\", expected \"train\"");
  json = whole;
  json["rows"].erase(json["rows"].size() - 1);
  CHECK(contains(message_of([&] { rows_in(json); }), "expected one"));
  json = whole;
  json["rows"][1]["seed"] = 7;
  CHECK(contains(message_of([&] { rows_in(json); }), "different fits"));
  with_damage(whole.dump(), [](const std::string& content) {
    try {
      as_text(tables(rows_in(log_json::Json::parse(content))));
    } catch (const nlohmann::json::exception&) {
    } catch (const InputError&) {
    }
  });
}

TEST_CASE("the table of the study has the deviations where there are several seeds", "[sparsity]") {
  const std::vector<SparsityRow> rows = rows_of_two_seeds();
  const std::string whole = as_text(tables(rows));
  CHECK(tables(rows).tables.front().rows.size() == rows.size());  // two lines a fit, two seeds
  CHECK(contains(whole, "Standard deviations"));
  std::vector<SparsityRow> single;
  for (const SparsityRow& row : rows)
    if (row.seed == 0) single.push_back(row);
  CHECK(!contains(as_text(tables(single)), "Standard deviations"));
}

TEST_CASE("the study as CSV has a field for each column, empty where undefined", "[sparsity]") {
  const std::string csv = as_csv(tables(rows_of_two_seeds()));
  CHECK(csv.starts_with("n,model,points,seeds,acc,acc_std,class_alignment,"));
  CHECK(contains(csv, "\n8192,rfm,test,2,51.0,1.414"));
  std::size_t line = 0;
  for (std::size_t end; (end = csv.find('\n', line)) != csv.npos; line = end + 1)
    CHECK(std::count(csv.begin() + static_cast<std::ptrdiff_t>(line), csv.begin() + static_cast<std::ptrdiff_t>(end),
                     ',') == 3 + 2 * 9);
}

TEST_CASE("the picture of the study reads blocks that its data have", "[sparsity]") {
  const std::vector<SparsityRow> rows = rows_of_two_seeds();
  const Figure figure = figure_of(chart_of(rows));
  CHECK(figure.name == "sparsity");
  // Blocks 0 ... 3: train and test of each model.
  for (const char* head :
       {"# 'mlp, train points'", "# 'mlp, test points'", "# 'rfm, train points'", "# 'rfm, test points'"})
    CHECK(contains(figure.data, head));
  CHECK(contains(figure.script, "index 3"));
  CHECK(!contains(figure.script, "index 4"));
  CHECK(contains(figure.script, "filledcurves"));
  CHECK(!contains(figure_of(chart_of(std::span(rows).first(2))).script, "filledcurves"));
}

}  // namespace normalign::tests
