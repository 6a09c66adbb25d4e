// Logs of training runs, made by hand.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/training/run_log.hpp"

namespace normalign::tests {

/// A row; its training loss falls as its accuracy rises, and at test points the alignment is half of that given.
inline MetricRow row(Index epoch, double train_acc, double test_acc, std::optional<double> alignment = std::nullopt) {
  MetricRow result{.epoch = epoch, .train_acc = train_acc, .test_acc = test_acc, .train_loss = 1 - train_acc / 100};
  if (alignment) result.extras = {{"centroid_alignment", *alignment}, {"test_centroid_alignment", *alignment / 2}};
  return result;
}

/// A finished run of a task.
inline RunLog run_of(const std::string& condition, const std::vector<MetricRow>& rows,
                     const std::string& task = "toy") {
  RunLog log{.run_name = "run", .condition = condition};
  log.config = {{"task", task}};
  log.status = RunStatus::finished;
  log.metrics = rows;
  return log;
}

/// Three runs that end at epochs 10, 20 and 30.
inline std::vector<RunLog> example_logs() {
  return {run_of("baseline", {row(0, 50, 40), row(10, 60, 45, 0.5)}),
          run_of("baseline", {row(0, 52, 44, 0.25), row(10, 70, 41), row(20, 80, 43, 0.75)}),
          run_of("baseline", {row(0, 57, 42), row(10, 50, 47), row(30, 100, 99, 0.125)})};
}

}  // namespace normalign::tests
