// The geometry of a trained network at given samples: alignment, regions, certificates; and attacks on it there.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "experiments/figures/table.hpp"
#include "geometry/certificates/certificate.hpp"
#include "geometry/local_complexity.hpp"
#include "geometry/local_geometry.hpp"
#include "geometry/polytope.hpp"
#include "nn/mlp.hpp"
#include "robustness/class_attack.hpp"

namespace normalign {

/// What is looked at besides alignment.
struct InspectionOptions {
  Index certificates = 10;  ///< of the first so many samples
  CertificateOptions certificate = {};
  LocalComplexityOptions complexity = {.directions = 8};  ///< at most as many directions as inputs are taken
  std::vector<double> attack_radii = {};  ///< every sample is attacked within these; rising, in the units of the inputs
  ClassAttackOptions attack = {};
  int threads = 1;
};

/// One sample. What only piecewise-affine networks have is absent for others, and what is about classes has no meaning
/// where numbers are predicted.
struct SampleInspection {
  std::int32_t label = 0;
  bool is_correct = false;  ///< the network's class is the label
  LocalGeometry geometry = {};
  std::optional<NearestWall> wall = {};         ///< l2; absent too where the region has no wall
  std::optional<Index> complexity = {};         ///< units of all layers that change their sign nearby
  std::optional<Certificate> certificate = {};  ///< of the first samples
  std::optional<double> fooled_within = {};     ///< the first attack radius that sufficed; absent where none did
};

/// What `normalign inspect` reports.
struct Inspection {
  std::vector<SampleInspection> samples = {};
  InspectionOptions options = {};
  Index inputs = 0;
  /// 100 R² over the samples, as `Evaluation` has it, where numbers are predicted; else none.
  std::optional<double> explained = {};
  /// The inspection's remark where the network has no regions: the name of its activation.
  std::optional<std::string> smooth_activation = {};
};

/// Looks at the network at every sample. Certificates are about classes: where numbers are predicted there are none.
/// Throws InputError on no samples, on attack radii that do not rise or where there are no classes, and as `check_fit`,
/// `certificates`, `local_complexity` and `class_attacks` do.
Inspection inspection(const Mlp<double>& mlp, const Dataset<double>& data, const InspectionOptions& options);

/// The table of the classes, the chance level of alignment, and below it the certificates: how many are exact, the
/// ends and the median of their lower bounds, and the rank correlation of the bounds with class alignment. Where there
/// were attacks, a table of the accuracy under each.
TableSet tables(const Inspection& inspection);

/// {"classes": [...], "chance_alignment", "samples": [{"label", "correct", measures, "wall_distance", "wall_layer",
/// "wall_unit", "local_complexity", "certificate": {"exact", "lower", "upper", "parts"}}], "certificates": {"norm",
/// "points", "exact", "median", "class_alignment_rank_correlation"}}; undefined and infinite values are null. Samples
/// of numbers have no "label" and "correct", their one class is "all", whose "accuracy" is 100 R². Where
/// there were attacks also "attacks": {"kind", "norm", "steps", "restarts", "clamp", "radii": [{"radius", "accuracy"}]}
/// and "fooled_within" of each sample.
nlohmann::ordered_json as_json(const Inspection& inspection);

}  // namespace normalign
