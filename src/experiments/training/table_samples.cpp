#include "experiments/training/table_samples.hpp"

#include "data/folds.hpp"

namespace normalign {
namespace {

TableOptions options_of(const RunConfig& config) {
  const auto index = [&] {
    if (config.index_column == "drop") return IndexColumn::drop;
    return config.index_column == "keep" ? IndexColumn::keep : IndexColumn::refuse;
  };
  TableOptions options{.label = config.target, .index_column = index(), .insist_on_classes = config.insist_on_classes};
  if (config.header != "guess") options.header = config.header == "yes";
  options.features = {.columns = config.columns,
                      .drop = config.drop,
                      .categories = config.categories,
                      .missing = missing_values("missing", config.missing),
                      .standardise = config.standardise};
  options.labels = config.labels;
  return options;
}

std::vector<Index> at(const std::vector<Index>& rows, const std::vector<Index>& positions) {
  std::vector<Index> result;
  for (const Index position : positions) result.push_back(rows[static_cast<std::size_t>(position)]);
  return result;
}

Dataset<double> samples_of(const TableEncoding& encoding, const DataTable& table, std::size_t label,
                           std::span<const Index> rows) {
  return {encoded(encoding.features, table, rows), labels_among(encoding.class_names, table, label, rows),
          static_cast<Index>(encoding.class_names.size())};
}

}  // namespace

TableSamples table_samples(const RunConfig& config) {
  if (config.data.empty()) throw InputError("data: found no file, expected a table (normalign train table FILE)");
  const TableOptions options = options_of(config);
  const auto [table, label] = table_with_labels(config.data, options);
  TableSamples result;
  TableEncoding& encoding = result.encoding;
  encoding.features = feature_encoding(table, {&label, 1}, options.features);
  const std::vector<Index> rows = labelled_rows(encoding.features, table, label);
  const ClassLabels labels = class_labels(table, label, rows, options);
  encoding.class_names = labels.names;
  encoding.label = table.columns[label].name.empty() ? text(table.columns[label].place) : table.columns[label].name;
  const auto classes = static_cast<Index>(labels.names.size());
  if (classes < 2) table.refuse(table.columns[label].called(), ": found one class, expected two or more");
  Fold fold{.train = rows, .test = {}};
  if (config.test_data.empty()) {
    if (config.fold >= config.folds)
      throw InputError(
          text("fold: found ", config.fold, ", expected 0 to ", config.folds - 1, ", as folds is ", config.folds));
    const auto folds = stratified_folds(labels.labels, classes, config.folds, static_cast<std::uint64_t>(config.seed));
    const Fold& places = folds[static_cast<std::size_t>(config.fold)];
    fold = {at(rows, places.train), at(rows, places.test)};
  }
  settle(encoding.features, table, fold.train, options.features.standardise);
  result.split.train = samples_of(encoding, table, label, fold.train);
  result.reading = reading_of(table, encoding, label, static_cast<Index>(rows.size()), options.label);
  if (config.test_data.empty()) {
    result.split.test = samples_of(encoding, table, label, fold.test);
    return result;
  }
  TableOptions of_test = options;
  of_test.labels = config.test_labels;
  result.split.test = labelled_table(config.test_data, of_test, encoding).data;
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
