// What a report tells of single runs: one line each, which opens.
#pragma once

#include <span>

#include "experiments/report/parts.hpp"
#include "experiments/report/run_folder.hpp"

namespace normalign {

/// Runs of one task: what config and environment have in common, then for each run status and accuracies, and within
/// some of its metric rows and what is its own. The more runs, the fewer rows.
html::Markup run_details(std::span<const Found<RunLog>* const> runs, const AddressOf& address_of);

/// The same for runs on tables: metrics, and within the folds.
html::Markup run_details(std::span<const Found<TabularLog>> runs, const AddressOf& address_of);

}  // namespace normalign
