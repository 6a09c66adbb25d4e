#include "experiments/runs/machine.hpp"
#include "experiments/runs/json_kind.hpp"

#include <iostream>
#include <memory>

#include "experiments/commands/commands.hpp"
#include "experiments/figures/text_file.hpp"

namespace normalign::commands {

Command add_machine(CLI::App& app) {
  const auto json = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand(
      "machine", "What this machine offers: cores, memory, and how fast its BLAS is; status 1 if that is wrong");
  add(*command, "--json", *json, "Write it as JSON too, with every digit", "FILE");
  command->footer(
      "A rate is that of one thread, in 1e9 floating-point operations a second of its processor time: for the product\n"
      "of two 512 x 512 matrices, and for the multiply-adds in registers that bound it. Both are measured here.");
  return [json] {
    const Machine found = machine();
    if (!json->empty()) write_json_file(*json, kind::machine, as_json(found));
    std::cout << as_text(found);
    return found.wrong_product.empty() ? 0 : 1;
  };
}

}  // namespace normalign::commands
