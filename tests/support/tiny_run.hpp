// A task of 30 training and 30 test rows, and what tests ask of the logs of its runs.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "data/sparse_parity.hpp"
#include "experiments/training/run_log.hpp"
#include "support/catch.hpp"

namespace normalign::tests {

/// The parity of 2 of 10 bits.
template <class T = float>
Split<T> tiny_data() {
  return sparse_parity<T>({.bits = 10, .relevant = 2, .samples = 60, .seed = 5});
}

/// The log without what may differ from one run to the next.
inline RunLog without_timings(RunLog log) {
  for (MetricRow& row : log.metrics) {
    row.opt_time = 0;
    std::erase_if(row.extras, [](const auto& entry) { return entry.first.ends_with("_time"); });
  }
  log.environment = nlohmann::ordered_json::object();
  return log;
}

/// Whether the row has the metric.
inline bool has_extra(const MetricRow& row, const std::string& name) {
  return std::ranges::count(row.extras, name, &std::pair<std::string, double>::first) > 0;
}

/// The metric of a row, which must have it.
inline double extra(const MetricRow& row, const std::string& name) {
  const auto found = std::ranges::find(row.extras, name, &std::pair<std::string, double>::first);
  REQUIRE(found != row.extras.end());
  return found->second;
}

}  // namespace normalign::tests
