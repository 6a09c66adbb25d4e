// What results are held against: values from PyTorch, and a network written down by its definition.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "nn/losses.hpp"
#include "nn/mlp.hpp"

namespace normalign::tests {

/// The folder that holds autodiff/: NORMALIGN_REFERENCE, else ../shared/data/reference from here; nothing
/// when the former is not set and the latter is absent.
std::optional<std::filesystem::path> reference_folder();

/// The *.json files of the reference folder `name`, sorted; none where it is missing.
std::vector<std::filesystem::path> reference_files(const std::filesystem::path& folder);

/// The JSON in a file. Throws std::runtime_error naming it where it cannot be read.
nlohmann::json read_json(const std::filesystem::path& path);

/// A number as 1x1, a list as one row, a list of lists as its rows; one level more is joined within each row.
Matrix<double> matrix_of(const nlohmann::json& json);

/// {"W0": ..., "b0": ..., "W1": ...} in the order of Mlp::parameters.
std::vector<Matrix<double>> parameters_of(const nlohmann::json& json);

/// One mlp_*.json.
struct ReferenceMlp {
  Mlp<double> mlp;
  Loss loss;
  double lambda;
  Matrix<double> x;
  std::vector<std::int32_t> labels;  // of cross_entropy
  Matrix<double> targets;            // of the others
  Matrix<double> projection;
  std::vector<Matrix<double>> direction;
  nlohmann::json expect;
};
ReferenceMlp read_reference_mlp(const std::filesystem::path& path);

/// The activation of one number, by its formula.
double naive_activation(Activation activation, double t, double slope);

/// f(x) by plain loops in double, n x k.
template <class T>
Matrix<double> naive_output(const Mlp<T>& mlp, ConstView<T> x);

}  // namespace normalign::tests
