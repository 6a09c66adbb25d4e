#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "base/nearest_name.hpp"
#include "experiments/commands/commands.hpp"
#include "experiments/figures/text_file.hpp"
#include "experiments/runs/interrupt.hpp"
#include "experiments/runs/json_kind.hpp"
#include "experiments/runs/log_json.hpp"
#include "experiments/runs/settings.hpp"
#include "experiments/runs/status_line.hpp"
#include "experiments/studies/sparsity.hpp"
#include "experiments/studies/sparsity_report.hpp"

namespace normalign::commands {
namespace {

namespace fs = std::filesystem;

struct StudyArguments {
  std::string name, out;
  SparsityOptions options;
  std::optional<int> threads;
  bool wide = false;
};

using Json = nlohmann::ordered_json;

// What decides a row.
Json as_json(const SparsityOptions& o) {
  return {{"seeds", o.seeds}, {"loss", o.loss}, {"steps", o.most_steps}, {"version", NORMALIGN_VERSION}};
}

// Table and picture are written anew for each n, so that a study that is stopped leaves what it has.
bool write_study(const fs::path& folder, const std::vector<SparsityRow>& rows, const SparsityOptions& options) {
  Json json = as_json(rows);
  json["options"] = as_json(options);
  const TableSet table = tables(rows);
  write_text_file(folder / "sparsity.txt", as_text(table));
  write_json_file(folder / "sparsity.json", kind::sparsity, json);
  write_text_file(folder / "sparsity.csv", as_csv(table));
  return write_figure(folder, figure_of(chart_of(rows)));
}

// The rows of the first sizes that a study with these options has left in the folder, each size with all its rows. A
// damaged file is told of and has none; one of other options is refused.
std::vector<SparsityRow> rows_there(const fs::path& folder, const SparsityOptions& options) {
  const fs::path file = folder / "sparsity.json";
  if (!fs::exists(file)) return {};
  std::vector<SparsityRow> rows;
  std::optional<std::string> difference;
  try {
    const Json json = log_json::parsed_file(file);
    if (!json.contains("options")) return {};
    difference = settings::difference(json["options"], as_json(options), Json::object());
    if (!difference) rows = rows_in(json);
  } catch (const std::exception& error) {
    const std::string what = error.what(), name = file.string() + ": ";
    std::cerr << "normalign: " << (what.starts_with(name) ? "" : name) << what
              << "; not as study writes it, which begins anew\n";
    return {};
  }
  if (difference)
    throw InputError(text(file.string(), ": another study is there: ", *difference,
                          "; another --out, or these files out of the way"));
  std::size_t complete = 0;
  for (Index e = options.from; e <= options.to; ++e) {
    const std::size_t next = complete + 2 * options.seeds.size();
    if (next > rows.size()) break;
    const auto of_size = std::span(rows).subspan(complete, next - complete);
    if (!std::ranges::all_of(of_size, [&](const SparsityRow& row) { return row.samples == Index{1} << e; })) break;
    complete = next;
  }
  rows.resize(complete);
  return rows;
}

int study(StudyArguments a) {
  if (a.name != "sparsity")
    throw InputError(
        text("study: found '", one_line(a.name), "', expected sparsity", did_you_mean(a.name, {"sparsity"})));
  a.options.threads = thread_count(a.threads);
  check(a.options);
  if (!a.out.empty()) make_folder(a.out);

  const std::size_t of_size = 2 * a.options.seeds.size();  // so many rows
  std::vector<SparsityRow> rows = a.out.empty() ? std::vector<SparsityRow>{} : rows_there(a.out, a.options);
  SparsityOptions left = a.options;
  left.from += static_cast<Index>(rows.size() / of_size);
  if (!rows.empty()) std::cerr << "study: up to n = " << rows.back().samples << " it is there already\n";
  bool is_drawn = true;
  const Interrupt interrupt;
  StatusLine status(std::cerr, isatty(STDERR_FILENO));
  if (left.from <= left.to)
    sparsity_study(left, [&](const SparsityRow& row) {
      rows.push_back(row);
      status.show(text("n = ", row.samples, ": ", row.model, ", seed ", row.seed,
                       " done, up to n = ", Index{1} << a.options.to));
      if (rows.size() % of_size == 0) {
        status.clear();
        std::cerr << "n = " << row.samples << " done, up to " << (Index{1} << a.options.to) << '\n';
        if (!a.out.empty()) is_drawn = write_study(a.out, rows, a.options);
      }
      return interrupt.signal() == 0;
    });
  status.clear();
  if (interrupt.signal()) {
    rows.resize(rows.size() / of_size * of_size);
    if (!rows.empty()) print(tables(rows), a.wide);
    std::cerr << "normalign: study: stopped by signal " << interrupt.signal() << "; "
              << (a.out.empty() ? "with --out the same command would go on\n"
                                : "the same command goes on after the last n in " + a.out + "\n");
    return 128 + interrupt.signal();
  }
  print(tables(rows), a.wide);
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
  command->footer(
      "Ctrl-C ends the study between two fits; with --out the same command goes on after the last n that is there.");
  add(*command, "name", a.name, "sparsity", "NAME");
  command->add_option("--from", a.options.from, "The smallest n is 2^FROM (default 4)");
  command->add_option("--to", a.options.to, "The largest n is 2^TO (default 13)");
  command->add_option("--seeds", a.options.seeds, "Seeds of data and network (default 0 1 2)");
  command->add_option("--loss", a.options.loss, "Training loss that the network is trained to, nats (default 0.001)");
  command->add_option("--steps", a.options.most_steps, "Steps of that training at most (default 20000)");
  command->add_option("--threads", a.threads, "Threads; results do not depend on it (default: all cores it may use)");
  add(*command, "--out", a.out, "Folder for sparsity.txt, .json, .csv and the picture (default: none)", "DIR");
  add_wide_option(*command, a.wide);
  return [arguments] { return study(*arguments); };
}

}  // namespace normalign::commands
