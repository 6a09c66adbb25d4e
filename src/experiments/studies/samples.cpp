#include "experiments/studies/samples.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <ostream>

#include "data/mnist.hpp"
#include "experiments/runs/table_encoding_json.hpp"
#include "experiments/training/settings_read.hpp"
#include "experiments/training/task.hpp"
#include "linalg/safetensors.hpp"

namespace normalign {
namespace {

// Squares of its products with what a network makes of it are doubles.
constexpr double largest_input = 1e50;

Dataset<double> one_side(Split<double> split, bool test) {
  return test ? std::move(split.test) : std::move(split.train);
}

// Refuses an option that was given and that these samples do not read.
void refuse_unread(bool given, const char* option, const char* reader) {
  if (given) throw InputError(text(option, ": found nothing in these samples that reads it, expected ", reader));
}

// How the table was read that the network in this file was trained on; none where there is no file or no table.
std::optional<TableEncoding> encoding_in(const std::filesystem::path& model) {
  if (model.empty()) return std::nullopt;
  const TensorFile file = read_safetensors(model);
  return within(model.string() + ": ", [&] { return table_encoding_in(file); });
}

Dataset<double> all_samples(const SampleOptions& options, std::ostream& notes) {
  const bool is_file = options.task.empty() && !std::filesystem::is_directory(options.data);
  if (const auto given = given_option(options.table); given && !is_file)
    refuse_unread(true, given->name.c_str(), "a file of a table");
  refuse_unread(options.task.empty() && options.seed, "--seed", "a task");
  if (!options.task.empty()) {
    RunConfig config = defaults_for(task(options.task), "baseline");
    config.seed = options.seed.value_or(0);
    if (!options.data.empty()) {
      config.data = options.data;
      require_read("--data", "data", {&config, 1});
    }
    check(config);
    return one_side(in_double(task(options.task).data(config)), options.test);
  }
  if (options.data.empty()) throw InputError("samples: found neither --data nor --task, expected one of them");
  const bool by_parts = is_file && has_parts(options.data);
  refuse_unread(is_file && !by_parts && options.test, "--test",
                "a task, a folder of IDX files, or arrays X_train and X_test");
  if (!is_file) return one_side(mnist<double>({.folder = options.data}), options.test);
  const auto encoding = encoding_in(options.model);
  if (const auto given = given_option({.targets = options.table.targets, .features = options.table.features});
      given && encoding)
    refuse_unread(true, given->name.c_str(), "a model that does not say how its table is read");
  TableOptions table = options.table;
  if (by_parts && encoding && names_parts(*encoding))
    refuse_unread(options.test, "--test", "a model that was trained on arrays of both parts");
  else if (by_parts)
    table.part = options.test ? ArrayPart::test : ArrayPart::train;
  const LabelledTable set =
      encoding ? labelled_table(options.data, table, *encoding) : labelled_table(options.data, table);
  notes << set.reading << std::endl;
  return set.data;
}

}  // namespace

Dataset<double> samples(const SampleOptions& options, std::ostream& notes) {
  Dataset<double> data = all_samples(options, notes);
  const Index rows = data.inputs.rows();
  if (options.most < 0) throw InputError(text("samples: found ", options.most, ", expected a whole number from 0 on"));
  if (options.most == 0 || options.most >= rows) return data;
  std::vector<Index> first(static_cast<std::size_t>(options.most));
  std::iota(first.begin(), first.end(), 0);
  return rows_at(data, first);
}

void check_fit(const Mlp<double>& mlp, const Dataset<double>& data) {
  const Index inputs = mlp.options().widths.front(), outputs = mlp.options().widths.back();
  if (data.inputs.cols() != inputs)
    throw InputError(text("model and samples: the network has ", inputs, " inputs but samples have ",
                          data.inputs.cols(), " features; they must be as many"));
  for (Index i = 0; i < data.inputs.rows(); ++i)
    for (Index j = 0; j < inputs; ++j)
      if (!(std::abs(data.inputs(i, j)) <= largest_input))
        throw InputError(text("samples: found ", data.inputs(i, j), " in feature ", j, " of sample ", i,
                              ", expected a number of size ", largest_input, " at most"));
  if (data.is_regression()) {
    if (data.targets.cols() != outputs)
      throw InputError(text("model and samples: the network has ", outputs, " outputs but samples have ",
                            data.targets.cols(), " targets; they must be as many"));
    return;
  }
  const std::int32_t largest = *std::ranges::max_element(data.labels);
  if (largest >= std::max<Index>(outputs, 2))
    throw InputError(text("model and samples: the network has ", outputs, " outputs but there is a label ", largest));
}

}  // namespace normalign
