#include <CLI/CLI.hpp>
#include <algorithm>
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "autodiff/op_table.hpp"
#include "experiments/commands/commands.hpp"
#include "experiments/text_file.hpp"

namespace normalign::commands {
namespace {

struct GradcheckArguments {
  std::int64_t seed = 0;
  double tolerance = 1e-6;
  std::string json;
};

int gradcheck_table(const GradcheckArguments& a) {
  if (!(a.tolerance > 0 && a.tolerance < 1))
    throw InputError(text("tolerance: found ", a.tolerance, ", expected a number between 0 and 1"));
  if (a.seed < 0) throw InputError(text("seed: found ", a.seed, ", expected a whole number from 0"));
  const auto seed = static_cast<std::uint64_t>(a.seed);
  std::cout << "largest relative error against central differences, and of forward against reverse mode\n"
            << std::left << std::setw(28) << "operation" << std::right << std::setw(10) << "order 1" << std::setw(10)
            << "order 2" << std::setw(10) << "order 3" << std::setw(12) << "forward" << '\n';
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
    // setw counts bytes, and names may hold letters of two.
    const auto extra = std::ranges::count_if(row.name, [](char c) { return (c & 0xC0) == 0x80; });
    std::cout << std::left << std::setw(28 + static_cast<int>(extra)) << row.name << std::right << std::scientific
              << std::setprecision(1);
    for (double error : worst.error) std::cout << std::setw(10) << error;
    std::cout << std::setw(12) << worst.forward_error[0] << (worst.passed ? "" : "  FAILED") << '\n';
    if (!worst.passed) std::cout << "  " << worst.failure << '\n';
    failed += !worst.passed;
    rows.push_back({{"operation", row.name},
                    {"errors", worst.error},
                    {"forward_error", worst.forward_error[0]},
                    {"passed", worst.passed}});
  }
  if (!a.json.empty()) {
    const nlohmann::ordered_json json = {
        {"tolerance", a.tolerance}, {"seed", seed}, {"failed", failed}, {"rows", rows}};
    write_text_file(a.json, json.dump(2) + "\n");
  }
  std::cout << op_table().size() << " rows, " << failed << " failed; the bound is " << a.tolerance << ", the seed "
            << seed << '\n';
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
  command->add_option("--json", a.json, "Write the table as JSON too, with every digit")->type_name("FILE");
  return [arguments] { return gradcheck_table(*arguments); };
}

}  // namespace normalign::commands
