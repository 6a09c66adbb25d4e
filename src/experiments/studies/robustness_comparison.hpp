// Alignment against robustness: the certificates of several inspected networks beside their alignment, point by point.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "experiments/figures/chart.hpp"
#include "experiments/figures/table.hpp"

namespace normalign {

/// The measures of alignment that certificates are compared with, as `LocalGeometry` names them: centroid, class,
/// normal and centred normal alignment.
const std::vector<std::string>& alignment_measures();

/// A point that a certificate was made for.
struct CertifiedPoint {
  bool is_correct = false;                            ///< the network's class is the label
  bool is_exact = false;                              ///< the certificate is the distance, otherwise the lower bound
  double certificate = 0;                             ///< infinite where no other class is ever predicted
  std::vector<std::optional<double>> alignment = {};  ///< by measure; absent where undefined
};

/// What `normalign inspect --json` says of one network's certified points.
struct InspectedModel {
  std::string name = {};
  std::string norm = {};  ///< of the certificates, "l2" or "linf"
  double accuracy = 0;    ///< of all samples, per cent
  std::vector<CertifiedPoint> points = {};
};

/// Reads such a file. Throws InputError, naming it, when it cannot be read, is none or has no certificates.
InspectedModel inspected_model(const std::filesystem::path& path, const std::string& name);

/// A table with, for each model and for the points of all models pooled when there are several, a row over all points
/// and one over those that are classified correctly: Spearman's correlation of the certificate with each measure over
/// the points that have it, absent where undefined, and the median certificate. A point that is not classified
/// correctly is on the wrong side of its boundary: its certificate is the distance to being right, perhaps. JSON as
/// docs/schema/robustness.schema.json says. Throws InputError when there is no model or their norms differ.
TableSet robustness_table(const std::vector<InspectedModel>& models);

/// The points, one colour for each model, x the measure and y the certificate, logarithmic unless one is 0; bounds that
/// are not exact are hollow, points with an infinite certificate left out. Throws InputError when the measure is
/// unknown.
Chart robustness_chart(const std::vector<InspectedModel>& models, const std::string& measure);

}  // namespace normalign
