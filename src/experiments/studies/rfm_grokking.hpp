// Grokking without a network: Recursive Feature Machines on modular addition, update by update.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "geometry/local_geometry.hpp"
#include "rfm/rfm.hpp"

namespace normalign {

/// The data and how the machines are fitted. The defaults follow Mallinar, Beaglehole, Zhu, Radhakrishnan, Pandit,
/// Belkin, "Emergence in non-neural models: grokking modular arithmetic via average gradient outer product", 2024:
/// an update takes the square root of the AGOP of centred gradients, over every training row once.
struct RfmGrokkingOptions {
  Index modulus = 61;                           ///< p: the machines learn (a + b) mod p from one-hot pairs, 2p inputs
  double train_fraction = 0.5;                  ///< of the p² pairs, in (0, 1)
  std::vector<std::int64_t> seeds = {0, 1, 2};  ///< of the division into training and test pairs
  Kernel kernel = {.shape = KernelShape::gaussian, .bandwidth = 5};
  double regularisation = 1e-8;   ///< ridge
  Index updates = 20;             ///< of the metric
  bool centres_gradients = true;  ///< whether the mean Jacobian is subtracted before the AGOP
  double power = 0.5;             ///< of the AGOP
  Index geometry_samples = 64;    ///< alignment is a mean over the first so many training and test pairs; 0: none
  double criterion = 90;          ///< a machine has grokked once its test accuracy is above it, per cent
  int threads = 1;
  /// Asked about five times a second, by one thread at a time, from any; true ends the computation by Stopped.
  std::function<bool()> stop = {};
};

/// Throws InputError naming the first option that is out of its range, what was found and what was expected.
void check(const RfmGrokkingOptions& options);

/// A machine at the pairs of one kind.
struct RfmGrokkingPoints {
  double accuracy = 0;          ///< per cent
  double loss = 0;              ///< squared error, the mean over pairs and outputs
  LocalGeometry geometry = {};  ///< means over the first pairs
};

/// One machine of a fit.
struct RfmGrokkingRow {
  std::string model = {};  ///< "rfm" or "rfam"
  std::int64_t seed = 0;
  Index updates = 0;  ///< of the metric before it
  RfmGrokkingPoints train = {}, test = {};
  std::optional<double> circulant_share = {};  ///< of the metric's block between the inputs of a and those of b
};

/// What the study found.
struct RfmGrokking {
  RfmGrokkingOptions options = {};
  std::vector<RfmGrokkingRow> rows = {};
};

/// How circulant a square matrix is, 0 to 1: the share of its squared norm that lies in its projection on circulant
/// matrices, whose entry (i, j) depends on (j - i) mod p alone, both after the mean entry is subtracted. A matrix of
/// independent random entries has 1 / (p + 1) on average. Absent where all entries are equal up to rounding. Throws
/// InputError unless the matrix (p x p) is square.
std::optional<double> circulant_share(ConstView<double> matrix);

/// Returns the updates after which the machine of that model and seed first had a test accuracy above the criterion;
/// nullopt if it never had.
std::optional<Index> grokking_updates(const RfmGrokking& study, const std::string& model, std::int64_t seed);

/// Told of each row when it is there; says whether the study goes on.
using RfmGrokkingProgress = std::function<bool(const RfmGrokkingRow& row)>;

/// For each seed the rows of an RFM, started from the identity, then those of an RFAM, started from the covariance of
/// the training pairs: one for each number of updates from 0. Both see the same pairs, those of `modular` with the
/// seed. The same numbers at any number of threads. Throws InputError on options that `check` refuses, RunError as
/// `ridge` does, Stopped when stopped.
RfmGrokking rfm_grokking_study(const RfmGrokkingOptions& options, const RfmGrokkingProgress& progress = {});

}  // namespace normalign
