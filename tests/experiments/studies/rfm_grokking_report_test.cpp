#include "experiments/studies/rfm_grokking_report.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

// Two seeds with measures that are easily averaged; the second RFM never groks.
RfmGrokking study_of_two_seeds() {
  RfmGrokking study{.options = {.modulus = 8, .seeds = {0, 5}, .updates = 2}};
  for (const std::int64_t seed : {0, 5})
    for (const char* model : {"rfm", "rfam"})
      for (Index updates = 0; updates <= 2; ++updates) {
        const bool is_late = seed == 5 && std::string(model) == "rfm";
        RfmGrokkingRow row{.model = model,
                           .seed = seed,
                           .updates = updates,
                           .train = {.accuracy = 100, .geometry = {.effective_rank = seed == 0 ? 2 : 4}},
                           .test = {.accuracy = is_late ? 0 : 47.5 * static_cast<double>(updates), .loss = 0.5}};
        if (updates > 0) row.circulant_share = seed == 0 ? 0.25 : 0.75;
        study.rows.push_back(row);
      }
  return study;
}

}  // namespace

TEST_CASE("the tables of the study of grokking have means over seeds and the updates until each model grokked") {
  const nlohmann::ordered_json json = as_json(study_of_two_seeds());
  CHECK(json["chance_alignment"] == std::sqrt(2 / (std::acos(-1.0) * 16)));
  CHECK(json["chance_circulant_share"] == 1.0 / 9);
  REQUIRE(json["rows"].size() == 12);
  REQUIRE(json["means"].size() == 6);
  const auto& rfm = json["grokking"][0];
  CHECK(rfm["model"] == "rfm");
  CHECK(rfm["runs"] == 2);
  CHECK(rfm["grokked"] == 1);
  CHECK(rfm["mean"] == 2);
  CHECK(rfm["std"].is_null());
  CHECK(json["grokking"][1]["grokked"] == 2);
  CHECK(json["grokking"][1]["std"] == 0);
  const auto& first = json["means"][0];
  CHECK(first["model"] == "rfm");
  CHECK(first["updates"] == 0);
  CHECK(first["seeds"] == 2);
  CHECK(first["circulant_share"].is_null());
  CHECK(first["normalised_rank"] == 3.0 / 8);
  CHECK_THAT(first["normalised_rank_std"].get<double>(), WithinRel(std::sqrt(2.0) / 8, 1e-12));
  CHECK(first["test_normal_alignment"].is_null());
  const auto& last = json["means"][2];
  CHECK(last["test_acc"] == 47.5);
  CHECK(last["test_loss"] == 0.5);
  CHECK(last["circulant_share"] == 0.5);
}

TEST_CASE("the study of grokking as CSV and LaTeX has the lines of the means, and those of the models") {
  const RfmGrokking study = study_of_two_seeds();
  const std::string csv = as_csv(tables(study));
  CHECK(csv.starts_with("model,updates,seeds,train_acc,train_acc_std,test_acc,"));
  CHECK(std::ranges::count(csv, '\n') == 7);
  CHECK(contains(csv, "\nrfam,2,2,100.0,0.0,95.0,0.0,"));
  CHECK(contains(as_latex({.tables = {grokking_table(study)}}), "rfm & 2 & 1 & 2 & - & 2"));
  CHECK(contains(as_text(tables(study)), "above 90 %"));
}

TEST_CASE("the picture of the study of grokking reads columns that its data have") {
  RfmGrokking study = study_of_two_seeds();
  const Chart chart = chart_of(study);
  REQUIRE(chart.blocks.size() == 2);
  REQUIRE(chart.panels.size() == 5);
  for (const ChartPanel& panel : chart.panels) {
    CAPTURE(panel.y.label);
    CHECK((panel.series.size() == 2 || panel.series.size() == 4));
    for (const ChartSeries& series : panel.series) {
      CHECK(series.y > 0);
      CHECK(chart.blocks[series.block].columns.at(series.highest) == "upper");
    }
  }
  const auto column = [&](std::size_t panel, std::size_t series) {
    const ChartSeries& drawn = chart.panels[panel].series[series];
    return chart.blocks[drawn.block].columns.at(drawn.y);
  };
  CHECK(column(0, 0) == "test_acc");
  CHECK(column(0, 1) == "train_acc");
  CHECK(column(2, 1) == "circulant_share");
  CHECK(column(3, 0) == "test_class_alignment");
  CHECK(column(3, 1) == "class_alignment");
  CHECK(chart.panels[2].level == 1.0 / 9);
  std::erase_if(study.rows, [](const RfmGrokkingRow& row) { return row.seed == 5; });
  CHECK(!contains(figure_of(chart_of(study)).script, "filledcurves"));
}

}  // namespace normalign::tests
