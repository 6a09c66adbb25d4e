#include "experiments/training/table_samples.hpp"

#include "data/folds.hpp"

namespace normalign {
namespace {

TableOptions options_of(const RunConfig& config) {
  const auto index = [&] {
    if (config.index_column == "drop") return IndexColumn::drop;
    return config.index_column == "keep" ? IndexColumn::keep : IndexColumn::refuse;
  };
  TableOptions options{.label = config.label_column,
                       .regression = config.regression,
                       .targets = config.targets,
                       .index_column = index(),
                       .insist_on_classes = config.insist_on_classes};
  if (config.header != "guess") options.header = config.header == "yes";
  options.features = {.columns = config.columns,
                      .drop = config.drop,
                      .categories = config.categories,
                      .missing = missing_values("missing", config.missing),
                      .standardise = config.standardise};
  options.labels = config.labels;
  return options;
}

// Whether the test rows are in the same file, as arrays of their own.
bool is_divided(const RunConfig& config) {
  std::error_code not_there;
  return !config.test_data.empty() && std::filesystem::equivalent(config.data, config.test_data, not_there) &&
         has_parts(config.data);
}

// The division of the samples that is asked for, by rows of the table.
Fold fold_of(const EncodableTable& table, const RunConfig& config) {
  const Index classes = table.encoding.is_regression() ? 1 : static_cast<Index>(table.encoding.class_names.size());
  const auto seed = static_cast<std::uint64_t>(config.seed);
  if (config.test_share > 0)
    return fold_of_rows(table.rows, stratified_share(table.classes, classes, config.test_share, seed));
  if (config.fold >= config.folds)
    throw InputError(
        text("fold: found ", config.fold, ", expected 0 to ", config.folds - 1, ", as folds is ", config.folds));
  const auto folds = stratified_folds(table.classes, classes, config.folds, seed);
  return fold_of_rows(table.rows, folds[static_cast<std::size_t>(config.fold)]);
}

}  // namespace

TableSamples table_samples(const RunConfig& config) {
  if (config.data.empty()) throw InputError("data: found no file, expected a table (normalign train table FILE)");
  if (config.label_column.empty() && config.labels.empty() && !config.regression)
    throw InputError(
        "label_column: found none, expected the column of the classes (--label), or numbers to predict "
        "(--target)");
  TableOptions options = options_of(config);
  const bool by_parts = is_divided(config);
  if (by_parts) options.part = ArrayPart::train;
  EncodableTable table = encodable_table(config.data, options);
  if (!config.regression && table.encoding.class_names.size() < 2)
    table.table.refuse(table.table.columns[table.labels.front()].called(), ": found one class, expected two or more");
  const bool has_test_file = !config.test_data.empty();
  const Fold fold = has_test_file ? Fold{.train = table.rows, .test = {}} : fold_of(table, config);
  settle(table, fold.train, options.features.standardise);
  TableSamples result{.encoding = table.encoding, .reading = reading_of(table, options.label)};
  result.split.train = samples_at(table, fold.train);
  if (has_test_file) {
    TableOptions of_test = options;
    of_test.labels = config.test_labels;
    if (by_parts) of_test.part = ArrayPart::test;
    result.split.test = labelled_table(config.test_data, of_test, table.encoding).data;
  } else {
    result.split.test = samples_at(table, fold.test);
  }
  return result;
}

std::vector<std::filesystem::path> table_files(const RunConfig& config) {
  std::vector<std::filesystem::path> files;
  const auto add = [&](const std::string& file) {
    if (!file.empty()) files.emplace_back(file);
  };
  add(config.data);
  add(config.labels);
  add(config.test_data);
  if (!config.test_data.empty()) add(config.test_labels);
  return files;
}

}  // namespace normalign
