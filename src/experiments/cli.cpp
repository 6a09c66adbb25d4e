#include "experiments/cli.hpp"

#include <CLI/CLI.hpp>
#include <iostream>

#include "experiments/commands/commands.hpp"
#include "linalg/error.hpp"

namespace normalign {

int command_line(int argc, const char* const* argv) {
  CLI::App app("normalign: the local geometry of trained models", "normalign");
  app.set_version_flag("--version", text("normalign ", NORMALIGN_VERSION));
  app.require_subcommand(0, 1);  // that there is one is checked below: here an unknown name would not be named
  app.get_formatter()->column_width(34);
  const std::pair<const char*, commands::Command> all[] = {
      {"train", commands::add_train(app)},         {"sweep", commands::add_sweep(app)},
      {"tabular", commands::add_tabular(app)},     {"datasets", commands::add_datasets(app)},
      {"study", commands::add_study(app)},         {"summary", commands::add_summary(app)},
      {"plot", commands::add_plot(app)},           {"inspect", commands::add_inspect(app)},
      {"slice", commands::add_slice(app)},         {"robustness", commands::add_robustness(app)},
      {"gradcheck", commands::add_gradcheck(app)}, {"report", commands::add_report(app)}};
  try {
    app.parse(argc, argv);
    std::string known;
    for (const auto& [name, run] : all) {
      if (app.got_subcommand(name)) return run();
      known += text(known.empty() ? "" : ", ", name);
    }
    throw InputError(text("command: found none, expected one of ", known, " (see normalign --help)"));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version
    std::cerr << "normalign: " << error.what() << " (see normalign --help)\n";
    return 2;
  } catch (const InputError& error) {
    std::cerr << "normalign: " << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "normalign: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace normalign
