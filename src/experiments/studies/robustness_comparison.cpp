#include "experiments/studies/robustness_comparison.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/infinity.hpp"
#include "base/nearest_name.hpp"
#include "experiments/figures/statistics.hpp"
#include "experiments/runs/log_json.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;

InspectedModel model_in(const Json& json, const std::string& name) {
  const Json& classes = json.at("classes");
  InspectedModel result{.name = name,
                        .norm = json.at("certificates").at("norm").get<std::string>(),
                        .accuracy = classes.at(classes.size() - 1).at("accuracy").get<double>()};
  for (const Json& sample : json.at("samples")) {
    if (!sample.contains("certificate")) continue;
    const Json& certificate = sample.at("certificate");
    const Json& lower = certificate.at("lower");
    CertifiedPoint& point =
        result.points.emplace_back(CertifiedPoint{.is_correct = sample.at("correct").get<bool>(),
                                                  .is_exact = certificate.at("exact").get<bool>(),
                                                  // JSON has no infinity
                                                  .certificate = lower.is_null() ? infinity : lower.get<double>()});
    for (const std::string& measure : alignment_measures()) {
      const Json& value = sample.at(measure);
      point.alignment.push_back(value.is_null() ? std::nullopt : std::optional(value.get<double>()));
    }
  }
  return result;
}

std::string in_words(std::string measure) {
  std::ranges::replace(measure, '_', ' ');
  return measure;
}

// A row of the table; the accuracy is absent where several models are pooled.
Record robustness_record(const InspectedModel& model, bool correct_only, std::optional<double> accuracy) {
  std::vector<double> certificates;
  std::size_t exact = 0;
  std::vector<std::vector<double>> distances(alignment_measures().size()), alignments(distances.size());
  for (const CertifiedPoint& point : model.points) {
    if (correct_only && !point.is_correct) continue;
    exact += point.is_exact;
    certificates.push_back(point.certificate);
    for (std::size_t m = 0; m < point.alignment.size(); ++m) {
      if (!point.alignment[m]) continue;
      distances[m].push_back(point.certificate);
      alignments[m].push_back(*point.alignment[m]);
    }
  }
  Record result = {{{"model"}, model.name},  {{"points"}, correct_only ? "correct" : "all"},
                   {{"accuracy"}, accuracy}, {{"count", "number"}, certificates.size()},
                   {{"exact"}, exact},       {{"median_certificate", "median"}, median(certificates)}};
  for (std::size_t m = 0; m < distances.size(); ++m) {
    const std::string& measure = alignment_measures()[m];
    result.push_back({{"rank_correlation/" + measure, "~ " + in_words(measure.substr(0, measure.rfind("_alignment")))},
                      rank_correlation(distances[m], alignments[m])});
  }
  return result;
}

}  // namespace

const std::vector<std::string>& alignment_measures() {
  static const std::vector<std::string> names = {"centroid_alignment", "class_alignment", "normal_alignment",
                                                 "centred_normal_alignment"};
  return names;
}

InspectedModel inspected_model(const std::filesystem::path& path, const std::string& name) {
  InspectedModel result;
  try {
    result = model_in(log_json::parsed_file(path), name);
  } catch (const nlohmann::json::exception& error) {
    throw InputError(text(path.string(), ": found no certificates as inspect --json writes them (", error.what(), ')'));
  }
  return result;
}

TableSet robustness_table(const std::vector<InspectedModel>& models) {
  if (models.empty()) throw InputError("robustness: found no model, expected some");
  Table table{.left = 2};
  InspectedModel pooled{.name = "pooled"};
  for (const InspectedModel& model : models) {
    if (model.norm != models.front().norm)
      throw InputError(text("robustness: ", model.name, ": found certificates in ", model.norm, ", expected ",
                            models.front().norm, " as of ", models.front().name));
    for (const bool correct_only : {false, true}) table.add(robustness_record(model, correct_only, model.accuracy));
    pooled.points.insert(pooled.points.end(), model.points.begin(), model.points.end());
  }
  if (models.size() > 1)
    for (const bool correct_only : {false, true}) table.add(robustness_record(pooled, correct_only, std::nullopt));
  return {.tables = {std::move(table)},
          .legend = {"number: of certified points, all or those classified correctly; exact: whose certificate is the "
                     "distance of the decision boundary, of others it is a lower bound.",
                     "median: certificate; ~: Spearman's rank correlation of the certificate with the alignment; "
                     "accuracy: per cent of all inspected samples."}};
}

Chart robustness_chart(const std::vector<InspectedModel>& models, const std::string& measure) {
  const auto& measures = alignment_measures();
  const auto m = static_cast<std::size_t>(&named("measure", measure, measures, std::identity()) - measures.data());
  const auto is_drawn = [&](const CertifiedPoint& point) {
    return point.alignment[m] && std::isfinite(point.certificate);
  };
  const bool has_zero = std::ranges::any_of(models, [&](const InspectedModel& model) {
    return std::ranges::any_of(model.points, [&](const auto& p) { return is_drawn(p) && p.certificate <= 0; });
  });
  const std::string title = "certificate against " + in_words(measure);
  Chart result{.name = "robustness_" + measure,
               .title = title,
               .comment = gnuplot_comment(title),
               .x = {.label = in_words(measure)},
               .panels = {{.y = {.label = models.empty() ? "" : models.front().norm + " distance to the boundary",
                                 .log_base = has_zero ? 0 : 10}}},
               .width = 720,
               .panel_height = 440};
  for (const InspectedModel& model : models) {
    std::vector<ScatterPoint> points;
    for (const CertifiedPoint& point : model.points) {
      if (!is_drawn(point)) continue;
      points.push_back({.x = *point.alignment[m], .y = point.certificate, .is_filled = point.is_exact});
      if (!point.is_exact) result.legend = {{.name = "lower bound", .colour = guide_colour, .look = Look::hollow}};
    }
    add_points(result, model.name, points);
  }
  return result;
}

}  // namespace normalign
