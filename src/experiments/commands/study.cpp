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
#include "experiments/studies/rfm_grokking.hpp"
#include "experiments/studies/rfm_grokking_report.hpp"
#include "experiments/studies/sparsity.hpp"
#include "experiments/studies/sparsity_report.hpp"

namespace normalign::commands {
namespace {

namespace fs = std::filesystem;

constexpr const char *sparsity_name = "sparsity", *grokking_name = "rfm_grokking";

struct StudyArguments {
  std::string name, out;
  SparsityOptions options;
  RfmGrokkingOptions grokking;
  std::string kernel;
  bool leaves_mean = false;
  std::vector<std::int64_t> seeds = {0, 1, 2};
  std::optional<int> threads;
  bool wide = false;
};

using Json = nlohmann::ordered_json;

void say_undrawn(const std::string& name) {
  std::cout << "no gnuplot in PATH: data and script alone were written; with it, gnuplot " << name
            << ".gp draws them\n";
}

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

int sparsity(StudyArguments a) {
  a.options.threads = thread_count(a.threads);
  a.options.seeds = a.seeds;
  check(a.options);
  if (!a.out.empty()) make_folder(a.out);

  const std::size_t of_size = 2 * a.options.seeds.size();  // so many rows
  std::vector<SparsityRow> rows = a.out.empty() ? std::vector<SparsityRow>{} : rows_there(a.out, a.options);
  SparsityOptions left = a.options;
  left.from += static_cast<Index>(rows.size() / of_size);
  if (!rows.empty()) std::cerr << "study: up to n = " << rows.back().samples << " it is there already\n";
  bool is_drawn = true;
  const Interrupt interrupt;
  left.stop = [&] { return interrupt.signal() != 0; };
  StatusLine status(std::cerr, isatty(STDERR_FILENO));
  const auto progress = [&](const SparsityRow& row) {
    rows.push_back(row);
    status.show(
        text("n = ", row.samples, ": ", row.model, ", seed ", row.seed, " done, up to n = ", Index{1} << a.options.to));
    if (rows.size() % of_size == 0) {
      status.clear();
      std::cerr << "n = " << row.samples << " done, up to " << (Index{1} << a.options.to) << '\n';
      if (!a.out.empty()) is_drawn = write_study(a.out, rows, a.options);
    }
    return true;
  };
  try {
    if (left.from <= left.to) sparsity_study(left, progress);
  } catch (const Stopped&) {
    status.clear();
    rows.resize(rows.size() / of_size * of_size);
    if (!rows.empty()) print(tables(rows), a.wide);
    std::cerr << "normalign: study: stopped by signal " << interrupt.signal() << "; "
              << (a.out.empty() ? "with --out the same command would go on\n"
                                : "the same command goes on after the last n in " + a.out + "\n");
    return 128 + interrupt.signal();
  }
  status.clear();
  print(tables(rows), a.wide);
  if (!is_drawn) say_undrawn(sparsity_name);
  return 0;
}

// What decides the rows.
Json as_json(const RfmGrokkingOptions& o) {
  return {{"seeds", o.seeds},
          {"kernel", name_of(o.kernel.shape)},
          {"bandwidth", o.kernel.bandwidth},
          {"regularisation", o.regularisation},
          {"updates", o.updates},
          {"centres_gradients", o.centres_gradients},
          {"power", o.power},
          {"geometry_samples", o.geometry_samples},
          {"version", NORMALIGN_VERSION}};
}

bool write_study(const fs::path& folder, const RfmGrokking& found) {
  Json json = as_json(found);
  json["options"] = as_json(found.options);
  const TableSet table = tables(found);
  write_text_file(folder / "rfm_grokking.txt", as_text(table));
  write_json_file(folder / "rfm_grokking.json", kind::rfm_grokking, json);
  write_text_file(folder / "rfm_grokking.csv", as_csv(table));
  write_text_file(folder / "rfm_grokking.tex", as_latex({.tables = {grokking_table(found)}}));
  return write_figure(folder, figure_of(chart_of(found)));
}

int rfm_grokking(StudyArguments a) {
  RfmGrokkingOptions& options = a.grokking;
  options.threads = thread_count(a.threads);
  options.seeds = a.seeds;
  if (!a.kernel.empty()) options.kernel.shape = kernel_shape(a.kernel);
  options.centres_gradients = !a.leaves_mean;
  check(options);
  if (!a.out.empty()) make_folder(a.out);
  const Interrupt interrupt;
  options.stop = [&] { return interrupt.signal() != 0; };
  StatusLine status(std::cerr, isatty(STDERR_FILENO));
  RfmGrokking found{.options = options};
  const auto progress = [&](const RfmGrokkingRow& row) {
    found.rows.push_back(row);
    status.show(text(row.model, ", seed ", row.seed, ": ", row.updates, " of ", options.updates,
                     " updates, test accuracy ", four_digits(row.test.accuracy), " %"));
    if (row.updates == options.updates) {
      status.clear();
      std::cerr << row.model << ", seed " << row.seed << " done: test accuracy " << four_digits(row.test.accuracy)
                << " %\n";
    }
    return true;
  };
  try {
    rfm_grokking_study(options, progress);
  } catch (const Stopped&) {
    status.clear();
    if (!found.rows.empty()) print(tables(found), a.wide);
    std::cerr << "normalign: study: stopped by signal " << interrupt.signal() << "; the same command begins anew\n";
    return 128 + interrupt.signal();
  }
  status.clear();
  const bool is_drawn = a.out.empty() || write_study(a.out, found);
  print(tables(found), a.wide);
  if (!is_drawn) say_undrawn(grokking_name);
  return 0;
}

// The options of a study are listed in a group of its name; those of another one would change nothing.
void refuse_options_of_others(const CLI::App& command, const std::string& name) {
  for (const CLI::Option* option : command.get_options())
    for (const char* other : {sparsity_name, grokking_name})
      if (option->count() > 0 && option->get_group() == other && name != other)
        throw InputError(
            text(option->get_name(), ": found study ", name, ", which does not read it, expected study ", other));
}

void add_sparsity_options(CLI::App& command, SparsityOptions& options) {
  const auto add_option = [&](const char* name, auto& value, const char* help) {
    command.add_option(name, value, help)->group(sparsity_name);
  };
  add_option("--from", options.from, "The smallest n is 2^FROM (default 4)");
  add_option("--to", options.to, "The largest n is 2^TO (default 13)");
  add_option("--loss", options.loss, "Training loss that the network is trained to, nats (default 0.001)");
  add_option("--steps", options.most_steps, "Steps of that training at most (default 20000)");
}

void add_grokking_options(CLI::App& command, StudyArguments& a) {
  RfmGrokkingOptions& options = a.grokking;
  const auto add_option = [&](const char* name, auto& value, const char* help) {
    return command.add_option(name, value, help)->group(grokking_name);
  };
  add_option("--modulus", options.modulus, "p of (a + b) mod p (default 61)");
  add_option("--train-fraction", options.train_fraction, "Share of the p^2 pairs for training (default 0.5)");
  add_option("--kernel", a.kernel, "laplace, gaussian or generalised_laplace (default gaussian)")->type_name("NAME");
  add_option("--bandwidth", options.kernel.bandwidth, "L of the kernel (default 5)");
  add_option("--regularisation", options.regularisation, "Ridge (default 1e-8)");
  add_option("--updates", options.updates, "Updates of the metric (default 20)");
  add_option("--power", options.power, "Power of the average gradient outer product (default 0.5)");
  command
      .add_flag("--leave-mean", a.leaves_mean, "Take that product of gradients from which their mean is not subtracted")
      ->group(grokking_name);
  add_option("--criterion", options.criterion, "Test accuracy above which it has grokked, per cent (default 90)");
  add_option("--geometry-samples", options.geometry_samples,
             "Alignment at the first so many training and test pairs; 0: none (default 64)");
}

}  // namespace

Command add_study(CLI::App& app) {
  const auto arguments = std::make_shared<StudyArguments>();
  StudyArguments& a = *arguments;
  CLI::App* command = app.add_subcommand("study", "Questions that need many models at a time: sparsity, rfm_grokking");
  command->footer(
      "sparsity: sparse against dense data, a network and a Recursive Feature Machine as samples fill a torus in "
      "R^64.\n"
      "rfm_grokking: machines started from the identity and from the covariance learn modular addition, update by "
      "update.\n"
      "Ctrl-C ends a study; sparsity with --out goes on after the last n that is there when the same\n"
      "command is given again.");
  add(*command, "name", a.name, "sparsity or rfm_grokking", "NAME");
  command->add_option("--seeds", a.seeds, "Seeds of data, and of the network (default 0 1 2)");
  command->add_option("--threads", a.threads, "Threads; results do not depend on it (default: all cores it may use)");
  add(*command, "--out", a.out, "Folder for NAME.txt, .json, .csv and the picture (default: none)", "DIR");
  add_wide_option(*command, a.wide);
  add_sparsity_options(*command, a.options);
  add_grokking_options(*command, a);
  return [arguments, command] {
    const std::pair<const char*, int (*)(StudyArguments)> studies[] = {{sparsity_name, sparsity},
                                                                       {grokking_name, rfm_grokking}};
    const auto& [name, run] =
        named("study", arguments->name, studies, &std::pair<const char*, int (*)(StudyArguments)>::first);
    refuse_options_of_others(*command, name);
    return run(*arguments);
  };
}

}  // namespace normalign::commands
