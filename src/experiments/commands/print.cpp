#include <CLI/CLI.hpp>
#include <iostream>

#include "experiments/commands/commands.hpp"
#include "experiments/figures/table.hpp"
#include "experiments/runs/status_line.hpp"

namespace normalign::commands {

void add_wide_option(CLI::App& command, bool& wide) {
  command.add_flag("--wide", wide,
                   "Tables in lines as long as they need (default: parted to fit the terminal, or COLUMNS if set)");
}

void print(const TableSet& tables, bool wide) {
  std::cout << as_text(tables, wide ? full_width : output_columns().value_or(full_width));
}

}  // namespace normalign::commands
