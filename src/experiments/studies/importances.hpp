// What a kernel machine has learned of its inputs: the diagonal and the leading directions of its gradients' outer
// products.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "experiments/figures/table.hpp"
#include "linalg/safetensors.hpp"

namespace normalign {

/// A direction in which the machine's predictions change.
struct ImportantDirection {
  double share = 0;                  ///< its eigenvalue over the trace
  std::vector<double> weights = {};  ///< d, of length 1; the largest in magnitude is positive
};

/// The average gradient outer product of a machine at its training rows, which is the metric that one more update would
/// give it, scaled to trace 1: its diagonal is the mean squared slope of the outputs along each feature, over that of
/// all features together.
struct Importances {
  std::vector<std::string> features = {};           ///< d names: "width", "colour=red"; "feature 1" where none is known
  std::vector<double> shares = {};                  ///< d, of the trace
  std::vector<ImportantDirection> directions = {};  ///< eigenvectors, the largest eigenvalue first
};

/// Those of a machine as `tabular_model` writes it, with at most so many directions, on up to `threads` threads. Throws
/// InputError where the file holds no machine, its metadata do not fit, all its slopes are 0, or directions are
/// negative.
Importances importances(const TensorFile& machine, Index directions, int threads = 1);

/// The places of the `most` features of the largest shares, the largest first; of equal ones in their order.
std::vector<std::size_t> most_important(const Importances& importances, Index most);

/// The so many most important features, a line each with a bar of at most 24 characters, the share in per cent, and the
/// weight in each direction; what the others have together stands below.
TableSet tables(const Importances& importances, Index most);

/// {"features": [{"name", "share"}], "directions": [{"share", "weights"}]}, of all features in the order of the table.
nlohmann::ordered_json as_json(const Importances& importances);

/// Draws the same features as a bar chart, SVG or PNG by its ending. Throws InputError as Canvas does.
void draw_importances(const std::filesystem::path& path, const Importances& importances, Index most,
                      const std::string& title);

}  // namespace normalign
