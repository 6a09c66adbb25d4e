#include "experiments/studies/robustness_comparison.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/infinity.hpp"
#include "experiments/figures/table_json.hpp"
#include "experiments/figures/text_file.hpp"
#include "experiments/studies/inspection.hpp"
#include "support/catch.hpp"
#include "support/damaged_json.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

using Json = nlohmann::json;

// Points whose class alignment rises with the certificate, whose centroid alignment falls, and whose normal alignment
// is defined for one alone.
InspectedModel model(const std::string& name, double shift) {
  InspectedModel result{.name = name, .norm = "l2", .accuracy = 75};
  for (int i = 0; i < 4; ++i)
    result.points.push_back(
        {.is_correct = i != 3,
         .is_exact = i > 0,
         .certificate = shift + i,
         .alignment = {-shift - i, 0.1 * (shift + i), i == 0 ? std::optional(0.5) : std::nullopt, 0.25}});
  return result;
}

TEST_CASE("rows: every model over all and over correct points, then the pool") {
  const TableSet table = robustness_table({model("a", 1), model("b", 100)});
  const Json rows = Json::parse(as_json(table).dump());
  REQUIRE(rows.size() == 6);
  CHECK(rows[0].at("model") == "a");
  CHECK(rows[0].at("points") == "all");
  CHECK(rows[0].at("count") == 4);
  CHECK(rows[0].at("exact") == 3);
  CHECK(rows[0].at("accuracy") == 75);
  CHECK(rows[0].at("median_certificate") == 2.5);
  const Json& correlation = rows[0].at("rank_correlation");
  REQUIRE(correlation.size() == 4);
  CHECK(correlation.at("centroid_alignment") == -1);
  CHECK(correlation.at("class_alignment") == 1);
  CHECK(correlation.at("normal_alignment").is_null());
  CHECK(correlation.at("centred_normal_alignment").is_null());  // constant
  CHECK(rows[1].at("points") == "correct");
  CHECK(rows[1].at("count") == 3);
  CHECK(rows[1].at("median_certificate") == 2);
  CHECK(rows[4].at("model") == "pooled");
  CHECK(rows[4].at("count") == 8);
  CHECK(rows[4].at("exact") == 6);
  CHECK(rows[4].at("accuracy").is_null());
  CHECK(rows[5].at("count") == 6);
  CHECK(as_json(robustness_table({model("a", 1)})).size() == 2);
  CHECK(contains(as_text(table), "~ centred normal"));
}

TEST_CASE("what an inspection writes is what is compared") {
  const TemporaryFolder folder;
  Dataset<double> data{random_matrix({30, 3}, 7), {}, 3};
  for (std::int32_t i = 0; i < 30; ++i) data.labels.push_back(i % 3);
  const Inspection inspected = inspection(Mlp<double>({.widths = {3, 8, 3}, .seed = 2}), data, {.certificates = 9});
  write_text_file(folder / "a.json", as_json(inspected).dump());
  const InspectedModel found = inspected_model(folder / "a.json", "a");
  CHECK(found.norm == "l2");
  CHECK_THAT(found.accuracy, WithinRel(as_json(inspected).at("classes").back().at("accuracy").get<double>(), 1e-12));
  REQUIRE(found.points.size() == 9);
  for (std::size_t i = 0; i < 9; ++i) {
    const SampleInspection& sample = inspected.samples[i];
    CHECK(found.points[i].is_correct == sample.is_correct);
    CHECK(found.points[i].is_exact == sample.certificate->exact);
    CHECK(found.points[i].certificate == sample.certificate->lower);
    CHECK(found.points[i].alignment[0] == sample.geometry.centroid_alignment);
    CHECK(found.points[i].alignment[1] == sample.geometry.class_alignment);
    CHECK(found.points[i].alignment[2] == sample.geometry.normal_alignment);
    CHECK(found.points[i].alignment[3] == sample.geometry.centred_normal_alignment);
  }
}

TEST_CASE("a network that says one class everywhere has infinite certificates, which JSON writes as null") {
  const TemporaryFolder folder;
  Mlp<double> constant({.widths = {3, 8, 2}, .seed = 2});
  for (const MatrixView<double> parameter : constant.parameters()) std::ranges::fill(parameter.span(), 0);
  constant.parameters().back()(0, 0) = 1;
  const Dataset<double> data{random_matrix({6, 3}, 7), {0, 1, 0, 1, 0, 1}, 2};
  write_text_file(folder / "a.json", as_json(inspection(constant, data, {.certificates = 4})).dump());
  const InspectedModel found = inspected_model(folder / "a.json", "a");
  REQUIRE(found.points.size() == 4);
  for (const CertifiedPoint& point : found.points) CHECK(std::isinf(point.certificate));
  CHECK(contains(as_text(robustness_table({found})), "inf"));
  InspectedModel partly = model("b", 1);
  partly.points[1].certificate = infinity;
  std::size_t drawn = 0;
  for (const ChartBlock& block : robustness_chart({partly}, "class_alignment").blocks) drawn += block.rows.size();
  CHECK(drawn == 3);
}

TEST_CASE("the scatter has the points that have the measure, and a logarithmic axis where it can") {
  const std::vector<InspectedModel> models = {model("a", 1), model("b", 0)};
  const Chart positive = robustness_chart({models[0]}, "class_alignment");
  CHECK(positive.panels[0].y.log_base == 10);
  // Exact certificates, then bounds, in one colour under one name.
  REQUIRE(positive.panels[0].series.size() == 2);
  CHECK(positive.panels[0].series[0].look == Look::filled);
  CHECK(positive.panels[0].series[1].look == Look::hollow);
  CHECK(positive.panels[0].series[0].name == "a");
  CHECK(positive.panels[0].series[1].name.empty());
  CHECK(positive.panels[0].series[0].colour == positive.panels[0].series[1].colour);
  REQUIRE(positive.blocks.size() == 2);
  CHECK(positive.blocks[0].rows.size() + positive.blocks[1].rows.size() == 4);
  CHECK(positive.blocks[0].rows[1][1] == 3);
  CHECK(positive.legend.size() == 1);
  CHECK(robustness_chart(models, "class_alignment").panels[0].y.log_base == 0);
  const Chart two = robustness_chart(models, "normal_alignment");
  CHECK(two.panels[0].series.back().name == "b");
  CHECK(two.blocks.back().rows.size() == 1);
}

TEST_CASE("comparisons that make no sense are refused") {
  CHECK(message_of<InputError>([] { robustness_table({}); }) == "robustness: found no model, expected some");
  InspectedModel other = model("b", 1);
  other.norm = "linf";
  CHECK(message_of<InputError>([&] {
          robustness_table({model("a", 1), other});
        }) == "robustness: b: found certificates in linf, expected l2 as of a");
  CHECK(contains(message_of<InputError>([] { robustness_chart({}, "accuracy"); }),
                 "measure: found 'accuracy', expected one of centroid_alignment, class_alignment"));
  const TemporaryFolder folder;
  CHECK(contains(message_of<InputError>([&] { inspected_model(folder / "absent.json", "a"); }), "absent.json: "));
  for (const char* content : {"[]", "{\"classes\": [], \"samples\": []}",
                              "{\"classes\": [], \"samples\": [], \"certificates\": {\"norm\": \"l2\"}}"}) {
    write_text_file(folder / "wrong.json", content);
    CHECK(contains(message_of<InputError>([&] { inspected_model(folder / "wrong.json", "a"); }),
                   "wrong.json: found no certificates as inspect --json writes them"));
  }
}

TEST_CASE("a damaged inspection is compared all the same, or refused by its name") {
  const TemporaryFolder folder;
  Dataset<double> data{random_matrix({6, 3}, 7), {0, 1, 2, 0, 1, 2}, 3};
  const Inspection inspected = inspection(Mlp<double>({.widths = {3, 4, 3}, .seed = 2}), data, {.certificates = 2});
  const auto path = folder / "a.json";
  with_damage(as_json(inspected).dump(), [&](const std::string& content) {
    write_file(path, content);
    try {
      as_text(robustness_table({inspected_model(path, "a")}));
    } catch (const InputError& error) {
      if (!std::string(error.what()).starts_with(path.string() + ": ")) FAIL(error.what());
    }
  });
  write_file(path, std::string(100000, '[') + std::string(100000, ']'));
  CHECK(contains(message_of([&] { inspected_model(path, "a"); }), "a.json: found more than 64 nested levels"));
}

}  // namespace
}  // namespace normalign::tests
