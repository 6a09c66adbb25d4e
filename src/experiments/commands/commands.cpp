#include "experiments/commands/commands.hpp"

#include <cmath>
#include <iostream>

#include "base/error.hpp"
#include "data/tables/labelled_table.hpp"
#include "experiments/figures/table.hpp"
#include "experiments/runs/status_line.hpp"
#include "experiments/training/parts.hpp"

namespace normalign::commands {
namespace {

// Whether `found` is the first of the two words; throws where it is neither.
bool is_first(const char* option, const std::string& found, const char* first, const char* second) {
  if (found != first && found != second)
    throw InputError(text(option, ": found '", one_line(found), "', expected ", first, " or ", second));
  return found == first;
}

}  // namespace

void add_model_options(CLI::App& command, ModelArguments& model, const std::string& help) {
  add(command, "model", model.file, help, "MODEL.safetensors");
  command
      .add_option("--activation", model.activation,
                  "What stands between the layers, by our name or PyTorch's, where the file does not say it: " +
                      joined(activation_names(), ", "))
      ->type_name("NAME");
  command.add_option("--slope", model.slope, "leaky_relu's slope below 0, where the file does not say it");
}

MlpFileOptions known_of(const ModelArguments& model) {
  MlpFileOptions known{.slope = model.slope};
  if (model.slope && !(std::isfinite(*model.slope) && *model.slope >= 0))
    throw InputError(text("--slope: found ", *model.slope, ", expected a finite number from 0 on"));
  if (model.activation) {
    const NamedActivation named = within("--", [&] { return named_activation(*model.activation); });
    known.activation = named.activation;
    if (named.slope && model.slope.value_or(*named.slope) != *named.slope)
      throw InputError(text("--slope: found ", *model.slope, ", expected ", *named.slope, ", as in --activation"));
    if (named.slope) known.slope = named.slope;
  }
  return known;
}

Mlp<double> model_of(const ModelArguments& model) { return model_in<double>(model.file, known_of(model)); }

std::string no_further_argument(const std::string& word, bool takes_settings) {
  const bool is_setting = takes_settings && word.find('=') != word.npos;
  return text("found '", one_line(word), "', expected no further argument",
              is_setting ? "; did you mean --set " + word + '?' : "");
}

void add_wide_option(CLI::App& command, bool& wide) {
  command.add_flag("--wide", wide,
                   "Tables in lines as long as they need (default: parted to fit the terminal, or COLUMNS if set)");
}

void print(const TableSet& tables, bool wide) {
  std::cout << as_text(tables, wide ? full_width : output_columns().value_or(full_width));
}

void add_csv_options(CLI::App& command, TableOptions& options, const std::string& group) {
  command
      .add_option_function<std::string>(
          "--header",
          [&options](const std::string& found) { options.header = is_first("--header", found, "yes", "no"); },
          "Whether the first line of a CSV file names the columns: yes or no (default: guessed from what it holds)")
      ->type_name("WORD")
      ->group(group);
  command
      .add_option_function<std::string>(
          "--index-column",
          [&options](const std::string& found) {
            options.index_column =
                is_first("--index-column", found, "drop", "keep") ? IndexColumn::drop : IndexColumn::keep;
          },
          "drop: leave out the first column of a CSV file, keep: it is a feature (default: one that numbers or names "
          "the rows is refused)")
      ->type_name("WORD")
      ->group(group);
}

void add_missing_option(CLI::App& command, TableOptions& options, const std::string& help, const std::string& group) {
  command
      .add_option_function<std::string>(
          "--missing",
          [&options](const std::string& found) { options.features.missing = missing_values("--missing", found); },
          help + " drop, or impute (the mean, or the most frequent category)")
      ->type_name("WORD")
      ->group(group);
}

void add_table_options(CLI::App& command, TableOptions& options, const std::string& group) {
  add_csv_options(command, options, group);
  const auto add_columns = [&](const char* name, std::vector<std::string>& list, const char* help) {
    command.add_option(name, list, help)->type_name("COLUMN")->allow_extra_args(false)->group(group);
  };
  add_columns("--columns", options.features.columns, "Features: these columns alone, by name or place; again for more");
  add_columns("--drop", options.features.drop, "Leave these columns out; again for more");
  add_columns("--categories", options.features.categories,
              "These columns are categories even if they hold numbers or many texts (default: those of texts)");
  command.add_option("--labels", options.labels, "The labels are in this file, which has no other column")
      ->type_name("FILE")
      ->group(group);
  command
      .add_option_function<std::vector<std::string>>(
          "--target",
          [&options](const std::vector<std::string>& columns) {
            options.targets = columns;
            options.regression = true;
          },
          "Numbers of this column are predicted, not classes, by name or place; again for more")
      ->type_name("COLUMN")
      ->allow_extra_args(false)
      ->group(group);
  command
      .add_option_function<std::string>(
          "--targets",
          [&options](const std::string& file) {
            options.labels = file;
            options.regression = true;
          },
          "These numbers are all columns of this file")
      ->type_name("FILE")
      ->group(group);
  add_missing_option(command, options, "Rows with missing values: refuse (default),", group);
}

}  // namespace normalign::commands
