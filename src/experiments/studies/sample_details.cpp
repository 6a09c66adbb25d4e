#include "experiments/studies/sample_details.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "experiments/figures/table_json.hpp"
#include "experiments/studies/geometry_tables.hpp"
#include "geometry/affine_map.hpp"
#include "geometry/power_diagram.hpp"
#include "linalg/blas.hpp"
#include "linalg/row_blocks.hpp"
#include "nn/attack.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;

// Row i of the details is that map.
void set_map(SampleDetails& details, Index i, const AffineMap& map) {
  std::ranges::copy(map.slope.span(), details.jacobians.row(i).begin());
  std::ranges::copy(map.offset.span(), details.offsets.row(i).begin());
  std::ranges::copy(power_cell(map).centroid.span(), details.centroids.row(i).begin());
}

void add_affine_maps(const PiecewiseAffineNetwork& network, ConstView<double> x, int threads, SampleDetails& details) {
  details.outputs = network(x);
  for (Index l = 0; l < network.hidden_layers(); ++l) details.units.push_back(network.units(l));
  const std::vector<ActivationCode> codes = network.codes(x);
  for (const ActivationCode& code : codes) details.codes.insert(details.codes.end(), code.begin(), code.end());
  std::vector<std::exception_ptr> failures;
  parallel_for(threads, x.rows(), failures,
               [&](Index i) { set_map(details, i, affine_map(network, codes[static_cast<std::size_t>(i)])); });
}

void add_expansions(const Mlp<double>& mlp, ConstView<double> x, int threads, SampleDetails& details) {
  visit_jacobians<double>(
      mlp, x,
      [&](Index i, ConstView<double> jacobian, ConstView<double> output) {
        AffineMap map{Matrix<double>(jacobian), Matrix<double>(output)};
        // 1 x k - (1 x d) (k x d)ᵀ
        gemv<double>(jacobian, x.row_block(i, 1), map.offset, false, -1.0, 1.0);
        set_map(details, i, map);
        std::ranges::copy(output.span(), details.outputs.row(i).begin());
      },
      threads);
}

// The nearest point that is classified otherwise, 1 x d; null where none is known.
const Matrix<double>* adversarial_of(const SampleInspection& sample) {
  return sample.certificate && !sample.certificate->adversarial.empty() ? &sample.certificate->adversarial : nullptr;
}

// These points, n x d, NaN where none is known; empty where none is known of any sample.
Matrix<double> adversarial_points(const Inspection& inspection, Index d) {
  if (std::ranges::none_of(inspection.samples, adversarial_of)) return {};
  Matrix<double> points(static_cast<Index>(inspection.samples.size()), d);
  std::ranges::fill(points.span(), std::numeric_limits<double>::quiet_NaN());
  for (Index i = 0; i < points.rows(); ++i)
    if (const Matrix<double>* point = adversarial_of(inspection.samples[static_cast<std::size_t>(i)]))
      std::ranges::copy(point->span(), points.row(i).begin());
  return points;
}

}  // namespace

SampleDetails sample_details(const Mlp<double>& mlp, ConstView<double> x, int threads) {
  const Index n = x.rows(), d = x.cols(), k = mlp.options().widths.back();
  SampleDetails details{.outputs = Matrix<double>(n, k),
                        .jacobians = Matrix<double>(n, k * d),
                        .offsets = Matrix<double>(n, k),
                        .centroids = Matrix<double>(n, d)};
  if (is_piecewise_affine(mlp.options().activation))
    add_affine_maps(piecewise_affine(mlp), x, threads, details);
  else
    add_expansions(mlp, x, threads, details);
  for (Index i = 0; i < n; ++i)
    details.predicted.push_back(predicted_class<double>(std::as_const(details.outputs).row(i)));
  return details;
}

void add_details(Json& json, const Inspection& inspection, const SampleDetails& details, ConstView<double> x) {
  const Index k = details.outputs.cols(), d = x.cols();
  const std::size_t code_length = details.codes.size() / inspection.samples.size();
  if (!details.units.empty()) json["units"] = details.units;
  for (Index i = 0; i < x.rows(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    Json& sample = json["samples"][at];
    if (!inspection.explained) sample["predicted"] = details.predicted[at];
    sample["outputs"] = details.outputs.row(i);
    sample["input"] = x.row(i);
    sample["jacobian"] = rows_json({details.jacobians.row(i).data(), k, d});
    sample["offset"] = details.offsets.row(i);
    sample["centroid"] = details.centroids.row(i);
    if (!details.units.empty()) {
      std::string code;
      for (std::size_t u = 0; u < code_length; ++u) code += details.codes[at * code_length + u] ? '1' : '0';
      sample["code"] = code;
    }
    if (const Matrix<double>* point = adversarial_of(inspection.samples[at]))
      sample["certificate"]["adversarial"] = point->span();
  }
}

void write_npz(const std::filesystem::path& path, const Inspection& inspection, const SampleDetails& details,
               ConstView<double> x) {
  const Index n = x.rows(), d = x.cols(), k = details.outputs.cols();
  NpzWriter file(path);
  add(file, inspection_tables(as_json(inspection)));
  if (!inspection.explained) file.add<std::int64_t>("predicted", {n}, details.predicted);
  file.add<double>("outputs", {n, k}, details.outputs.span());
  file.add<double>("input", {n, d}, x.span());
  file.add<double>("jacobian", {n, k, d}, details.jacobians.span());
  file.add<double>("offset", {n, k}, details.offsets.span());
  file.add<double>("centroid", {n, d}, details.centroids.span());
  if (!details.units.empty()) {
    const std::vector<std::int64_t> units(details.units.begin(), details.units.end());
    file.add<std::int64_t>("units", {static_cast<Index>(units.size())}, units);
    file.add<std::uint8_t>("code", {n, static_cast<Index>(details.codes.size()) / n}, details.codes);
  }
  if (const Matrix<double> points = adversarial_points(inspection, d); !points.empty())
    file.add<double>("certificate_adversarial", {n, d}, points.span());
  file.finish();
}

}  // namespace normalign
