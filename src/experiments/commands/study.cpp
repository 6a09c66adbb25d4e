#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "experiments/commands/commands.hpp"
#include "experiments/sparsity.hpp"
#include "experiments/sparsity_report.hpp"
#include "experiments/text_file.hpp"

namespace normalign::commands {
namespace {

namespace fs = std::filesystem;

struct StudyArguments {
  std::string name, out;
  SparsityOptions options;
  int threads = 0;
};

// Table and picture are written anew for each n, so that a study that is stopped leaves what it has.
bool write_study(const fs::path& folder, const std::vector<SparsityRow>& rows) {
  write_text_file(folder / "sparsity.txt", as_text(rows));
  write_text_file(folder / "sparsity.json", as_json(rows).dump(2) + "\n");
  write_text_file(folder / "sparsity.csv", as_csv(rows));
  return write_figure(folder, figure_of(rows));
}

int study(StudyArguments a) {
  if (a.name != "sparsity") throw InputError(text("study: found '", one_line(a.name), "', expected sparsity"));
  a.options.threads = a.threads ? a.threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  check(a.options);
  if (!a.out.empty()) make_folder(a.out);

  std::vector<SparsityRow> rows;
  std::size_t printed = 0;
  bool is_drawn = true;
  sparsity_study(a.options, [&](const SparsityRow& row) {
    rows.push_back(row);
    if (rows.size() % (2 * a.options.seeds.size()) != 0) return;
    const std::string table = table_of(rows);
    std::cout << table.substr(printed) << std::flush;
    printed = table.size();
    std::cerr << "n = " << row.samples << " done, up to " << (Index{1} << a.options.to) << '\n';
    if (!a.out.empty()) is_drawn = write_study(a.out, rows);
  });
  std::cout << as_text(rows).substr(printed);
  if (!is_drawn)
    std::cout << "no gnuplot in PATH: data and script alone were written; with it, gnuplot sparsity.gp draws them\n";
  return 0;
}

}  // namespace

Command add_study(CLI::App& app) {
  const auto arguments = std::make_shared<StudyArguments>();
  StudyArguments& a = *arguments;
  CLI::App* command = app.add_subcommand(
      "study", "Sparse against dense data: a network and a Recursive Feature Machine as samples fill a torus in R^64");
  command->add_option("name", a.name, "sparsity")->required()->type_name("NAME");
  command->add_option("--from", a.options.from, "The smallest n is 2^FROM (default 4)");
  command->add_option("--to", a.options.to, "The largest n is 2^TO (default 13)");
  command->add_option("--seeds", a.options.seeds, "Seeds of data and network (default 0 1 2)");
  command->add_option("--loss", a.options.loss, "The network is trained to this training loss (default 0.001)");
  command->add_option("--steps", a.options.most_steps, "in at most so many steps (default 20000)");
  command->add_option("--threads", a.threads, "Threads; results do not depend on it (default: all cores)");
  command->add_option("--out", a.out, "Folder for sparsity.txt, .json, .csv and the picture")->type_name("DIR");
  return [arguments] { return study(*arguments); };
}

}  // namespace normalign::commands
