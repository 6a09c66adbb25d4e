#include "experiments/tabular/summary.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "base/number_text.hpp"
#include "experiments/figures/table_json.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;

const std::string rfm = method_name(1), rfam = method_name(0);

// RFM and RFAM first, and before all names there is the empty one.
std::string sorting_key(const std::string& method) { return method == rfm ? "" : method == rfam ? " " : method; }

std::vector<std::string> methods_of(const TableRows& rows) {
  std::set<std::string> names;
  for (const TableRow& row : rows.rows)
    for (const auto& [method, means] : row.methods) names.insert(method);
  std::vector<std::string> result(names.begin(), names.end());
  std::ranges::sort(result, {}, sorting_key);
  return result;
}

// Values that one or two methods have for the same data sets.
struct Pairs {
  std::vector<double> first, second;
};

// Over the rows for which both functions have a value.
template <class First, class Second>
Pairs pairs(const TableRows& rows, const First& first, const Second& second) {
  Pairs result;
  for (const TableRow& row : rows.rows) {
    const std::optional<double> a = first(row), b = second(row);
    if (!a || !b) continue;
    result.first.push_back(*a);
    result.second.push_back(*b);
  }
  return result;
}

// The metric of a method in a row.
auto metric_of(const std::string& method, const TabularMetric& metric, const TableRows& rows) {
  return [&](const TableRow& row) { return value_of(metric, method, row, rows); };
}

MethodSummary method_summary(const TableRows& rows, const std::string& method,
                             const std::vector<TabularMetric>& metrics) {
  MethodSummary result{.method = method};
  result.datasets = std::ranges::count_if(rows.rows, [&](const TableRow& row) { return row.methods.contains(method); });
  for (const TabularMetric& metric : metrics)
    result.metrics.push_back(spread(present(rows.rows, metric_of(method, metric, rows))));
  const auto correlation = [&](const auto& other) {
    const TabularMetric alignment{.name = "normal_alignment"};
    const Pairs values = pairs(rows, metric_of(method, alignment, rows), other);
    return rank_correlation(values.first, values.second);
  };
  // Ranks of n are those of log n.
  result.alignment_with_samples =
      correlation([](const TableRow& row) { return std::optional(static_cast<double>(row.samples)); });
  result.alignment_with_features =
      correlation([](const TableRow& row) { return std::optional(static_cast<double>(row.features)); });
  const TabularMetric* nearest = nullptr;
  for (const TabularMetric& metric : metrics)
    if (metric.name.starts_with("attack_success") &&
        (!nearest || std::abs(metric.radius - 1) < std::abs(nearest->radius - 1)))
      nearest = &metric;
  if (nearest) result.alignment_with_success = correlation(metric_of(method, *nearest, rows));
  return result;
}

MethodComparison comparison(const TableRows& rows, const std::string& method, const TabularMetric& metric) {
  const Pairs values = pairs(rows, metric_of(method, metric, rows), metric_of(rfm, metric, rows));
  MethodComparison result{.method = method,
                          .metric = metric.name,
                          .claim = !metric.is_claimed        ? ""
                                   : metric.higher_is_better ? "higher"
                                                             : "lower",
                          .pairs = static_cast<Index>(values.first.size())};
  std::vector<double> differences;
  for (std::size_t i = 0; i < values.first.size(); ++i) {
    const double difference = values.first[i] - values.second[i];
    differences.push_back(difference);
    (difference == 0 ? result.ties : (difference > 0) == metric.higher_is_better ? result.wins : result.losses) += 1;
  }
  result.mean_difference = mean(differences);
  result.test = paired_t_test(values.first, values.second);
  if (result.test && metric.is_claimed)
    result.p_one_sided = metric.higher_is_better ? result.test->p_greater : result.test->p_less;
  return result;
}

// Tables.

// "71.67 (10.41)".
std::string with_deviation(const Spread& spread) {
  const std::string deviation = spread.standard_deviation ? " (" + four_digits(spread.standard_deviation) + ')' : "";
  return four_digits(spread.mean) + deviation;
}

// Calls visit(protocol, method) for each method of each protocol.
template <class Visit>
void for_each_method(const TabularSummary& summary, const Visit& visit) {
  for (const ProtocolSummary& protocol : summary.protocols)
    for (const MethodSummary& method : protocol.methods) visit(protocol, method);
}

const MethodComparison* comparison_of(const ProtocolSummary& protocol, const std::string& method,
                                      const std::string& metric) {
  for (const MethodComparison& c : protocol.comparisons)
    if (c.method == method && c.metric == metric) return &c;
  return nullptr;
}

Record correlations(const MethodSummary& method) {
  const auto entry = [](const std::string& name, std::optional<double> value) {
    return Entry{{"alignment_rank_correlations/" + name, name}, {value, Digits::two_decimals}};
  };
  return {entry("log n", method.alignment_with_samples), entry("log d", method.alignment_with_features),
          entry("attack success", method.alignment_with_success)};
}

// The only data set of all protocols; none where there are more.
const TableRow* only_row(const TabularSummary& summary) {
  const TableRow* result = nullptr;
  for (const ProtocolSummary& protocol : summary.protocols)
    for (const TableRow& row : protocol.rows.rows) {
      if (result && result->dataset != row.dataset) return nullptr;
      result = &row;
    }
  return result;
}

// Whether there are targets alone, so that what is called an accuracy is 100 R².
bool is_regression(const TabularSummary& summary) {
  return !summary.protocols.empty() && std::ranges::all_of(summary.protocols, [](const ProtocolSummary& protocol) {
    return std::ranges::all_of(protocol.rows.rows, [](const TableRow& row) { return row.classes == 0; });
  });
}

// Metrics down, methods across, protocol by protocol.
Table means_table(const TabularSummary& summary) {
  const TableRow* const only = only_row(summary);
  Table table{.columns = {{"", only ? one_line(only->dataset) : "mean (deviation)"}}};
  if (!only) table.rows.push_back({"data sets"});
  for (const TabularMetric& metric : summary.metrics)
    table.rows.push_back({is_regression(summary) && metric.name == "test_acc" ? "test 100 R2" : metric.name});
  for_each_method(summary, [&](const ProtocolSummary& protocol, const MethodSummary& method) {
    table.columns.push_back({"", protocol.protocol + " " + method.method});
    std::size_t next = 0;
    if (!only) table.rows[next++].push_back(method.datasets);
    for (const Spread& metric : method.metrics) table.rows[next++].push_back(with_deviation(metric));
  });
  return table;
}

Cell cell_of(const std::optional<PairedTest>& test, double PairedTest::*member, Digits digits = Digits::four) {
  return test ? Cell(*test.*member, digits) : Cell();
}

Record record(const MethodComparison& c, const std::string& protocol) {
  return {{{"method", ""}, c.method},
          {{"figure", text(c.method, " - RFM, ", protocol)}, c.metric},
          {{"claim", ""}, c.claim},
          {{"", "claim"}, c.claim.empty() ? Cell() : Cell(c.claim)},
          {{"pairs"}, c.pairs},
          {{"wins", ""}, c.wins},
          {{"ties", ""}, c.ties},
          {{"losses", ""}, c.losses},
          {{"mean_difference", "difference"}, c.mean_difference},
          {{"t"}, cell_of(c.test, &PairedTest::t)},
          {{"degrees_of_freedom", ""}, cell_of(c.test, &PairedTest::degrees_of_freedom)},
          {{"p_one_sided", "p one-sided"}, {c.p_one_sided, Digits::two}},
          {{"p_two_sided", "p two-sided"}, cell_of(c.test, &PairedTest::p_two_sided, Digits::two)},
          {{"", "wins"}, c.wins},
          {{"", "ties"}, c.ties},
          {{"", "losses"}, c.losses}};
}

Table tests_table(const ProtocolSummary& protocol, const std::string& method) {
  Table table{.left = 2};
  for (const MethodComparison& c : protocol.comparisons)
    if (c.method == method) table.add(record(c, protocol.protocol));
  return table;
}

// A metric of a method, and its test where there is one.
Record csv_record(const std::string& protocol, const std::string& method, const std::string& metric,
                  const Spread& spread, const MethodComparison* c) {
  Record result = {{{"protocol"}, protocol},     {{"method"}, method},    {{"figure"}, metric},
                   {{"datasets"}, spread.count}, {{"mean"}, spread.mean}, {{"std"}, spread.standard_deviation}};
  const Record test = record(c ? *c : MethodComparison{}, protocol);
  for (std::size_t i = 2; i < test.size(); ++i) result.push_back({test[i].column, c ? test[i].cell : Cell()});
  return result;
}

Json methods_json(const ProtocolSummary& protocol, const std::vector<TabularMetric>& metrics) {
  Table table;
  for (const MethodSummary& method : protocol.methods) {
    Record record = {{{"method"}, method.method}, {{"datasets"}, method.datasets}, {{"runs"}, method.runs}};
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      const std::string key = "figures/" + metrics[i].name + '/';
      record.push_back({{key + "datasets"}, method.metrics[i].count});
      record.push_back({{key + "mean"}, method.metrics[i].mean});
      record.push_back({{key + "std"}, method.metrics[i].standard_deviation});
    }
    std::ranges::copy(correlations(method), std::back_inserter(record));
    table.add(record);
  }
  return rows_json(table);
}

Json data_sets_json(const ProtocolSummary& protocol, const std::vector<TabularMetric>& metrics) {
  Json result = Json::array();
  for (const TableRow& row : protocol.rows.rows) {
    Json& added = result.emplace_back(
        Json{{"dataset", row.dataset}, {"n", row.samples}, {"features", row.features}, {"classes", row.classes}});
    for (const auto& [method, means] : row.methods)
      for (const TabularMetric& metric : metrics)
        added[method][metric.name] = json_of(value_of(metric, method, row, protocol.rows));
  }
  return result;
}

}  // namespace

std::vector<TabularMetric> tabular_metrics(const TableRows& rows) {
  std::vector<TabularMetric> result = {{.name = "test_acc"}};
  const auto has_error = [](const TableRow& row) {
    return std::ranges::any_of(row.methods, [](const auto& method) { return method.second.test_rmse.has_value(); });
  };
  if (std::ranges::any_of(rows.rows, has_error)) result.push_back({.name = "test_rmse", .higher_is_better = false});
  result.push_back({.name = "normal_alignment", .is_claimed = true});
  result.push_back({.name = "effective_rank", .higher_is_better = false, .is_claimed = true});
  result.push_back({.name = "normalised_rank", .higher_is_better = false, .is_claimed = true});
  for (const double radius : rows.radii)
    result.push_back({.name = "robust_acc_eps" + number_text(radius), .radius = radius});
  for (const double radius : rows.radii)
    result.push_back({.name = "attack_success_eps" + number_text(radius),
                      .radius = radius,
                      .higher_is_better = false,
                      .is_claimed = true});
  return result;
}

std::optional<double> value_of(const TabularMetric& metric, const std::string& method, const TableRow& row,
                               const TableRows& rows) {
  const auto found = row.methods.find(method);
  if (found == row.methods.end()) return std::nullopt;
  const TabularMeans& m = found->second;
  if (metric.name == "test_acc") return m.test_acc;
  if (metric.name == "test_rmse") return m.test_rmse;
  if (metric.name == "normal_alignment") return m.normal_alignment;
  if (metric.name == "effective_rank") return m.effective_rank;
  if (metric.name == "normalised_rank") return m.normalised_rank;
  const auto position = static_cast<std::size_t>(std::ranges::find(rows.radii, metric.radius) - rows.radii.begin());
  const auto& values = metric.name.starts_with("robust_acc") ? m.robust_acc : m.attack_success;
  return position < values.size() ? values[position] : std::nullopt;
}

// The summary of rows that follow one protocol, with these metrics.
static ProtocolSummary protocol_summary(const TableRows& rows, const std::string& protocol,
                                        const std::vector<TabularMetric>& metrics) {
  ProtocolSummary result{.protocol = protocol, .rows = rows};
  for (const std::string& method : methods_of(rows)) {
    result.methods.push_back(method_summary(rows, method, metrics));
    if (method == rfm) continue;
    for (const TabularMetric& metric : metrics) result.comparisons.push_back(comparison(rows, method, metric));
  }
  return result;
}

ProtocolSummary summarise(const TableRows& rows, const std::string& protocol) {
  return protocol_summary(rows, protocol, tabular_metrics(rows));
}

TabularSummary summarise(const std::vector<TabularLog>& logs) {
  // "published" before "nested".
  std::map<std::string, std::vector<const TabularLog*>, std::greater<>> protocols;
  TabularSummary result;
  for (const TabularLog& log : logs) {
    if (log.status == RunStatus::running) result.unfinished.push_back(log.run_name);
    if (log.status == RunStatus::failed) result.failed.push_back(log.run_name);
    if (log.status == RunStatus::finished) protocols[log.config.protocol].push_back(&log);
  }
  std::ranges::sort(result.unfinished);
  std::ranges::sort(result.failed);
  TableRows all;  // of all protocols, which have one list of metrics
  std::map<std::string, TableRows, std::greater<>> rows;
  std::string first;
  for (const auto& [protocol, of_protocol] : protocols) {
    const TableRows& added = rows[protocol] = rows_of(of_protocol);
    std::ranges::copy(added.rows, std::back_inserter(all.rows));
    if (std::ranges::all_of(added.rows, [](const TableRow& row) { return row.classes == 0; })) continue;
    if (!first.empty() && (added.radii != all.radii || added.attack != all.attack))
      throw InputError(text(of_protocol.front()->run_name, ": found ",
                            added.radii != all.radii ? "other attack_radii" : "another attack",
                            " than under the protocol ", first, ", expected the same"));
    first = protocol;
    all.radii = added.radii;
    all.attack = added.attack;
  }
  result.metrics = tabular_metrics(all);
  for (auto& [protocol, of_protocol] : rows) {
    of_protocol.radii = all.radii;
    of_protocol.attack = all.attack;
    ProtocolSummary& added = result.protocols.emplace_back(protocol_summary(of_protocol, protocol, result.metrics));
    for (MethodSummary& method : added.methods)
      method.runs = std::ranges::count(protocols[protocol], method.method, &TabularLog::condition);
  }
  return result;
}

TableSet tables(const TabularSummary& summary) {
  const bool one_table = only_row(summary) != nullptr;
  TableSet result{.remarks = remarks(summary.unfinished, summary.failed)};
  result.legend.push_back(text(one_table ? "Means over folds and seeds, of test rows but for alignment and rank."
                                         : "Over data sets, each with the mean over its seeds.",
                               is_regression(summary)
                                   ? " R2 is the share of the targets' variance that is explained, rmse is in their "
                                     "units."
                                   : " Accuracies and success rates are per cent; attack_success is (clean - robust) / "
                                     "clean accuracy."));
  if (!one_table)
    result.legend.push_back(
        "Paired t-tests by data set; one-sided p in the direction of the paper's claim, where there is one. A win is a "
        "higher accuracy or alignment, a lower rank or success rate.");
  if (summary.protocols.empty()) return result;
  if (const std::string& attack = summary.protocols.front().rows.attack; !attack.empty())
    result.legend.push_back("Attacks: " + attack + '.');
  result.tables.push_back(means_table(summary));
  if (one_table) return result;
  Table with;
  for_each_method(summary, [&](const ProtocolSummary& protocol, const MethodSummary& method) {
    if (method.method != rfm) result.tables.push_back(tests_table(protocol, method.method));
    Record record = correlations(method);
    record.insert(record.begin(),
                  {{"", "rank correlation of normal_alignment with"}, text(protocol.protocol, ' ', method.method)});
    with.add(record);
  });
  result.tables.push_back(std::move(with));
  return result;
}

Json as_json(const TabularSummary& summary) {
  Json protocols = Json::array();
  for (const ProtocolSummary& protocol : summary.protocols) {
    Table comparisons;
    for (const MethodComparison& c : protocol.comparisons) comparisons.add(record(c, protocol.protocol));
    protocols.push_back({{"protocol", protocol.protocol},
                         {"attack", protocol.rows.attack},
                         {"methods", methods_json(protocol, summary.metrics)},
                         {"comparisons", rows_json(comparisons)},
                         {"rows", data_sets_json(protocol, summary.metrics)}});
  }
  return {{"protocols", std::move(protocols)}, {"unfinished", summary.unfinished}, {"failed", summary.failed}};
}

std::string as_csv(const TabularSummary& summary) {
  Table table{.columns = columns_of(csv_record("", "", "", {}, nullptr))};
  for_each_method(summary, [&](const ProtocolSummary& protocol, const MethodSummary& method) {
    for (std::size_t i = 0; i < summary.metrics.size(); ++i) {
      const std::string& metric = summary.metrics[i].name;
      table.add(csv_record(protocol.protocol, method.method, metric, method.metrics[i],
                           comparison_of(protocol, method.method, metric)));
    }
  });
  return as_csv(TableSet{.tables = {std::move(table)}});
}

std::string as_latex(const TabularSummary& summary) {
  Table table{.columns = {{"figure"}}};
  std::string heads, methods;
  for (const TabularMetric& metric : summary.metrics) table.rows.push_back({metric.name});
  const auto add = [&](const std::string& head, const auto& value_of_metric) {
    table.columns.push_back({head});
    methods += " & " + head;
    for (std::size_t i = 0; i < summary.metrics.size(); ++i) table.rows[i].push_back(value_of_metric(i));
  };
  for (const ProtocolSummary& protocol : summary.protocols) {
    heads += text(" & \\multicolumn{", protocol.methods.size() + 2, "}{c}{", latex_escaped(protocol.protocol), '}');
    for (const MethodSummary& method : protocol.methods)
      add(latex_escaped(method.method), [&](std::size_t i) { return method.metrics[i].mean; });
    const auto test_of = [&](std::size_t i) {
      const MethodComparison* c = comparison_of(protocol, rfam, summary.metrics[i].name);
      return c ? *c : MethodComparison{};
    };
    add("$p_1$", [&](std::size_t i) { return Cell(test_of(i).p_one_sided, Digits::two); });
    add("$p_2$", [&](std::size_t i) { return cell_of(test_of(i).test, &PairedTest::p_two_sided, Digits::two); });
  }
  TableSet set{.tables = {std::move(table)},
               .latex_head = text(heads, " \\\\\n", methods, " \\\\\n"),
               .latex_comment = "; p of RFAM against RFM, one- and two-sided"};
  for (const std::string& remark : remarks(summary.unfinished, summary.failed)) set.remarks.push_back("RFM: " + remark);
  return as_latex(set);
}

}  // namespace normalign
