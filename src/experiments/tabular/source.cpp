#include "experiments/tabular/source.hpp"

#include <cmath>
#include <ostream>

#include "base/content_hash.hpp"
#include "data/folds.hpp"
#include "data/multi_index.hpp"
#include "data/tables/column_scales.hpp"
#include "data/uci.hpp"

namespace normalign {
namespace {

namespace fs = std::filesystem;

constexpr const char* synthetic_name = "multi_index";
constexpr Index fold_count = 4;  // as the collection has them

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool is_standardised(const TabularSource& source) { return source.standardise.value_or(is_file(source)); }

// Gives the table random splits.
TabularData divided(TabularData table, std::int64_t seed) {
  const auto key = static_cast<std::uint64_t>(seed);
  table.selection = stratified_halves(table.samples, key);
  table.folds = stratified_folds(table.samples, fold_count, key);
  return table;
}

LabelledTable file_table(const TabularSource& source) {
  LabelledTable result = labelled_table(source.path, source.table);
  if (!result.data.is_regression() && result.data.classes < 2)
    throw InputError(text(source.path.string(), ": found one class in column ", one_line(result.encoding.label),
                          ", expected two or more"));
  if (is_standardised(source))
    result.encoding.features.scales = column_scales(result.data.inputs);
  else
    check_magnitudes(source.path.string(), result.encoding.features.names(), result.data.inputs, source.precision);
  return result;
}

TabularData uci_table(const TabularSource& source, const std::string& name) {
  UciDataset set = uci_dataset(source.path / name);
  std::vector<std::string> features;
  for (Index j = 1; j <= set.data.inputs.cols(); ++j) features.push_back(text("feature ", j));
  if (!is_standardised(source))
    check_magnitudes((source.path / name).string(), features, set.data.inputs, source.precision);
  return {.name = name,
          .samples = std::move(set.data),
          .selection = std::move(set.selection),
          .folds = std::move(set.folds)};
}

TabularData unscaled_table(const TabularSource& source, const std::string& name, std::int64_t seed) {
  if (source.path.empty()) return divided({.name = name, .samples = multi_index<double>().data}, seed);
  if (is_folder(source.path)) return uci_table(source, name);
  LabelledTable set = file_table(source);
  if (set.data.inputs.rows() < fold_count)
    throw InputError(text(source.path.string(), ": found ", set.data.inputs.rows(), " rows, expected at least ",
                          fold_count, ", one for each fold"));
  return divided({.name = name, .samples = std::move(set.data), .encoding = std::move(set.encoding)}, seed);
}

// Names the option of a file that is there without one; empty where there is none.
std::string file_option(const TabularSource& source) {
  if (!source.table.label.empty()) return text("--label: found '", one_line(source.table.label), '\'');
  const auto given = given_option(source.table);
  return given ? given->name + ": found " + given->value : "";
}

}  // namespace

bool is_file(const TabularSource& source) { return !source.path.empty() && !is_folder(source.path); }

std::vector<TableFacts> tables(const TabularSource& source, std::ostream* notes) {
  const bool has_file = is_file(source);
  if (has_file && !fs::exists(source.path))
    throw InputError(text(source.path.string(), ": found nothing, expected a folder of data sets or a CSV file"));
  if (has_file && source.table.label.empty() && source.table.labels.empty() && !source.table.regression)
    throw InputError(text(source.path.string(),
                          ": found neither --label nor --target, expected the column of the "
                          "classes or of the numbers to predict"));
  if (const std::string option = file_option(source); !has_file && !option.empty())
    throw InputError(text(option, " without a CSV file, expected none"));
  if (source.path.empty()) return {{.name = synthetic_name, .standardised = is_standardised(source)}};
  if (has_file) {
    const LabelledTable set = file_table(source);
    if (notes) *notes << set.reading << std::endl;
    return {{.name = source.path.stem().string(),
             .samples = set.data.inputs.rows(),
             .features = set.data.inputs.cols(),
             .classes = set.data.classes,
             .targets = set.encoding.targets,
             .standardised = is_standardised(source),
             .label = source.table.label,
             .feature_names = set.encoding.features.names(),
             .missing = source.table.features.missing == MissingValues::refuse
                            ? ""
                            : std::string(name(source.table.features.missing))}};
  }
  std::vector<TableFacts> result;
  for (const std::string& name : uci_names(source.path)) {
    TableFacts facts{.name = name};
    try {
      const UciSize size = uci_size(source.path / name);
      facts = {.name = name, .samples = size.rows, .features = size.features, .classes = size.classes};
    } catch (const InputError&) {
      // Its run says what is wrong; the others go on.
    }
    facts.standardised = is_standardised(source);
    result.push_back(facts);
  }
  if (result.empty())
    throw InputError(text(source.path.string(), ": found no data set, expected folders NAME that hold NAME.txt"));
  return result;
}

std::string file_hash(const TabularSource& source, const std::string& name) {
  if (source.path.empty()) return "";
  try {
    if (is_folder(source.path)) return content_hash(uci_files(source.path / name));
    std::vector<fs::path> files{source.path};
    if (!source.table.labels.empty()) files.push_back(source.table.labels);
    return content_hash(files);
  } catch (const InputError&) {
    return "";  // its run says what is wrong
  }
}

TabularData table(const TabularSource& source, const std::string& name, std::int64_t seed) {
  TabularData result = unscaled_table(source, name, seed);
  if (is_standardised(source)) standardise(result.samples.inputs);
  return result;
}

void check_magnitudes(const std::string& table, const std::vector<std::string>& names, const Matrix<double>& features,
                      const std::string& precision) {
  // Distances are sums of d products of two differences and an entry of the metric, which is at most d; covariances are
  // sums of n products. With 1e5 of either that stays below 1e308, in float 1e38.
  const double most = precision == "float32" ? 1e15 : 1e140;
  for (Index j = 0; j < features.cols(); ++j)
    for (Index i = 0; i < features.rows(); ++i)
      if (std::abs(features(i, j)) > most)
        throw InputError(text(table, ": ", names[static_cast<std::size_t>(j)], ": found ", features(i, j),
                              ", expected at most ", most, " in magnitude in ", precision,
                              ", since products are summed (--standardise scales the columns)"));
}

}  // namespace normalign
