#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "data/uci.hpp"
#include "experiments/commands/commands.hpp"
#include "experiments/table.hpp"

namespace normalign::commands {
namespace {

int list_datasets(const std::string& folder) {
  const std::vector<std::string> names = uci_names(folder);
  if (names.empty()) throw InputError(text(folder, ": found no data set, expected folders NAME that hold NAME.txt"));
  std::vector<Cells> rows{{"data set", "rows", "features", "classes", "rows of the test file"}};
  for (const std::string& name : names) {
    const UciDataset set = uci_dataset(std::filesystem::path(folder) / name);
    rows.push_back({name, text(set.data.inputs.rows()), text(set.data.inputs.cols()), text(set.data.classes),
                    set.test_file ? text(set.test_file->inputs.rows()) : "-"});
  }
  std::cout << aligned_text(rows);
  return 0;
}

}  // namespace

Command add_datasets(CLI::App& app) {
  const auto folder = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("datasets", "Check every file of the UCI collection in a folder, and list its data sets");
  command->add_option("DIR", *folder, "Holds a folder NAME with NAME.txt for each data set")->required();
  return [folder] { return list_datasets(*folder); };
}

}  // namespace normalign::commands
