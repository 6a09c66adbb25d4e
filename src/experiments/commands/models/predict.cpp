#include <iostream>
#include <memory>

#include "base/number_text.hpp"
#include "experiments/commands/commands.hpp"
#include "experiments/figures/text_file.hpp"
#include "experiments/studies/predictions.hpp"

namespace normalign::commands {
namespace {

struct PredictArguments {
  ModelArguments model;
  std::string table, out;
  TableOptions options;
  std::optional<int> threads;
};

int predict(const PredictArguments& a) {
  const Predictions found = predictions(a.model.file, a.table, a.options, known_of(a.model), thread_count(a.threads));
  const std::string csv = as_csv(found);
  if (a.out.empty())
    std::cout << csv;
  else
    write_text_file(a.out, csv);
  const auto gaps = found.file_rows - static_cast<Index>(found.rows.size());
  std::cerr << a.table << ": " << found.rows.size() << (found.rows.size() == 1 ? " row" : " rows") << " predicted"
            << (gaps > 0 ? text(", ", gaps, " with missing values left empty") : "");
  if (found.score)
    std::cerr << (found.classes.empty() ? ", 100 R2 " : ", per cent right ") << formatted("%.2f", *found.score);
  if (!found.not_scored.empty()) std::cerr << ", its answers not compared: " << found.not_scored;
  std::cerr << '\n';
  return 0;
}

}  // namespace

Command add_predict(CLI::App& app) {
  const auto arguments = std::make_shared<PredictArguments>();
  PredictArguments& a = *arguments;
  CLI::App* command = app.add_subcommand("predict", "What a network or a kernel machine says of the rows of a table");
  command->footer(
      "The table is read as the one that the model was trained on: columns are found by name, categories and scales "
      "are\n"
      "the model's. It may have the column of the answers, which is then compared. A model that does not say how its\n"
      "table was read (PyTorch's) takes all columns, in their order.\n"
      "\n"
      "A line of CSV for each row: the class predicted, then the value of each class (the largest decides; of a "
      "single\n"
      "output the sign); or the value of each target in its own units.");
  add_model_options(*command, a.model,
                    "A network of train --save-model or PyTorch, or a machine of tabular --save-model");
  add(*command, "table", a.table, "A CSV, .npy, .npz or .safetensors file", "FILE");
  add(*command, "-o,--out", a.out, "Write to this file (default: standard output)", "FILE.csv");
  add_csv_options(*command, a.options, "Options");
  add_missing_option(*command, a.options, "Rows with missing values, in place of what the model says:", "Options");
  command->add_flag_callback(
      "--test", [&a] { a.options.part = ArrayPart::test; },
      "Of a file of arrays X_train and X_test the second ones (default: the first)");
  command->add_option("--threads", a.threads, "Threads; results do not depend on it (default: all cores it may use)");
  return [arguments] { return predict(*arguments); };
}

}  // namespace normalign::commands
