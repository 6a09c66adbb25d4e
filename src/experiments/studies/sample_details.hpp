// The affine maps of a network at samples, whole: what measures of them leave out.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "experiments/studies/inspection.hpp"

namespace normalign {

/// At each of n samples with d features the map z -> J z + b that a network with k outputs is near it; the first-order
/// expansion of a smooth one. Codes are those of piecewise-affine networks, of N hidden units.
struct SampleDetails {
  Matrix<double> outputs = {};  ///< f(x), n x k
  /// The class, n: the first largest output; of one output 1 where it is > 0.
  std::vector<std::int64_t> predicted = {};
  Matrix<double> jacobians = {};         ///< n x k d: the rows of J one behind the other
  Matrix<double> offsets = {};           ///< b, n x k
  Matrix<double> centroids = {};         ///< Jᵀ1, n x d
  std::vector<Index> units = {};         ///< of each hidden layer; empty where there are no codes
  std::vector<std::uint8_t> codes = {};  ///< n N: 1 where a unit is on, first layer first; empty where there are none
};

/// The details at the rows of x, n x d with a row at least, on up to `threads` threads with the same bits at any
/// number. J and b of a piecewise-affine network are products of its layers by the code at x; of another network J is
/// by backward passes and b is f(x) - J x. Throws InputError where x does not fit and on fewer than one thread.
SampleDetails sample_details(const Mlp<double>& mlp, ConstView<double> x, int threads = 1);

/// Adds to the JSON of the inspection: `units`, and to each sample `input`, `predicted` (of classes), `outputs`,
/// `jacobian` (k x d), `offset`, `centroid`, `code` (a digit for each hidden unit), and `adversarial` of `certificate`
/// where one is known. `x`, n x d, are the samples.
void add_details(nlohmann::ordered_json& json, const Inspection& inspection, const SampleDetails& details,
                 ConstView<double> x);

/// Writes the inspection with its details as a NumPy archive of the arrays that `inspection_tables` makes of that JSON,
/// without a detour by its text. Throws as `NpzWriter` does.
void write_npz(const std::filesystem::path& path, const Inspection& inspection, const SampleDetails& details,
               ConstView<double> x);

}  // namespace normalign
