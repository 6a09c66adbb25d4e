#include "experiments/tabular/sweep.hpp"

#include <algorithm>
#include <map>

#include "base/nearest_name.hpp"
#include "experiments/runs/environment.hpp"
#include "experiments/runs/kept_run.hpp"
#include "linalg/row_blocks.hpp"
#include "linalg/safetensors.hpp"

namespace normalign {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

std::vector<TableFacts> chosen_tables(const TabularRequest& request, std::ostream& out) {
  const std::vector<TableFacts> all = tables(request.source, &out);
  std::vector<TableFacts> result = request.datasets.empty() ? all : std::vector<TableFacts>();
  for (const std::string& name : request.datasets) {
    const auto found = std::ranges::find(all, name, &TableFacts::name);
    if (found == all.end()) {
      std::vector<std::string> names;
      for (const TableFacts& table : all) names.push_back(table.name);
      throw InputError(text("--dataset: found '", one_line(name), "', expected one of the ", all.size(),
                            " data sets there, such as ", nearest_name(name, names).value_or(names.front())));
    }
    result.push_back(*found);
  }
  for (TableFacts& table : result) table.file_hash = file_hash(request.source, table.name);
  return result;
}

}  // namespace

fs::path model_file(const TabularRun& run, const fs::path& folder) {
  return folder / (run_name(run.config) + ".safetensors");
}

bool is_done(const TabularRun& run, const fs::path& folder) {
  return is_finished(log_of(run.config, run.table, folder)) &&
         (!run.saves_model || fs::exists(model_file(run, folder)));
}

double tabular_cost(const TableFacts& table, const std::string& protocol) {
  const auto n = static_cast<double>(table.samples), d = static_cast<double>(table.features),
             c = static_cast<double>(outputs_of(table));
  // n³/3 for each of 25 fits on half of the rows and one on three quarters for each fold; n² for kernels, AGOPs and
  // twenty steps of three attacks. What a process takes to start is as much as the last term.
  const double selection = n * n * (n + 10 * c * d + 15 * d + 150);
  const double figures = n * n * (0.6 * n + 5 * c * d + 180 * (c + d) + 900);
  return (protocol == "nested" ? 2 : 1) * selection + figures + 2e8;
}

std::vector<TabularRun> tabular_runs(const TabularRequest& request, std::ostream& out) {
  std::vector<TabularRun> runs;
  std::map<std::string, int> count;
  const bool has_file = is_file(request.source);
  if (request.saves_models && !has_file)
    throw InputError("--save-model: found it without a file of one's own, expected none");
  std::vector<std::string> protocols = request.protocols;
  if (protocols.empty()) protocols = {has_file ? "nested" : "published"};
  for (const TableFacts& table : chosen_tables(request, out)) {
    if (table.samples > most_table_rows) {
      out << "tabular: " << table.name << " has " << table.samples << " rows, more than " << most_table_rows
          << ": left out" << std::endl;
      continue;
    }
    for (const std::string& protocol : protocols)
      for (const double alpha : request.alphas)
        for (const std::int64_t seed : request.seeds) {
          TabularRun run{.config = request.config,
                         .table = table,
                         .cost = tabular_cost(table, protocol),
                         .saves_model = request.saves_models};
          run.config.dataset = table.name;
          run.config.alpha = alpha;
          run.config.protocol = protocol;
          run.config.seed = seed;
          check(run.config);
          const std::string name = run_name(run.config);
          if (++count[name] > 1) throw InputError(text("runs: found two named ", name, ", expected one"));
          runs.push_back(std::move(run));
        }
  }
  std::ranges::stable_sort(runs, std::greater(), &TabularRun::cost);
  return runs;
}

// Trains the run and writes its log to `file`.
static TabularLog trained(const TabularRun& run, const TabularData& data, const fs::path& file,
                          const RidgeOptions& ridge, const TabularProgress& progress) {
  const Dataset<double>& samples = data.samples;
  if (samples.inputs.rows() > most_table_rows)
    throw InputError(
        text(run.config.dataset, ": found ", samples.inputs.rows(), " rows, expected at most ", most_table_rows));
  TableFacts facts = run.table;  // whose sizes may not have been known
  facts.samples = samples.inputs.rows();
  facts.features = samples.inputs.cols();
  facts.classes = samples.classes;
  TabularLog log = new_log(run.config, facts, environment(ridge.threads));
  write_log(file, log);
  try {
    const ThreadLimit limit(ridge.threads);
    log.result = tabular_run(run.config, data, ridge, progress);
    log.status = RunStatus::finished;
    write_log(file, log);
  } catch (const std::exception& error) {
    log.result = {};  // a figure that is not finite could not be written
    log.status = RunStatus::failed;
    log.failure = error.what();
    write_log(file, log);
    throw;
  }
  return log;
}

TabularLog tabular_sweep_run(const TabularRun& run, const TabularSource& source, const fs::path& folder,
                             const RidgeOptions& ridge, const TabularProgress& progress) {
  const RunPlace place{folder, run_name(run.config)};
  const auto known = [&] { return log_of(run.config, run.table, folder); };
  return log_of_done_run(
      place, 5s, [&] { return is_done(run, folder) ? known() : std::nullopt; },
      [&] {
        const TabularData data = table(source, run.config.dataset, run.config.seed);
        const std::optional<TabularLog> before = known();
        const fs::path model = model_file(run, folder);
        if (!is_finished(before)) fs::remove(model);  // it may be that of another table
        TabularLog log = is_finished(before) ? *before : trained(run, data, place.log(), ridge, progress);
        if (run.saves_model) {
          const ThreadLimit limit(ridge.threads);
          write_safetensors(model, tabular_model(run.config, data, ridge, progress));
        }
        return log;
      });
}

JobQueueResult run_tabular_sweep(const std::vector<TabularRun>& runs, JobQueueOptions options, std::ostream& out) {
  options.title = "tabular";
  return run_kept(
      runs, options, out, [](const TabularRun& run) { return Job{.name = run_name(run.config), .cost = run.cost}; },
      [&](const TabularRun& run) {
        std::optional<TabularLog> log = log_of(run.config, run.table, options.folder);
        if (is_finished(log) && !is_done(run, options.folder)) log->status = RunStatus::running;
        return log;
      },
      [&](const TabularRun& run) -> std::optional<TabularLog> {
        const fs::path file = RunPlace{options.folder, run_name(run.config)}.log();
        if (fs::exists(file) && read_tabular_log(file).status == RunStatus::finished) return std::nullopt;
        return new_log(run.config, run.table, nlohmann::ordered_json::object());
      });
}

}  // namespace normalign
