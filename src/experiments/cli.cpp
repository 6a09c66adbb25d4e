#include "experiments/cli.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <iostream>

#include "experiments/commands/commands.hpp"
#include "linalg/error.hpp"

namespace normalign {

namespace {

constexpr const char* footer =
    "Exit status: 0 done; 1 a run or a check failed, or the machine did; 2 a mistake in the arguments or in a file "
    "that\n"
    "they name; 130 or 143 stopped by Ctrl-C or SIGTERM (train, sweep, tabular and study then say how they go on).\n"
    "Results go to standard output, progress and messages to standard error; nothing is coloured.";

// The library would take a number that is too large for the largest there is, and messages would show that one.
std::string beyond_64_bits(const std::string& words) {
  std::int64_t ignored = 0;
  const char* const begin = words.data() + words.starts_with('+');
  const auto [rest, error] = std::from_chars(begin, words.data() + words.size(), ignored);
  return error == std::errc::result_out_of_range ? "found " + words + ", expected a whole number of at most 64 bits"
                                                 : "";
}

void check_whole_numbers(CLI::App& command) {
  for (CLI::Option* option : command.get_options())
    if (const std::string type = option->get_type_name(); type == "INT" || type == "N" || type == "COUNT")
      option->check(beyond_64_bits, "", "");
}

}  // namespace

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
  app.footer(footer);
  for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    check_whole_numbers(*command);
    for (CLI::App* group : command->get_subcommands([](const CLI::App*) { return true; })) check_whole_numbers(*group);
  }
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
