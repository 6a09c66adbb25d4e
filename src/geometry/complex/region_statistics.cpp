#include "geometry/complex/region_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace normalign {
namespace {

// The spread over regions of what `measure` gives.
template <class Measure>
RegionSpread spread_of(const RegionComplex& complex, bool is_bounded, const Measure& measure) {
  std::vector<double> values, volumes;
  for (const LinearRegion& region : complex.regions) {
    const std::optional<double> value = measure(region);
    if (!value) continue;
    values.push_back(*value);
    volumes.push_back(region.volume);
  }
  RegionSpread result{.by_count = weighted_spread(values, std::vector<double>(values.size(), 1.0))};
  if (is_bounded) result.by_volume = weighted_spread(values, volumes);
  return result;
}

std::vector<ClassStatistics> classes_of(const RegionComplex& complex) {
  std::map<std::int32_t, ClassStatistics> classes;
  for (const std::int32_t label : complex.component_labels) ++classes[label].components;
  for (const DecisionPiece& piece : complex.pieces) {
    ++classes[piece.label].pieces;
    classes[piece.label].volume += piece.volume;
  }
  std::vector<ClassStatistics> result;
  for (auto& [label, entry] : classes) {
    entry.label = label;
    result.push_back(entry);
  }
  return result;
}

}  // namespace

std::optional<WeightedSpread> weighted_spread(std::span<const double> values, std::span<const double> weights) {
  std::vector<std::size_t> order;
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!(weights[i] > 0)) continue;
    order.push_back(i);
    sum += weights[i];
  }
  if (order.empty()) return std::nullopt;
  std::ranges::sort(order, {}, [&](std::size_t i) { return values[i]; });
  WeightedSpread result{.smallest = values[order.front()], .largest = values[order.back()]};
  for (const std::size_t i : order) result.mean += weights[i] / sum * values[i];
  double below = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    below += weights[order[k]];
    if (2 * below < sum && k + 1 < order.size()) continue;
    const std::size_t next = 2 * below > sum ? k : std::min(k + 1, order.size() - 1);
    result.median = (values[order[k]] + values[order[next]]) / 2;
    break;
  }
  return result;
}

RegionStatistics statistics(const RegionComplex& complex) {
  RegionStatistics result{
      .regions = complex.count(), .facets = static_cast<Index>(complex.facets.size()), .smallest_clearance = infinity};
  std::vector<double> volumes;
  for (const LinearRegion& region : complex.regions) {
    result.open += region.is_open;
    result.smallest_clearance = std::min(result.smallest_clearance, region.clearance);
    volumes.push_back(region.volume);
  }
  result.volume = std::accumulate(volumes.begin(), volumes.end(), 0.0);
  const bool is_bounded = std::isfinite(result.volume);
  if (is_bounded) result.volumes = weighted_spread(volumes, std::vector<double>(volumes.size(), 1.0));
  for (const RegionFacet& facet : complex.facets) {
    result.crossed_facets += facet.is_crossed;
    result.decision_facets += facet.is_decision;
  }
  result.mean_facets = 2 * static_cast<double>(result.facets) / static_cast<double>(result.regions);
  for (std::size_t p = 0; p < complex.pieces.size(); ++p) {
    const auto is_beside = [&](std::size_t q) {
      return q < complex.pieces.size() && complex.pieces[q].region == complex.pieces[p].region;
    };
    // The first of several pieces.
    result.crossed_regions += is_beside(p + 1) && !(p > 0 && is_beside(p - 1));
  }
  result.jacobian_norm =
      spread_of(complex, is_bounded, [](const LinearRegion& r) { return std::optional(r.jacobian_norm); });
  result.centroid_alignment =
      spread_of(complex, is_bounded, [](const LinearRegion& r) { return r.centroid_alignment; });
  result.effective_rank = spread_of(complex, is_bounded, [](const LinearRegion& r) { return r.effective_rank; });
  result.classes = classes_of(complex);
  return result;
}

}  // namespace normalign
