#include "experiments/tabular/summary.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "base/number_text.hpp"
#include "experiments/results/run_set.hpp"

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

// The figure of a method in a row.
auto figure_of(const std::string& method, const TabularFigure& figure, const TableRows& rows) {
  return [&](const TableRow& row) -> std::optional<double> {
    const auto found = row.methods.find(method);
    return found == row.methods.end() ? std::nullopt : value_of(figure, found->second, rows.radii);
  };
}

MethodSummary method_summary(const TableRows& rows, const std::string& method,
                             const std::vector<TabularFigure>& figures) {
  MethodSummary result{.method = method};
  result.datasets = std::ranges::count_if(rows.rows, [&](const TableRow& row) { return row.methods.contains(method); });
  for (const TabularFigure& figure : figures) {
    const auto value = figure_of(method, figure, rows);
    const Pairs values = pairs(rows, value, value);
    result.figures.push_back({.datasets = static_cast<Index>(values.first.size()),
                              .mean = mean(values.first),
                              .standard_deviation = standard_deviation(values.first)});
  }
  const auto correlation = [&](const auto& other) {
    const TabularFigure alignment{.name = "normal_alignment"};
    const Pairs values = pairs(rows, figure_of(method, alignment, rows), other);
    return rank_correlation(values.first, values.second);
  };
  // Ranks of n are those of log n.
  result.alignment_with_samples =
      correlation([](const TableRow& row) { return std::optional(static_cast<double>(row.samples)); });
  result.alignment_with_features =
      correlation([](const TableRow& row) { return std::optional(static_cast<double>(row.features)); });
  const TabularFigure* nearest = nullptr;
  for (const TabularFigure& figure : figures)
    if (figure.name.starts_with("attack_success") &&
        (!nearest || std::abs(figure.radius - 1) < std::abs(nearest->radius - 1)))
      nearest = &figure;
  if (nearest) result.alignment_with_success = correlation(figure_of(method, *nearest, rows));
  return result;
}

MethodComparison comparison(const TableRows& rows, const std::string& method, const TabularFigure& figure) {
  const Pairs values = pairs(rows, figure_of(method, figure, rows), figure_of(rfm, figure, rows));
  MethodComparison result{.method = method,
                          .figure = figure.name,
                          .claim = !figure.is_claimed        ? ""
                                   : figure.higher_is_better ? "higher"
                                                             : "lower",
                          .pairs = static_cast<Index>(values.first.size())};
  std::vector<double> differences;
  for (std::size_t i = 0; i < values.first.size(); ++i) {
    const double difference = values.first[i] - values.second[i];
    differences.push_back(difference);
    (difference == 0 ? result.ties : (difference > 0) == figure.higher_is_better ? result.wins : result.losses) += 1;
  }
  result.mean_difference = mean(differences);
  result.test = paired_t_test(values.first, values.second);
  if (result.test && figure.is_claimed)
    result.p_one_sided = figure.higher_is_better ? result.test->p_greater : result.test->p_less;
  return result;
}

std::string formatted(const char* format, std::optional<double> value) {
  if (!value) return "-";
  char buffer[400];
  std::snprintf(buffer, sizeof buffer, format, *value);
  return buffer;
}

std::string with_deviation(const TabularSpread& spread) {
  return spread.standard_deviation ? text(four_digits(spread.mean), " (", four_digits(spread.standard_deviation), ')')
                                   : four_digits(spread.mean);
}

Json or_null(std::optional<double> value) { return value ? Json(*value) : Json(nullptr); }

// The rank correlations under the names that JSON and text share.
std::vector<std::pair<const char*, std::optional<double>>> correlations(const MethodSummary& method) {
  return {{"log n", method.alignment_with_samples},
          {"log d", method.alignment_with_features},
          {"attack success", method.alignment_with_success}};
}

// All numbers of a test, under the names that JSON and CSV share.
std::vector<std::pair<const char*, std::optional<double>>> numbers(const MethodComparison& c) {
  const auto of_test = [&](double PairedTest::*member) {
    return c.test ? std::optional(*c.test.*member) : std::nullopt;
  };
  return {{"mean_difference", c.mean_difference},
          {"t", of_test(&PairedTest::t)},
          {"degrees_of_freedom", of_test(&PairedTest::degrees_of_freedom)},
          {"p_one_sided", c.p_one_sided},
          {"p_two_sided", of_test(&PairedTest::p_two_sided)}};
}

const MethodComparison* comparison_of(const ProtocolSummary& protocol, const std::string& method,
                                      const std::string& figure) {
  for (const MethodComparison& c : protocol.comparisons)
    if (c.method == method && c.figure == figure) return &c;
  return nullptr;
}

// Figures down, methods across, protocol by protocol.
std::vector<Cells> means_table(const TabularSummary& summary) {
  std::vector<Cells> result = {{"mean (deviation)"}, {"data sets"}};
  for (const ProtocolSummary& protocol : summary.protocols)
    for (const MethodSummary& method : protocol.methods) {
      result[0].push_back(protocol.protocol + " " + method.method);
      result[1].push_back(text(method.datasets));
    }
  for (std::size_t i = 0; i < summary.figures.size(); ++i) {
    Cells& row = result.emplace_back(Cells{summary.figures[i].name});
    for (const ProtocolSummary& protocol : summary.protocols)
      for (const MethodSummary& method : protocol.methods) row.push_back(with_deviation(method.figures[i]));
  }
  return result;
}

Table tests_table(const ProtocolSummary& protocol, const std::string& method) {
  Table result{.rows = {{text(method, " - RFM, ", protocol.protocol), "claim", "pairs", "difference", "t",
                         "p one-sided", "p two-sided", "wins", "ties", "losses"}},
               .left = 2};
  for (const MethodComparison& c : protocol.comparisons)
    if (c.method == method)
      result.rows.push_back({c.figure, c.claim.empty() ? "-" : c.claim, text(c.pairs), four_digits(c.mean_difference),
                             four_digits(c.test ? std::optional(c.test->t) : std::nullopt),
                             formatted("%.2g", c.p_one_sided),
                             formatted("%.2g", c.test ? std::optional(c.test->p_two_sided) : std::nullopt),
                             text(c.wins), text(c.ties), text(c.losses)});
  return result;
}

constexpr const char* legend[] = {
    "Over data sets, each with the mean over its seeds. Accuracies and success rates are per cent; attack_success is "
    "(clean - robust) / clean accuracy.",
    "Paired t-tests by data set; one-sided p in the direction of the paper's claim, where there is one. A win is a "
    "higher accuracy or alignment, a lower rank or success rate."};

}  // namespace

std::vector<TabularFigure> tabular_figures(std::span<const double> radii) {
  std::vector<TabularFigure> result = {{.name = "test_acc"},
                                       {.name = "normal_alignment", .is_claimed = true},
                                       {.name = "effective_rank", .higher_is_better = false, .is_claimed = true},
                                       {.name = "normalised_rank", .higher_is_better = false, .is_claimed = true}};
  for (const double radius : radii)
    result.push_back({.name = "robust_acc_eps" + number_text(radius), .radius = radius});
  for (const double radius : radii)
    result.push_back({.name = "attack_success_eps" + number_text(radius),
                      .radius = radius,
                      .higher_is_better = false,
                      .is_claimed = true});
  return result;
}

std::optional<double> value_of(const TabularFigure& figure, const TabularMeans& m, std::span<const double> radii) {
  if (figure.name == "test_acc") return m.test_acc;
  if (figure.name == "normal_alignment") return m.normal_alignment;
  if (figure.name == "effective_rank") return m.effective_rank;
  if (figure.name == "normalised_rank") return m.normalised_rank;
  const auto position = static_cast<std::size_t>(std::ranges::find(radii, figure.radius) - radii.begin());
  const auto& values = figure.name.starts_with("robust_acc") ? m.robust_acc : m.attack_success;
  return position < values.size() ? values[position] : std::nullopt;
}

ProtocolSummary summarise(const TableRows& rows, const std::string& protocol) {
  const std::vector<TabularFigure> figures = tabular_figures(rows.radii);
  ProtocolSummary result{.protocol = protocol, .rows = rows};
  for (const std::string& method : methods_of(rows)) {
    result.methods.push_back(method_summary(rows, method, figures));
    if (method == rfm) continue;
    for (const TabularFigure& figure : figures) result.comparisons.push_back(comparison(rows, method, figure));
  }
  return result;
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
  for (const auto& [protocol, of_protocol] : protocols) {
    ProtocolSummary& added = result.protocols.emplace_back(summarise(rows_of(of_protocol), protocol));
    for (MethodSummary& method : added.methods)
      method.runs = std::ranges::count(of_protocol, method.method, &TabularLog::condition);
    if (added.rows.radii != result.protocols.front().rows.radii)
      throw InputError(text(of_protocol.front()->run_name, ": found other attack_radii than under the protocol ",
                            result.protocols.front().protocol, ", expected the same"));
    result.figures = tabular_figures(added.rows.radii);
  }
  return result;
}

TableSet tables(const TabularSummary& summary) {
  TableSet result{.tables = {},
                  .remarks = remarks(summary.unfinished, summary.failed),
                  .legend = {std::begin(legend), std::end(legend)}};
  if (!summary.protocols.empty()) result.tables.push_back({.rows = means_table(summary)});
  for (const ProtocolSummary& protocol : summary.protocols)
    for (const MethodSummary& method : protocol.methods)
      if (comparison_of(protocol, method.method, "test_acc"))
        result.tables.push_back(tests_table(protocol, method.method));
  std::vector<Cells> rows = {{"rank correlation of normal_alignment with"}};
  for (const auto& [name, value] : correlations({})) rows[0].push_back(name);
  for (const ProtocolSummary& protocol : summary.protocols)
    for (const MethodSummary& method : protocol.methods) {
      Cells& row = rows.emplace_back(Cells{text(protocol.protocol, ' ', method.method)});
      for (const auto& [name, value] : correlations(method)) row.push_back(formatted("%.2f", value));
    }
  if (rows.size() > 1) result.tables.push_back({.rows = std::move(rows)});
  return result;
}

Json as_json(const TabularSummary& summary) {
  Json protocols = Json::array();
  for (const ProtocolSummary& protocol : summary.protocols) {
    Json methods = Json::array(), comparisons = Json::array(), rows = Json::array();
    for (const MethodSummary& method : protocol.methods) {
      Json figures = Json::object(), with = Json::object();
      for (std::size_t i = 0; i < summary.figures.size(); ++i)
        figures[summary.figures[i].name] = {{"datasets", method.figures[i].datasets},
                                            {"mean", or_null(method.figures[i].mean)},
                                            {"std", or_null(method.figures[i].standard_deviation)}};
      for (const auto& [name, value] : correlations(method)) with[name] = or_null(value);
      methods.push_back({{"method", method.method},
                         {"datasets", method.datasets},
                         {"runs", method.runs},
                         {"figures", std::move(figures)},
                         {"alignment_rank_correlations", std::move(with)}});
    }
    for (const MethodComparison& c : protocol.comparisons) {
      Json json = {{"method", c.method}, {"figure", c.figure}, {"claim", c.claim},  {"pairs", c.pairs},
                   {"wins", c.wins},     {"ties", c.ties},     {"losses", c.losses}};
      for (const auto& [name, value] : numbers(c)) json[name] = or_null(value);
      comparisons.push_back(std::move(json));
    }
    for (const TableRow& row : protocol.rows.rows) {
      Json json = {{"dataset", row.dataset}, {"n", row.samples}, {"features", row.features}, {"classes", row.classes}};
      for (const auto& [method, means] : row.methods)
        for (const TabularFigure& figure : summary.figures)
          json[method][figure.name] = or_null(value_of(figure, means, protocol.rows.radii));
      rows.push_back(std::move(json));
    }
    protocols.push_back({{"protocol", protocol.protocol},
                         {"methods", std::move(methods)},
                         {"comparisons", std::move(comparisons)},
                         {"rows", std::move(rows)}});
  }
  return {{"protocols", std::move(protocols)}, {"unfinished", summary.unfinished}, {"failed", summary.failed}};
}

std::string as_csv(const TabularSummary& summary) {
  Cells names = {"protocol", "method", "figure", "datasets", "mean", "std", "claim", "pairs", "wins", "ties", "losses"};
  for (const auto& [name, value] : numbers({})) names.emplace_back(name);
  std::string result = csv_line(names);
  for (const ProtocolSummary& protocol : summary.protocols)
    for (const MethodSummary& method : protocol.methods)
      for (std::size_t i = 0; i < summary.figures.size(); ++i) {
        const TabularSpread& spread = method.figures[i];
        Cells line = {protocol.protocol,     method.method,           summary.figures[i].name,
                      text(spread.datasets), all_digits(spread.mean), all_digits(spread.standard_deviation)};
        if (const MethodComparison* c = comparison_of(protocol, method.method, summary.figures[i].name)) {
          for (const std::string& cell : {c->claim, text(c->pairs), text(c->wins), text(c->ties), text(c->losses)})
            line.push_back(cell);
          for (const auto& [name, value] : numbers(*c)) line.push_back(all_digits(value));
        }
        line.resize(names.size());
        result += csv_line(line);
      }
  return result;
}

std::string as_latex(const TabularSummary& summary) {
  std::string columns = "l", heads = "", methods = "";
  for (const ProtocolSummary& protocol : summary.protocols) {
    const auto count = protocol.methods.size() + 2;
    columns += std::string(count, 'r');
    heads += text(" & \\multicolumn{", count, "}{c}{", latex_escaped(protocol.protocol), '}');
    for (const MethodSummary& method : protocol.methods) methods += " & " + latex_escaped(method.method);
    methods += " & $p_1$ & $p_2$";
  }
  std::string result = text("% \\usepackage{booktabs}; p of RFAM against RFM, one- and two-sided\n\\begin{tabular}{",
                            columns, "}\n\\toprule\n", heads, " \\\\\n", methods, " \\\\\n\\midrule\n");
  for (std::size_t i = 0; i < summary.figures.size(); ++i) {
    const std::string& figure = summary.figures[i].name;
    Cells line = {latex_escaped(figure)};
    for (const ProtocolSummary& protocol : summary.protocols) {
      for (const MethodSummary& method : protocol.methods) line.push_back(four_digits(method.figures[i].mean));
      const MethodComparison* c = comparison_of(protocol, rfam, figure);
      line.push_back(latex_number(formatted("%.2g", c ? c->p_one_sided : std::nullopt)));
      line.push_back(
          latex_number(formatted("%.2g", c && c->test ? std::optional(c->test->p_two_sided) : std::nullopt)));
    }
    result += latex_line(line);
  }
  result += "\\bottomrule\n\\end{tabular}\n";
  for (const std::string& line : remarks(summary.unfinished, summary.failed)) result += latex_note("RFM", line);
  return result;
}

}  // namespace normalign
