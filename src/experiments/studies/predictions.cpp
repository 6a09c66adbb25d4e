#include "experiments/studies/predictions.hpp"

#include <algorithm>
#include <utility>

#include "data/regression_scores.hpp"
#include "experiments/figures/table.hpp"
#include "experiments/runs/table_encoding_json.hpp"
#include "nn/evaluate.hpp"
#include "rfm/machine_in_span.hpp"
#include "robustness/class_attack.hpp"

namespace normalign {
namespace {

namespace fs = std::filesystem;

void check_inputs(const fs::path& table, Index features, Index inputs) {
  if (features != inputs)
    throw InputError(
        text(table.string(), ": found ", features, " features, expected ", inputs, ", the inputs of the model"));
}

// The outputs of the machine in the file at the rows of x.
template <class T>
Matrix<double> machine_outputs(const TensorFile& file, const std::string& place, const fs::path& table,
                               ConstView<double> inputs, int threads) {
  const auto machine = within(place, [&] { return kernel_machine_from<T>(file); });
  const auto span = within(place, [&] { return span_in<T>(file, machine.inputs()); });
  const Matrix<T> x = converted<T>(inputs);
  check_inputs(table, x.cols(), span ? span->inputs() : machine.inputs());
  return converted<double>((span ? outputs_at<T>(*span, machine, x, threads) : machine.outputs_at(x, threads)).view());
}

Matrix<double> model_outputs(const TensorFile& file, const std::string& place, const fs::path& table,
                             const MlpFileOptions& known, ConstView<double> x, int threads) {
  const auto centres = file.tensors.find("centres");
  if (centres == file.tensors.end()) {
    const auto mlp = within(place, [&] { return mlp_from<double>(file, known); });
    check_inputs(table, x.cols(), mlp.options().widths.front());
    return outputs_at<double>(mlp, x, threads);
  }
  if (known.activation || known.slope)
    throw InputError(text(known.activation ? "--activation" : "--slope",
                          ": found it for a kernel machine, expected it for a network"));
  return std::holds_alternative<Matrix<float>>(centres->second.values)
             ? machine_outputs<float>(file, place, table, x, threads)
             : machine_outputs<double>(file, place, table, x, threads);
}

// Compares the predictions with the answers in the file, or says why it does not.
void compare(Predictions& found, const fs::path& table, const TableOptions& options, TableEncoding encoding) {
  encoding.target_scales.reset();  // the predictions are in the units of the targets
  try {
    const Dataset<double> data = labelled_table(table, options, encoding).data;
    if (data.inputs.rows() != found.values.rows()) {
      found.not_scored = text("found ", data.inputs.rows(), " answers");
    } else if (encoding.is_regression()) {
      found.score = 100 * regression_scores<double>(found.values, data.targets).mean_r_squared();
    } else {
      Index right = 0;
      for (std::size_t i = 0; i < found.classes.size(); ++i)
        right += found.classes[i] == encoding.class_names[static_cast<std::size_t>(data.labels[i])];
      found.score = 100 * static_cast<double>(right) / static_cast<double>(found.classes.size());
    }
  } catch (const InputError& error) {
    found.not_scored = error.what();
  }
}

// Names the outputs and takes the values for what they are.
void interpret(Predictions& result, const std::optional<TableEncoding>& encoding, const fs::path& model) {
  const Index k = result.values.cols();
  const bool is_regression = encoding && encoding->is_regression();
  const auto names = is_regression ? encoding->targets : encoding ? encoding->class_names : std::vector<std::string>();
  const Index expected = !is_regression && names.size() == 2 && k == 1 ? 1 : static_cast<Index>(names.size());
  if (encoding && k != expected)
    throw InputError(text(model.string(), ": found ", k, " outputs, expected ", expected,
                          ", as its metadata table has ", is_regression ? "targets" : "classes"));
  if (static_cast<Index>(names.size()) == k)
    result.outputs = names;
  else
    for (Index j = 0; j < k; ++j) result.outputs.push_back(text("output ", j));
  if (is_regression) {
    if (const auto& scales = encoding->target_scales)
      for (Index i = 0; i < result.values.rows(); ++i)
        for (std::size_t j = 0; j < names.size(); ++j) {
          double& value = result.values(i, static_cast<Index>(j));
          value = value * scales->deviations[j] + scales->means[j];
        }
    return;
  }
  if (!encoding && k == 1) return;  // a number or two classes: nobody knows
  for (Index i = 0; i < result.values.rows(); ++i) {
    const auto place = static_cast<std::size_t>(predicted_class<double>(std::as_const(result.values).row(i)));
    result.classes.push_back(encoding ? names[place] : text(place));
  }
}

}  // namespace

Predictions predictions(const fs::path& model, const fs::path& table, const TableOptions& options,
                        const MlpFileOptions& known, int threads) {
  const TensorFile file = read_safetensors(model);
  const std::string place = model.string() + ": ";
  std::optional<TableEncoding> encoding = within(place, [&] { return table_encoding_in(file); });
  if (encoding && options.features.missing != MissingValues::refuse)
    encoding->features.missing = options.features.missing;
  FeatureRows rows = encoding ? feature_rows(table, options, *encoding) : feature_rows(table, options);
  Predictions result{.rows = std::move(rows.rows), .file_rows = rows.file_rows};
  if (result.rows.empty())
    throw InputError(text(table.string(), ": found no row without a missing value, expected at least one"));
  result.values = model_outputs(file, place, table, known, rows.inputs, threads);
  interpret(result, encoding, model);
  if (rows.has_answers) compare(result, table, options, *encoding);
  return result;
}

std::string as_csv(const Predictions& predictions) {
  const bool has_classes = !predictions.classes.empty();
  Cells head;
  if (has_classes) head.push_back("predicted");
  for (const std::string& name : predictions.outputs) head.push_back(name);
  std::string result = csv_line(head);
  std::size_t next = 0;
  for (Index row = 0; row < predictions.file_rows; ++row) {
    Cells cells(head.size());
    if (next < predictions.rows.size() && predictions.rows[next] == row) {
      std::size_t column = 0;
      if (has_classes) cells[column++] = predictions.classes[next];
      for (const double value : predictions.values.row(static_cast<Index>(next))) cells[column++] = value;
      ++next;
    }
    result += csv_line(cells);
  }
  return result;
}

}  // namespace normalign
