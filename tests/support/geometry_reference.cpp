#include "support/geometry_reference.hpp"

#include <cmath>

#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/reference.hpp"

namespace normalign::tests {
namespace {

// The folder of that name among the reference values; none, and the test counts as skipped, where there are none.
std::optional<std::filesystem::path> reference_folder_of(const std::string& test, const std::string& name) {
  const auto folder = reference_folder();
  if (folder) return *folder / name;
  skip(test + ": ../shared/data/reference is not there and NORMALIGN_REFERENCE is not set");
  return {};
}

double slope_of(const std::string& activation, const nlohmann::json& leaky_slope) {
  return activation == "linear"       ? 1
         : activation == "leaky_relu" ? leaky_slope.get<double>()
         : activation == "abs"        ? -1
                                      : 0;
}

}  // namespace

std::vector<ReferenceGeometry> reference_geometries(const std::string& test) {
  std::vector<ReferenceGeometry> result;
  const auto folder = reference_folder_of(test, "geometry");
  if (!folder) return result;
  for (const auto& path : reference_files(*folder)) {
    nlohmann::json json = read_json(path);
    std::vector<PiecewiseAffineLayer> layers;
    for (const auto& layer : json.at("layers"))
      layers.push_back({matrix_of(layer.at("weight")), row_of(layer.at("bias")),
                        slope_of(layer.at("activation"), layer.value("negative_slope", nlohmann::json()))});
    result.push_back({json.at("name"), PiecewiseAffineNetwork(std::move(layers)), std::move(json)});
  }
  if (result.empty()) throw std::runtime_error(folder->string() + ": no reference files");
  return result;
}

std::vector<AwkwardNetwork> awkward_networks(const std::string& test) {
  std::vector<AwkwardNetwork> result;
  const auto folder = reference_folder_of(test, "certificates");
  if (!folder) return result;
  for (const auto& path : reference_files(*folder)) {
    const nlohmann::json file = read_json(path);
    for (const auto& network : file.at("networks")) {
      const double slope = slope_of(network.at("activation"), network.value("slope", nlohmann::json()));
      std::vector<PiecewiseAffineLayer> layers;
      for (const auto& layer : network.at("layers"))
        layers.push_back({matrix_of(layer.at("weight")), row_of(layer.at("bias")), slope});
      layers.back().slope = 1;
      result.push_back({network.at("name"), PiecewiseAffineNetwork(std::move(layers)), network.at("points")});
    }
  }
  return result;
}

Plane plane_of(const nlohmann::json& partition) {
  const auto& plane = partition.at("plane");
  if (plane.is_null()) return input_plane();
  return {row_of(plane.at("origin")), row_of(plane.at("u")), row_of(plane.at("v"))};
}

Matrix<double> row_of(const nlohmann::json& json) {
  Matrix<double> row(1, static_cast<Index>(json.size()));
  for (std::size_t i = 0; i < json.size(); ++i) row.span()[i] = json[i].get<double>();
  return row;
}

PiecewiseAffineNetwork random_network(const std::vector<Index>& widths, std::uint64_t seed,
                                      const std::vector<double>& slopes, double grain) {
  const auto rounded = [&](Matrix<double> values) {
    if (grain > 0)
      for (double& value : values.span()) value = std::round(value / grain) * grain;
    return values;
  };
  std::vector<PiecewiseAffineLayer> layers;
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    const double bound = 2 / std::sqrt(static_cast<double>(widths[l]));
    layers.push_back({rounded(random_matrix({widths[l + 1], widths[l]}, 1000 * seed + 2 * l, -bound, bound)),
                      rounded(random_matrix({1, widths[l + 1]}, 1000 * seed + 2 * l + 1)),
                      l + 2 == widths.size() ? 1 : slopes[l % slopes.size()]});
  }
  return PiecewiseAffineNetwork(std::move(layers));
}

}  // namespace normalign::tests
