// All regions of a network as tables and as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "experiments/figures/table.hpp"
#include "geometry/complex/region_statistics.hpp"

namespace normalign {

/// What `normalign regions` reports.
struct RegionReport {
  const RegionComplex& complex;
  RegionStatistics statistics;
  double box = infinity;  ///< that the regions are in
};

/// The bytes that the lists of a complex take for one region, on average.
double bytes_per_region(const RegionComplex& complex);

/// Two tables, of the measures over regions and of the classes, with the counts below them.
TableSet tables(const RegionReport& report);

/// {"num_regions", "inputs", "units", "box", "statistics": {...}, "classes": [...]} and, where `regions` is set,
/// "regions", "facets": [first, second, crossed, decision], "pieces": [region, label, component, volume],
/// "component_labels"; infinite and undefined values are null.
nlohmann::ordered_json as_json(const RegionReport& report, bool regions);

}  // namespace normalign
