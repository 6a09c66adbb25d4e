#include "experiments/report/run_details.hpp"

#include <algorithm>

#include "experiments/report/parts.hpp"

namespace normalign {
namespace {

using html::element;
using html::Markup;
using Json = nlohmann::ordered_json;

Markup status_of(RunStatus status) {
  return element("span", {{"class", text("status ", name_of(status))}}, name_of(status));
}

Markup link_to(const std::filesystem::path& path, const AddressOf& address_of) {
  const std::string address = address_of(path);
  return address.empty() ? element("p", {{"class", "note"}}, path.string())
                         : element("p", {{"class", "note"}}, element("a", {{"href", address}}, path.string()));
}

// What all runs share, and the settings of each that are its own.
struct Shared {
  Json config, environment;
};

Markup shared_part(const Shared& shared) {
  if (shared.config.empty() && shared.environment.empty()) return {};
  Markup result = element("summary", {}, "What these runs have in common");
  if (!shared.config.empty()) result += element("h3", {}, "config") += list_part(shared.config);
  if (!shared.environment.empty()) result += element("h3", {}, "environment") += list_part(shared.environment);
  return element("details", {{"class", "group"}}, result);
}

Markup own_part(const Shared& shared, const Json& config, const Json& environment) {
  Markup result = list_part(difference_from(shared.config, config));
  result += list_part(difference_from(shared.environment, environment));
  return result;
}

Markup failure_part(RunStatus status, const std::string& failure) {
  return status == RunStatus::failed ? element("p", {{"class", "status failed"}}, failure) : Markup{};
}

Markup metrics_part(const RunLog& log, std::size_t most) {
  Json rows = Json::array();
  for (const std::size_t i : sampled(log.metrics.size(), most)) {
    const MetricRow& row = log.metrics[i];
    Json& added = rows.emplace_back(Json{{"epoch", row.epoch},
                                         {"train_acc", row.train_acc},
                                         {"test_acc", row.test_acc},
                                         {"train_loss", row.train_loss},
                                         {"test_loss", row.test_loss},
                                         {"opt_time", row.opt_time}});
    for (const auto& [name, value] : row.extras) added[name] = value;
  }
  if (rows.empty()) return element("p", {{"class", "note"}}, "No epoch is logged yet.");
  Table table = table_of(rows, 0);
  if (rows.size() < log.metrics.size())
    table.notes.push_back(text(rows.size(), " of ", log.metrics.size(), " logged epochs"));
  return table_part(table);
}

std::string per_cent(double value) { return four_digits(value) + " %"; }

Markup details_of(const Found<RunLog>& found, const Shared& shared, std::size_t most_rows,
                  const AddressOf& address_of) {
  const RunLog& log = found.content;
  Markup head = element("span", {}, log.run_name);
  head += status_of(log.status);
  if (log.grokked) head += element("span", {}, "grokked at epoch ", text(*log.grokking_epoch));
  if (!log.metrics.empty()) {
    const MetricRow& last = log.metrics.back();
    head += element("span", {{"class", "soft"}}, "epoch ", text(last.epoch), ": train ", per_cent(last.train_acc),
                    ", test ", per_cent(last.test_acc), ", ", four_digits(last.opt_time), " s");
  }
  return element("details", {{"class", "run"}}, element("summary", {}, head), failure_part(log.status, log.failure),
                 metrics_part(log, most_rows), own_part(shared, log.config, log.environment),
                 link_to(found.path, address_of), "\n");
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

Markup details_of(const Found<TabularLog>& found, const Json& config, const Shared& shared,
                  const AddressOf& address_of) {
  const TabularLog& log = found.content;
  Markup head = element("span", {}, log.run_name);
  head += status_of(log.status);
  std::string words = text("n ", log.table.samples, ", d ", log.table.features, ", ", log.table.classes, " classes");
  if (log.status == RunStatus::finished) {
    const TabularMeans m = means(log);
    const TabularCost& cost = log.result.cost;
    words = text("test ", m.test_acc ? per_cent(*m.test_acc) : "-", ", alignment ", four_digits(m.normal_alignment),
                 ", rank ", four_digits(m.effective_rank), "; ", words, "; ",
                 four_digits(cost.selection + cost.refit + cost.attack + cost.geometry), " s");
  }
  head += element("span", {{"class", "soft"}}, words);
  return element("details", {{"class", "run"}}, element("summary", {}, head), failure_part(log.status, log.failure),
                 folds_part(log), own_part(shared, config, log.environment), link_to(found.path, address_of), "\n");
}

Markup group(const std::string& words, const Markup& content) {
  return element("details", {{"class", "group"}}, element("summary", {}, words), content, "\n");
}

std::string number_of_runs(std::size_t count) { return text(count, count == 1 ? " run" : " runs"); }

}  // namespace

Markup run_details(std::span<const Found<RunLog>* const> runs, const AddressOf& address_of) {
  std::vector<const Json*> configs, environments;
  for (const Found<RunLog>* run : runs) {
    configs.push_back(&run->content.config);
    environments.push_back(&run->content.environment);
  }
  const Shared shared{common_part(configs), common_part(environments)};
  Markup list;
  for (const Found<RunLog>* run : runs) list += details_of(*run, shared, runs.size() > 100 ? 5 : 10, address_of);
  Markup result = shared_part(shared);
  return result += group(number_of_runs(runs.size()), list);
}

Markup run_details(std::span<const Found<TabularLog>> runs, const AddressOf& address_of) {
  std::vector<Json> own;
  for (const Found<TabularLog>& run : runs) own.push_back(to_json(run.content.config));
  std::vector<const Json*> configs, environments;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    configs.push_back(&own[i]);
    environments.push_back(&runs[i].content.environment);
  }
  const Shared shared{common_part(configs), common_part(environments)};
  Markup list;
  for (std::size_t i = 0; i < runs.size(); ++i) list += details_of(runs[i], own[i], shared, address_of);
  Markup result = shared_part(shared);
  return result += group(number_of_runs(runs.size()), list);
}

}  // namespace normalign
