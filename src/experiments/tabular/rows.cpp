#include "experiments/tabular/rows.hpp"

#include <algorithm>
#include <sstream>

#include "base/file_content.hpp"
#include "base/number_text.hpp"
#include "experiments/figures/statistics.hpp"

namespace normalign {
namespace {

// The methods of the file, as it calls them and as logs do.
constexpr std::pair<const char*, double> file_methods[] = {{"rfm", 1}, {"rfam", 0}};

// The radius as the file has it: with a decimal.
std::string radius_text(double radius) {
  const std::string digits = number_text(radius);
  return digits.find_first_of(".e") == digits.npos ? digits + ".0" : digits;
}

constexpr const char* radius_prefix = "robust_acc_eps";

std::vector<std::string> header(std::span<const double> radii) {
  std::vector<std::string> names = {"dataset", "n", "d", "classes"};
  for (const auto& [method, alpha] : file_methods) {
    names.push_back(text(method, "_test_acc"));
    for (const double radius : radii) names.push_back(text(method, '_', radius_prefix, radius_text(radius)));
    names.push_back(text(method, "_effective_rank"));
    names.push_back(text(method, "_normal_alignment"));
  }
  return names;
}

std::vector<std::string> split(const std::string& line, char delimiter) {
  std::vector<std::string> fields;
  std::istringstream in(line + delimiter);
  for (std::string field; std::getline(in, field, delimiter);) fields.push_back(field);
  return fields;
}

// Of several runs, metric by metric, over those that have it.
TabularMeans mean_of(std::span<const TabularMeans> runs) {
  const auto over_runs = [&](const auto& metric) { return mean(present(runs, metric)); };
  TabularMeans result;
  for (auto member : {&TabularMeans::train_acc, &TabularMeans::test_acc, &TabularMeans::test_rmse,
                      &TabularMeans::effective_rank, &TabularMeans::normalised_rank, &TabularMeans::normal_alignment})
    result.*member = over_runs([&](const TabularMeans& run) { return run.*member; });
  for (auto member : {&TabularMeans::robust_acc, &TabularMeans::attack_success})
    for (std::size_t i = 0; i < (runs.front().*member).size(); ++i)
      (result.*member).push_back(over_runs([&](const TabularMeans& run) { return (run.*member)[i]; }));
  return result;
}

bool is_complete(const TabularMeans& m) {
  return m.test_acc && m.effective_rank && m.normal_alignment &&
         std::ranges::all_of(m.robust_acc, [](const auto& value) { return value.has_value(); });
}

}  // namespace

TableRows rows_of(std::span<const TabularLog* const> logs) {
  TableRows result;
  const TabularLog* first = nullptr;  // of a table of classes, which alone is attacked
  std::map<std::string, const TabularLog*> first_of;
  std::map<std::string, std::map<std::string, std::vector<TabularMeans>>> runs;
  for (const TabularLog* log : logs) {
    if (log->status != RunStatus::finished) continue;
    const bool has_classes = log->table.targets.empty();
    if (!first && has_classes) first = log;
    if (has_classes && log->config.attack_radii != first->config.attack_radii)
      throw InputError(
          text(log->run_name, " and ", first->run_name, ": found different attack_radii, expected the same"));
    if (has_classes && attack_words(log->config) != attack_words(first->config))
      throw InputError(text(log->run_name, " and ", first->run_name, ": found the attacks ", attack_words(log->config),
                            ", and ", attack_words(first->config), "; expected the same"));
    const TabularLog*& other = first_of.try_emplace(log->table.name, log).first->second;
    const auto size = [](const TabularLog* of) {
      const TableFacts& table = of->table;
      const std::string predicted = table.targets.empty() ? text(" in ", table.classes, " classes")
                                                          : " to predict " + joined(table.targets, ", ");
      return text(table.samples, " x ", table.features, predicted,
                  table.label.empty() ? "" : " of column " + one_line(table.label));
    };
    if (size(log) != size(other))
      throw InputError(text(log->run_name, ": found a table of ", size(log), ", expected ", size(other), " as in ",
                            other->run_name));
    runs[log->table.name][log->condition].push_back(means(*log));
  }
  if (first) {
    result.radii = first->config.attack_radii;
    result.attack = attack_words(first->config);
  }
  for (const auto& [dataset, methods] : runs) {
    const TableFacts& table = first_of.at(dataset)->table;
    TableRow& row = result.rows.emplace_back(
        TableRow{.dataset = dataset, .samples = table.samples, .features = table.features, .classes = table.classes});
    for (const auto& [method, of_method] : methods) row.methods[method] = mean_of(of_method);
  }
  return result;
}

std::string as_tsv(const TableRows& rows) {
  std::string result = joined(header(rows.radii), "\t") + '\n';
  for (const TableRow& row : rows.rows) {
    std::vector<std::string> fields = {row.dataset, text(row.samples), text(row.features), text(row.classes)};
    for (const auto& [name, alpha] : file_methods) {
      const auto found = row.methods.find(method_name(alpha));
      if (found == row.methods.end() || !is_complete(found->second)) break;
      const TabularMeans& m = found->second;
      fields.push_back(formatted("%.2f", *m.test_acc));
      for (const auto& robust : m.robust_acc) fields.push_back(formatted("%.2f", *robust));
      fields.push_back(formatted("%.4f", *m.effective_rank));
      fields.push_back(formatted("%.4f", *m.normal_alignment));
    }
    if (fields.size() == header(rows.radii).size()) result += joined(fields, "\t") + '\n';
  }
  return result;
}

// The attack radii that the columns of the first method say.
template <class Refuse>
static std::vector<double> radii_in(const std::vector<std::string>& names, const Refuse& refuse) {
  const std::string prefix = text(file_methods[0].first, '_', radius_prefix);
  std::vector<double> result;
  for (const std::string& name : names) {
    if (!name.starts_with(prefix)) continue;
    const auto radius = number_in(std::string_view(name).substr(prefix.size()));
    if (!radius) refuse("found the column '", one_line(name), "', expected a radius behind ", prefix);
    result.push_back(*radius);
  }
  return result;
}

TableRows read_tsv(const std::filesystem::path& path) {
  std::istringstream in(file_content(path));
  Index number = 0;
  const auto refuse = [&](const auto&... parts) {
    throw InputError(text(path.string(), ": line ", number, ": ", parts...));
  };
  std::string line;
  const auto next = [&] {
    ++number;
    const bool found = static_cast<bool>(std::getline(in, line));
    if (line.ends_with('\r')) line.pop_back();
    return found;
  };
  TableRows result;
  if (!next()) refuse("found the end of the file, expected a header");
  const std::vector<std::string> names = split(line, '\t');
  result.radii = radii_in(names, refuse);
  const std::vector<std::string> expected = header(result.radii);
  for (std::size_t i = 0; i < std::max(names.size(), expected.size()); ++i)
    if (i >= names.size() || i >= expected.size() || names[i] != expected[i])
      refuse("column ", i + 1, ": found ", i < names.size() ? "'" + one_line(names[i]) + "'" : "none", ", expected ",
             i < expected.size() ? expected[i] : "none");

  while (next()) {
    const std::vector<std::string> fields = split(line, '\t');
    if (fields.size() != names.size()) refuse("found ", fields.size(), " fields, expected ", names.size());
    if (!result.rows.empty() && !(result.rows.back().dataset < fields[0]))
      refuse("found '", one_line(fields[0]), "' after ", result.rows.back().dataset, ", expected names in byte order");
    std::size_t column = 1;
    const auto taken = [&](const auto& value, const char* wanted) {
      if (!value) refuse(names[column], ": found '", one_line(fields[column]), "', expected ", wanted);
      ++column;
      return *value;
    };
    const auto take = [&] { return taken(number_in(fields[column]), "a number"); };
    const auto take_count = [&] {
      const auto value = whole_number(fields[column]);
      return taken(value && *value > 0 ? value : std::nullopt, "a whole number from 1");
    };
    TableRow row{.dataset = fields[0], .samples = take_count(), .features = take_count(), .classes = take_count()};
    for (const auto& [name, alpha] : file_methods) {
      TabularMeans m;
      m.test_acc = take();
      for (std::size_t i = 0; i < result.radii.size(); ++i) {
        m.robust_acc.emplace_back(take());
        m.attack_success.push_back(attack_success(*m.test_acc, *m.robust_acc.back()));
      }
      m.effective_rank = take();
      m.normalised_rank = *m.effective_rank / static_cast<double>(std::min(row.features, row.classes));
      m.normal_alignment = take();
      row.methods[method_name(alpha)] = std::move(m);
    }
    result.rows.push_back(std::move(row));
  }
  return result;
}

}  // namespace normalign
