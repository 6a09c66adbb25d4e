// What a trained model, a network or a kernel machine, says of the rows of a table.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/tables/labelled_table.hpp"
#include "nn/mlp_file.hpp"

namespace normalign {

/// Predictions for the rows of a table.
struct Predictions {
  std::vector<std::string> outputs = {};  ///< k names: of classes, of targets, else "output 0" and so on
  /// m x k: one value for each class, of which the largest decides (of a single one for two classes the sign), or the
  /// targets in their own units.
  Matrix<double> values = {};
  std::vector<std::string> classes = {};  ///< m names of the classes predicted; none for targets
  std::vector<Index> rows = {};  ///< m places in the file; those that are missing have a gap that is not filled
  Index file_rows = 0;
  /// Where the file has the answers too: per cent of the rows that are right, or for targets 100 R².
  std::optional<double> score = {};
  std::string not_scored =
      {};  ///< why answers that the file has are not compared; empty where they are, or it has none
};

/// What the model in a file says of the table in another: a network as `mlp_from` takes it (`known` says what its file
/// does not), or a machine as `tabular_model` writes it. The table is read as the one was that the model was trained
/// on; where the model does not say how, all columns are features. Of `options` what is looked at is how a CSV file is
/// understood, the part of a file of arrays, and `features.missing`, which takes the place of the model's unless it is
/// `refuse`. Throws InputError, naming the file, as the readers do, and where features and inputs are not as many.
Predictions predictions(const std::filesystem::path& model, const std::filesystem::path& table,
                        const TableOptions& options, const MlpFileOptions& known = {}, int threads = 1);

/// A line for each row of the file, in its order: `predicted`, then the value of each class; or the value of each
/// target. Nothing between the commas for rows that have none.
std::string as_csv(const Predictions& predictions);

}  // namespace normalign
