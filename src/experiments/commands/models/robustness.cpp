#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "experiments/commands/commands.hpp"
#include "experiments/figures/table_json.hpp"
#include "experiments/figures/text_file.hpp"
#include "experiments/runs/json_kind.hpp"
#include "experiments/studies/robustness_comparison.hpp"

namespace normalign::commands {
namespace {

namespace fs = std::filesystem;

struct RobustnessArguments {
  std::vector<std::string> files, names, measures{"class_alignment"};
  std::string out = ".", json;
  bool wide = false;
};

int robustness(const RobustnessArguments& a) {
  if (!a.names.empty() && a.names.size() != a.files.size())
    throw InputError(
        text("--name: found ", a.names.size(), " names, expected ", a.files.size(), ", one for each file"));
  std::vector<InspectedModel> models;
  for (std::size_t i = 0; i < a.files.size(); ++i)
    models.push_back(inspected_model(a.files[i], a.names.empty() ? fs::path(a.files[i]).stem().string() : a.names[i]));
  const TableSet table = robustness_table(models);
  std::vector<Figure> figures;
  for (const std::string& measure : a.measures) figures.push_back(figure_of(robustness_chart(models, measure)));

  make_folder(a.out);
  if (!a.json.empty()) write_json_file(a.json, kind::robustness, as_json(table));
  for (const Figure& figure : figures)
    if (!write_figure(a.out, figure))
      std::cerr << "no gnuplot in PATH: " << figure.name << ".dat and .gp alone were written; with it, gnuplot "
                << figure.name << ".gp draws them\n";
  print(table, a.wide);
  return 0;
}

}  // namespace

Command add_robustness(CLI::App& app) {
  const auto arguments = std::make_shared<RobustnessArguments>();
  RobustnessArguments& a = *arguments;
  CLI::App* command = app.add_subcommand(
      "robustness", "Certificates against alignment of inspected networks: a scatter and rank correlations");
  add(*command, "files", a.files, "What inspect --json wrote, one file for each network", "FILE.json");
  add(*command, "--name", a.names, "Names of the networks, one for each file (default: the files' names)", "NAME");
  add(*command, "--measure", a.measures,
      "What certificates are drawn against: centroid_alignment, class_alignment, normal_alignment or "
      "centred_normal_alignment, one picture each (default class_alignment)",
      "NAME");
  add(*command, "--out", a.out, "Folder for robustness_MEASURE.svg, .png, .dat and .gp (default: this one)", "DIR");
  add(*command, "--json", a.json, "Write the table as JSON too, with every digit", "FILE");
  add_wide_option(*command, a.wide);
  return [arguments] { return robustness(*arguments); };
}

}  // namespace normalign::commands
