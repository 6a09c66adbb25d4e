#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "autodiff/check/op_table.hpp"
#include "base/number_text.hpp"
#include "experiments/commands/commands.hpp"
#include "experiments/figures/table.hpp"
#include "experiments/figures/text_file.hpp"
#include "experiments/runs/json_kind.hpp"

namespace normalign::commands {
namespace {

struct GradcheckArguments {
  std::int64_t seed = 0;
  double tolerance = 1e-6;
  std::string json;
  bool wide = false;
};

int gradcheck_table(const GradcheckArguments& a) {
  if (!(a.tolerance > 0 && a.tolerance < 1))
    throw InputError(text("tolerance: found ", a.tolerance, ", expected a number between 0 and 1"));
  if (a.seed < 0) throw InputError(text("seed: found ", a.seed, ", expected a whole number from 0"));
  const auto seed = static_cast<std::uint64_t>(a.seed);
  Table table{.caption = "largest relative error against central differences, and of forward against reverse mode",
              .columns = {{"operation"}, {"order 1"}, {"order 2"}, {"order 3"}, {"forward"}}};
  int failed = 0;
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const OpRow& row : op_table()) {
    GradcheckReport worst;
    for (const auto& shapes : row.shapes) {
      GradcheckOptions options{.name = row.name, .order = 3, .seed = seed};
      options.tolerance.fill(a.tolerance);
      const GradcheckReport report = gradcheck(row.function, row.inputs(shapes, seed), options);
      for (std::size_t i = 0; i < 3; ++i) {
        worst.error[i] = std::max(worst.error[i], report.error[i]);
        worst.forward_error[0] = std::max(worst.forward_error[0], report.forward_error[i]);
      }
      if (!report.passed && worst.passed) worst = {false, worst.error, worst.forward_error, report.failure};
    }
    Cells& cells = table.rows.emplace_back(Cells{row.name});
    for (double error : worst.error) cells.push_back(formatted("%.1e", error));
    cells.push_back(formatted("%.1e", worst.forward_error[0]));
    if (!worst.passed) table.headings.emplace_back(table.rows.size(), "  FAILED " + worst.failure);
    failed += !worst.passed;
    rows.push_back({{"operation", row.name},
                    {"errors", worst.error},
                    {"forward_error", worst.forward_error[0]},
                    {"passed", worst.passed}});
  }
  if (!a.json.empty()) {
    const nlohmann::ordered_json json = {
        {"tolerance", a.tolerance}, {"seed", seed}, {"failed", failed}, {"rows", rows}};
    write_json_file(a.json, kind::gradcheck, json);
  }
  table.notes = {
      text(op_table().size(), " rows, ", failed, " failed; the bound is ", a.tolerance, ", the seed ", seed)};
  print({.tables = {std::move(table)}}, a.wide);
  return failed ? 1 : 0;
}

}  // namespace

Command add_gradcheck(CLI::App& app) {
  const auto arguments = std::make_shared<GradcheckArguments>();
  GradcheckArguments& a = *arguments;
  CLI::App* command =
      app.add_subcommand("gradcheck", "Check first to third derivatives of every operation; status 1 if one is wrong");
  command->add_option("--seed", a.seed, "Seed of inputs and directions (default 0)");
  command->add_option("--tolerance", a.tolerance, "Largest relative error that passes (default 1e-6)");
  add(*command, "--json", a.json, "Write the table as JSON too, with every digit", "FILE");
  add_wide_option(*command, a.wide);
  return [arguments] { return gradcheck_table(*arguments); };
}

}  // namespace normalign::commands
