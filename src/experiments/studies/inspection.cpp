#include "experiments/studies/inspection.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "experiments/figures/statistics.hpp"
#include "experiments/figures/table_json.hpp"
#include "experiments/studies/samples.hpp"
#include "geometry/affine_map.hpp"
#include "nn/attack.hpp"
#include "nn/evaluate.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;

void add_correctness(const Mlp<double>& mlp, const Dataset<double>& data, std::vector<SampleInspection>& samples) {
  // Of a network with one output mse wants targets, which do not matter here.
  const Matrix<double> targets(1, mlp.options().widths.back());
  Evaluator<double> evaluate(mlp, Loss::mse, 1);
  for (std::size_t i = 0; i < samples.size(); ++i)
    samples[i].is_correct = evaluate({.inputs = data.inputs.view().row_block(static_cast<Index>(i), 1),
                                      .labels = std::span(data.labels).subspan(i, 1),
                                      .targets = targets})
                                .accuracy > 0;
}

// What piecewise-affine networks have.
void add_regions(const PiecewiseAffineNetwork& network, const Dataset<double>& data, const InspectionOptions& options,
                 std::vector<SampleInspection>& samples) {
  LocalComplexityOptions nearby = options.complexity;
  nearby.directions = std::min(nearby.directions, network.inputs());
  const Matrix<Index> complexity = local_complexity(network, data.inputs, nearby);
  const std::vector<ActivationCode> codes = network.codes(data.inputs);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto row = static_cast<Index>(i);
    const auto changes = complexity.row(row);
    samples[i].complexity = std::accumulate(changes.begin(), changes.end(), Index{0});
    samples[i].wall = nearest_wall(region(network, codes[i]), data.inputs.view().row_block(row, 1), Norm::l2);
  }
  const Index certified = std::min(options.certificates, data.inputs.rows());
  if (certified == 0) return;
  const std::vector<Certificate> found =
      certificates(network, data.inputs.view().row_block(0, certified), options.certificate, options.threads);
  for (std::size_t i = 0; i < found.size(); ++i) samples[i].certificate = found[i];
}

void add_attacks(const Mlp<double>& mlp, const Dataset<double>& data, const InspectionOptions& options,
                 std::vector<SampleInspection>& samples) {
  const std::vector<double>& radii = options.attack_radii;
  if (std::ranges::adjacent_find(radii, std::greater_equal()) != radii.end())
    throw InputError("inspection: attack radii do not rise; each must be above the one before");
  if (radii.empty()) return;
  if (data.is_regression())
    throw InputError(text("inspection: found an attack within ", radii.front(), ", expected none, as numbers are ",
                          "predicted and attacks are on classes"));
  const auto found = class_attacks<double>(mlp, Batch<double>{.inputs = data.inputs, .labels = data.labels}, radii,
                                           options.attack, options.threads);
  for (std::size_t i = 0; i < samples.size(); ++i)
    for (std::size_t r = radii.size(); r-- > 0;)
      if (found[r].is_fooled[i]) samples[i].fooled_within = radii[r];
}

// Per cent of the samples that no attack within the radius fooled.
double accuracy_within(const Inspection& inspection, double radius) {
  const auto robust = std::ranges::count_if(inspection.samples, [&](const SampleInspection& sample) {
    return !sample.fooled_within || *sample.fooled_within > radius;
  });
  return 100 * static_cast<double>(robust) / static_cast<double>(inspection.samples.size());
}

Table attacks_table(const Inspection& inspection) {
  Table table;
  for (const double radius : inspection.options.attack_radii)
    table.add({{{"radius", "attacked within"}, radius}, {{"accuracy"}, accuracy_within(inspection, radius)}});
  return table;
}

std::string attack_words(const ClassAttackOptions& attack) {
  const std::string clamp =
      attack.clamp ? text(", inputs from ", attack.clamp->low, " to ", attack.clamp->high) : std::string();
  return text("Attacks: ", name(attack.kind), " in ", name_of(attack.norm), ", ", attack.steps, " steps, ",
              attack.restarts, attack.restarts == 1 ? " start" : " starts", " for each loss", clamp,
              "; accuracy is per cent of the samples that are right and stay so.");
}

// The certificates in numbers.
struct CertificateSummary {
  Index points = 0, exact = 0;
  std::vector<double> lower;  // sorted
  std::optional<double> rank_correlation;
};

CertificateSummary certificate_summary(const Inspection& inspection) {
  CertificateSummary result;
  std::vector<double> bounds, alignments;
  for (const SampleInspection& sample : inspection.samples) {
    if (!sample.certificate) continue;
    ++result.points;
    result.exact += sample.certificate->exact;
    result.lower.push_back(sample.certificate->lower);
    if (!sample.geometry.class_alignment) continue;
    bounds.push_back(sample.certificate->lower);
    alignments.push_back(*sample.geometry.class_alignment);
  }
  std::ranges::sort(result.lower);
  result.rank_correlation = rank_correlation(bounds, alignments);
  return result;
}

constexpr std::array measure_headings = {"centroid",       "class alignment", "normal", "centred normal",
                                         "effective rank", "s1^2 share",      "|J|",    "|b|^2",
                                         "|centroid|"};

// Means over the samples with the label, or over all.
Record class_record(const Inspection& inspection, std::optional<std::int32_t> label) {
  std::vector<LocalGeometry> geometries;
  std::vector<double> walls, complexities;
  Index correct = 0;
  for (const SampleInspection& sample : inspection.samples) {
    if (label && sample.label != label) continue;
    correct += sample.is_correct;
    geometries.push_back(sample.geometry);
    if (sample.wall) walls.push_back(sample.wall->distance);
    if (sample.complexity) complexities.push_back(static_cast<double>(*sample.complexity));
  }
  const double accuracy =
      inspection.explained.value_or(100 * static_cast<double>(correct) / static_cast<double>(geometries.size()));
  Record result = {{{"class"}, label ? Cell(*label) : Cell("all")},
                   {{"samples"}, geometries.size()},
                   {{"accuracy", inspection.explained ? "R² %" : "accuracy"}, accuracy}};
  for (const auto& [name, value] : measures(mean(geometries)))
    result.push_back({{name, measure_headings[result.size() - 3]}, value});
  result.push_back({{"wall_distance", "to the wall"}, mean(walls)});
  result.push_back({{"local_complexity", "complexity"}, mean(complexities)});
  return result;
}

Table classes_table(const Inspection& inspection) {
  Table table;
  std::set<std::int32_t> labels;
  for (const SampleInspection& sample : inspection.samples)
    if (!inspection.explained) labels.insert(sample.label);
  for (const std::int32_t label : labels) table.add(class_record(inspection, label));
  table.add(class_record(inspection, std::nullopt));
  return table;
}

}  // namespace

Inspection inspection(const Mlp<double>& mlp, const Dataset<double>& data, const InspectionOptions& options) {
  if (data.inputs.rows() == 0) throw InputError("inspection: there are no samples; there must be at least one");
  check_fit(mlp, data);
  Inspection result{.options = options, .inputs = data.inputs.cols()};
  const std::vector<LocalGeometry> geometries =
      local_geometries(mlp, Batch<double>{.inputs = data.inputs, .labels = data.labels}, options.threads);
  for (const LocalGeometry& geometry : geometries) result.samples.push_back({.geometry = geometry});
  if (data.is_regression()) {
    result.explained = Evaluator<double>(mlp, Loss::mse, 1)({.inputs = data.inputs, .targets = data.targets}).accuracy;
    result.options.certificates = 0;
  } else {
    for (std::size_t i = 0; i < geometries.size(); ++i) result.samples[i].label = data.labels[i];
    add_correctness(mlp, data, result.samples);
  }
  add_attacks(mlp, data, options, result.samples);
  if (is_piecewise_affine(mlp.options().activation))
    add_regions(piecewise_affine(mlp), data, result.options, result.samples);
  else
    result.smooth_activation = name(mlp.options().activation);
  return result;
}

TableSet tables(const Inspection& inspection) {
  TableSet result{
      .tables = {classes_table(inspection)},
      .legend = {
          text("Means over samples; ", inspection.explained ? "R² is that of all of them" : "accuracy is per cent",
               ". Random directions have an alignment of ", four_digits(chance_alignment(inspection.inputs)), '.')}};
  if (!inspection.options.attack_radii.empty()) {
    result.tables.push_back(attacks_table(inspection));
    result.legend.push_back(attack_words(inspection.options.attack));
  }
  if (inspection.smooth_activation) {
    result.legend.push_back(
        text("A network of ", *inspection.smooth_activation, " has no regions, so no walls and no certificates."));
    return result;
  }
  result.legend.push_back(
      text("To the wall: l2 distance to the nearest other region; complexity: units that change within ",
           four_digits(inspection.options.complexity.radius), " along random directions."));
  if (inspection.explained) result.legend.push_back("Certificates are about classes; here numbers are predicted.");
  const CertificateSummary found = certificate_summary(inspection);
  if (found.points > 0)
    result.legend.push_back(text("Certificates (", name_of(inspection.options.certificate.norm), ", first ",
                                 found.points, " samples): ", found.exact, " exact; lower bounds ",
                                 four_digits(found.lower.front()), " to ", four_digits(found.lower.back()), ", median ",
                                 four_digits(median(found.lower)), "; rank correlation with class alignment ",
                                 four_digits(found.rank_correlation), '.'));
  return result;
}

Json as_json(const Inspection& inspection) {
  Json samples = Json::array();
  for (const SampleInspection& s : inspection.samples) {
    Json entry = inspection.explained ? Json::object() : Json{{"label", s.label}, {"correct", s.is_correct}};
    for (const auto& [name, value] : measures(s.geometry)) entry[name] = json_of(value);
    if (s.wall) {
      entry["wall_distance"] = s.wall->distance;
      entry["wall_layer"] = s.wall->unit.layer;
      entry["wall_unit"] = s.wall->unit.unit;
    }
    if (s.complexity) entry["local_complexity"] = *s.complexity;
    if (s.certificate) {
      const Certificate& c = *s.certificate;
      entry["certificate"] = {{"exact", c.exact},
                              {"lower", c.lower},
                              {"upper", c.adversarial.empty() ? Json(nullptr) : Json(c.upper)},
                              {"parts", c.parts}};
    }
    if (!inspection.options.attack_radii.empty()) entry["fooled_within"] = json_of(s.fooled_within);
    samples.push_back(std::move(entry));
  }
  Json result = {{"classes", rows_json(classes_table(inspection))},
                 {"chance_alignment", chance_alignment(inspection.inputs)},
                 {"samples", std::move(samples)}};
  if (const CertificateSummary found = certificate_summary(inspection); found.points > 0)
    result["certificates"] = {{"norm", name_of(inspection.options.certificate.norm)},
                              {"points", found.points},
                              {"exact", found.exact},
                              {"median", *median(found.lower)},
                              {"class_alignment_rank_correlation", json_of(found.rank_correlation)}};
  if (const ClassAttackOptions& attack = inspection.options.attack; !inspection.options.attack_radii.empty())
    result["attacks"] = {{"kind", name(attack.kind)},
                         {"norm", name_of(attack.norm)},
                         {"steps", attack.steps},
                         {"restarts", attack.restarts},
                         {"clamp", attack.clamp ? Json{attack.clamp->low, attack.clamp->high} : Json(nullptr)},
                         {"radii", rows_json(attacks_table(inspection))}};
  return result;
}

}  // namespace normalign
