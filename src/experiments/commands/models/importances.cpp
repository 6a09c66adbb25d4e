#include <memory>
#include <nlohmann/json.hpp>

#include "experiments/commands/commands.hpp"
#include "experiments/runs/json_kind.hpp"
#include "experiments/studies/importances.hpp"

namespace normalign::commands {
namespace {

struct ImportancesArguments {
  std::string model, json, picture;
  std::int64_t top = 20, directions = 3;
  std::optional<int> threads;
  bool wide = false;
};

int importances(const ImportancesArguments& a) {
  check_whole("--top", a.top, 1, 1'000'000);
  check_whole("--directions", a.directions, 0, 1'000'000);
  const int threads = thread_count(a.threads);
  const TensorFile file = read_safetensors(a.model);
  const Importances found = within(a.model + ": ", [&] { return normalign::importances(file, a.directions, threads); });
  if (!a.json.empty()) write_json_file(a.json, kind::importances, as_json(found));
  if (!a.picture.empty())
    draw_importances(a.picture, found, a.top, std::filesystem::path(a.model).stem().string() + ": squared slopes");
  print(tables(found, a.top), a.wide);
  return 0;
}

}  // namespace

Command add_importances(CLI::App& app) {
  const auto arguments = std::make_shared<ImportancesArguments>();
  ImportancesArguments& a = *arguments;
  CLI::App* command = app.add_subcommand("importances", "Which features a kernel machine on a table looks at");
  add(*command, "model", a.model, "A machine of tabular --save-model", "MODEL.safetensors");
  command->add_option("--top", a.top, "The so many most important features (default 20)")->type_name("N");
  command->add_option("--directions", a.directions, "So many leading eigenvectors (default 3)")->type_name("N");
  command->add_option("--threads", a.threads, "Threads; results do not depend on it (default: all cores it may use)");
  add(*command, "--picture", a.picture, "Draw a bar chart, .svg or .png", "FILE");
  add(*command, "--json", a.json, "Write all features as JSON too", "FILE");
  add_wide_option(*command, a.wide);
  return [arguments] { return importances(*arguments); };
}

}  // namespace normalign::commands
