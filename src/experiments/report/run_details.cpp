#include "experiments/report/run_details.hpp"

#include <algorithm>

#include "experiments/report/parts.hpp"

namespace normalign {
namespace {

using html::element;
using html::Markup;
using Json = nlohmann::ordered_json;

// One run: its line, and what opens beneath it.
struct Details {
  const std::filesystem::path& path;
  const std::string& name;
  RunStatus status;
  const std::string& failure;
  Markup line, content;
  Json config;
  const Json& environment;
};

Markup metrics_part(const RunLog& log, std::size_t most) {
  Json rows = Json::array();
  for (const std::size_t i : sampled(log.metrics.size(), most)) rows.push_back(row_json(log.metrics[i]));
  if (rows.empty()) return element("p", {{"class", "note"}}, "No epoch is logged yet.");
  Table table = table_of(rows, 0);
  if (rows.size() < log.metrics.size())
    table.notes.push_back(text(rows.size(), " of ", log.metrics.size(), " logged epochs"));
  return table_part(table);
}

std::string per_cent(double value) { return four_digits(value) + " %"; }

Details details_of(const Found<RunLog>& found, std::size_t most_rows) {
  const RunLog& log = found.content;
  Markup line;
  if (log.grokked) line += element("span", {}, "grokked at epoch ", text(*log.grokking_epoch));
  if (!log.metrics.empty()) {
    const MetricRow& last = log.metrics.back();
    line += element("span", {{"class", "soft"}}, "epoch ", text(last.epoch),
                    is_regression(log) ? ": R² train " : ": train ", per_cent(last.train_acc), ", test ",
                    per_cent(last.test_acc), ", ", four_digits(last.opt_time), " s");
  }
  return {found.path, log.run_name,   log.status, log.failure, line, metrics_part(log, most_rows),
          log.config, log.environment};
}

Markup folds_part(const TabularLog& log) {
  if (log.result.folds.empty()) return {};
  Json rows = Json::array();
  for (std::size_t i = 0; i < log.result.folds.size(); ++i) {
    const TabularFold& fold = log.result.folds[i];
    Json& row = rows.emplace_back(Json{{"fold", i + 1},
                                       {"train acc", fold.train_acc},
                                       {"test acc", fold.test_acc},
                                       {"regularisation", fold.selection.regularisation},
                                       {"updates", fold.selection.updates},
                                       {"validation acc", fold.selection.validation_acc}});
    for (std::size_t r = 0; r < fold.robust_acc.size(); ++r)
      row["robust acc " + four_digits(log.config.attack_radii[r])] = fold.robust_acc[r];
    for (const auto& [name, value] : {std::pair("normal alignment", fold.normal_alignment),
                                      {"effective rank", fold.effective_rank},
                                      {"normalised rank", fold.normalised_rank}})
      row[name] = value ? Json(*value) : Json(nullptr);
  }
  return table_part(table_of(rows, 0));
}

Details details_of(const Found<TabularLog>& found) {
  const TabularLog& log = found.content;
  std::string words = text("n ", log.table.samples, ", d ", log.table.features, ", ", log.table.classes, " classes");
  if (log.status == RunStatus::finished) {
    const TabularMeans m = means(log);
    const TabularCost& cost = log.result.cost;
    words = text("test ", m.test_acc ? per_cent(*m.test_acc) : "-", ", alignment ", four_digits(m.normal_alignment),
                 ", rank ", four_digits(m.effective_rank), "; ", words, "; ",
                 four_digits(cost.selection + cost.refit + cost.attack + cost.geometry), " s");
  }
  return {
      found.path,      log.run_name,        log.status,     log.failure, element("span", {{"class", "soft"}}, words),
      folds_part(log), to_json(log.config), log.environment};
}

Markup list_of(const std::vector<Details>& runs, const AddressOf& address_of) {
  std::vector<const Json*> configs, environments;
  for (const Details& run : runs) {
    configs.push_back(&run.config);
    environments.push_back(&run.environment);
  }
  const Json config = common_part(configs), environment = common_part(environments);
  Markup list, shared;
  for (const Details& run : runs) {
    Markup content = run.content;
    content += list_part(difference_from(config, run.config));
    content += list_part(difference_from(environment, run.environment));
    const Markup failure =
        run.status == RunStatus::failed ? element("p", {{"class", "status failed"}}, run.failure) : Markup{};
    const Markup status = element("span", {{"class", text("status ", name_of(run.status))}}, name_of(run.status));
    list +=
        element("details", {{"class", "run"}}, element("summary", {}, element("span", {}, run.name), status, run.line),
                failure, content, element("p", {{"class", "note"}}, link_to(run.path, address_of)), "\n");
  }
  if (!config.empty()) shared += element("h3", {}, "config") += list_part(config);
  if (!environment.empty()) shared += element("h3", {}, "environment") += list_part(environment);
  Markup result = shared.text.empty() ? shared : group("What these runs have in common", shared);
  return result += group(text(runs.size(), runs.size() == 1 ? " run" : " runs"), list);
}

}  // namespace

Markup run_details(std::span<const Found<RunLog>* const> runs, const AddressOf& address_of) {
  std::vector<Details> details;
  for (const Found<RunLog>* run : runs) details.push_back(details_of(*run, runs.size() > 100 ? 5 : 10));
  return list_of(details, address_of);
}

Markup run_details(std::span<const Found<TabularLog>> runs, const AddressOf& address_of) {
  std::vector<Details> details;
  for (const Found<TabularLog>& run : runs) details.push_back(details_of(run));
  return list_of(details, address_of);
}

}  // namespace normalign
