// Logs of runs on tables, made by hand.
#pragma once

#include <string>
#include <vector>

#include "experiments/tabular/log.hpp"

namespace normalign::tests {

/// A finished log with as many folds as there are accuracies; robust accuracies at the radii 1 and 2 are half and a
/// quarter of them.
inline TabularLog tabular_log(const std::string& dataset, double alpha, std::vector<double> accuracies,
                              double alignment = 0.5, double rank = 2) {
  TabularConfig config{.dataset = dataset, .alpha = alpha, .attack_radii = {1, 2}};
  TabularLog log = new_log(config, {.name = dataset, .samples = 300, .features = 5, .classes = 4},
                           {{"version", "1"}, {"threads", 2}});
  log.status = RunStatus::finished;
  for (const double accuracy : accuracies)
    log.result.folds.push_back(
        {.selection = {.regularisation = 0.1, .bandwidth = 10, .updates = 3, .validation_acc = 100.0 / 3},
         .train_acc = 99.5,
         .test_acc = accuracy,
         .robust_acc = {accuracy / 2, accuracy / 4},
         .effective_rank = rank,
         .normalised_rank = rank / 4,
         .normal_alignment = alignment});
  log.result.cost = {.selection = 1.25,
                     .refit = 0.5,
                     .attack = 2,
                     .geometry = 0.1,
                     .fits = 29,
                     .in_double = 1,
                     .by_iteration = 2,
                     .unconverged = 1,
                     .residual = 1e-4};
  return log;
}

}  // namespace normalign::tests
