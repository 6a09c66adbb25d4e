#include "geometry/complex/regions.hpp"

#include <cmath>

#include "geometry/complex/region_collector.hpp"

namespace normalign {
namespace {

constexpr Index regions_per_report = 1000;

void check(const RegionOptions& options) {
  if (!(options.box > 0)) throw InputError(text("regions: box is ", options.box, "; it must be above 0"));
  check_whole("regions: max_regions", options.max_regions, 1, INT32_MAX);
}

void report(const RegionOptions& options, Index found, double done) {
  if (options.progress && found % regions_per_report == 0) options.progress({.regions = found, .done = done});
}

}  // namespace

RegionComplex regions(const PiecewiseAffineNetwork& network, const RegionOptions& options) {
  check(options);
  const StopPoll stop("regions", options.stop);
  detail::RegionSearch search(network, options.box, options.exact);
  detail::RegionCollector collector(search, network, options.box);
  const RunError too_many(text("regions: more than ", options.max_regions, " regions"));
  if (search.least_regions() > static_cast<double>(options.max_regions)) throw too_many;
  search.run([&](const detail::FoundRegion& found) {
    stop.check();
    collector.add(found);
    if (collector.count() > options.max_regions) throw too_many;
    report(options, collector.count(), found.done);
  });
  if (options.progress) options.progress({.regions = collector.count(), .done = 1});
  return collector.take();
}

std::optional<Index> count_regions(const PiecewiseAffineNetwork& network, const RegionOptions& options) {
  check(options);
  if (network.hidden_layers() == 0) return 1;
  const StopPoll stop("regions", options.stop);
  detail::RegionSearch search(network, options.box, options.exact);
  if (search.least_regions() > static_cast<double>(options.max_regions)) return std::nullopt;
  struct TooMany {};
  Index count = 0;
  try {
    search.run([&](const detail::FoundRegion& found) {
      stop.check();
      if (++count > options.max_regions) throw TooMany{};
      report(options, count, found.done);
    });
  } catch (const TooMany&) {
    return std::nullopt;
  }
  if (options.progress) options.progress({.regions = count, .done = 1});
  return count;
}

Index RegionComplex::code_words() const {
  Index all = 0;
  for (const Index n : units) all += n;
  return static_cast<Index>(detail::words_for(static_cast<std::size_t>(all)));
}

bool RegionComplex::is_on(Index region, Index unit) const {
  const auto words = static_cast<std::size_t>(code_words());
  return detail::has(std::span(codes).subspan(static_cast<std::size_t>(region) * words, words),
                     static_cast<std::size_t>(unit));
}

ActivationCode RegionComplex::code(Index region) const {
  Index all = 0;
  for (const Index n : units) all += n;
  ActivationCode result;
  for (Index u = 0; u < all; ++u) result.push_back(is_on(region, u));
  return result;
}

std::vector<HiddenUnit> RegionComplex::flips(const RegionFacet& facet) const {
  std::vector<HiddenUnit> result;
  Index first = 0;
  for (std::size_t l = 0; l < units.size(); ++l) {
    for (Index k = 0; k < units[l]; ++k)
      if (is_on(facet.first, first + k) != is_on(facet.second, first + k))
        result.push_back({.layer = static_cast<Index>(l), .unit = k});
    first += units[l];
  }
  return result;
}

}  // namespace normalign
