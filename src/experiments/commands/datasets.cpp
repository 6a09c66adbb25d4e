#include <memory>
#include <nlohmann/json.hpp>

#include "data/uci.hpp"
#include "experiments/commands/commands.hpp"
#include "experiments/figures/table_json.hpp"
#include "experiments/figures/text_file.hpp"
#include "experiments/runs/json_kind.hpp"

namespace normalign::commands {
namespace {

int list_datasets(const std::string& folder, const std::string& json_file, bool wide) {
  const std::vector<std::string> names = uci_names(folder);
  if (names.empty()) throw InputError(text(folder, ": found no data set, expected folders NAME that hold NAME.txt"));
  Table table;
  for (const std::string& name : names) {
    const UciDataset set = uci_dataset(std::filesystem::path(folder) / name);
    table.add(
        {{{"dataset", "data set"}, name},
         {{"n", "rows"}, set.data.inputs.rows()},
         {{"features"}, set.data.inputs.cols()},
         {{"classes"}, set.data.classes},
         {{"test_file_n", "rows of the test file"}, set.test_file ? Cell(set.test_file->inputs.rows()) : Cell()}});
  }
  if (!json_file.empty()) write_json_file(json_file, kind::datasets, rows_json(table));
  print({.tables = {std::move(table)}}, wide);
  return 0;
}

}  // namespace

Command add_datasets(CLI::App& app) {
  const auto folder = std::make_shared<std::string>(), json = std::make_shared<std::string>();
  const auto wide = std::make_shared<bool>(false);
  CLI::App* command =
      app.add_subcommand("datasets", "Check every file of the UCI collection in a folder, and list its data sets");
  add(*command, "folder", *folder, "Holds a folder NAME with NAME.txt for each data set", "DIR");
  add(*command, "--json", *json, "Write the table as JSON too", "FILE");
  add_wide_option(*command, *wide);
  return [folder, json, wide] { return list_datasets(*folder, *json, *wide); };
}

}  // namespace normalign::commands
