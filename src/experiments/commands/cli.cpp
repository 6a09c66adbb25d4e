#include "experiments/commands/cli.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <new>
#include <stdexcept>
#include <string_view>

#include "base/error.hpp"
#include "base/nearest_name.hpp"
#include "experiments/commands/commands.hpp"

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

// In help an option that takes one value each time is not shown as one that takes several.
class HelpFormatter : public CLI::Formatter {
  std::string make_option_opts(const CLI::Option* option) const override {
    constexpr std::string_view more = " ...";
    std::string words = CLI::Formatter::make_option_opts(option);
    if (const auto at = words.find(more); at != words.npos && !option->get_allow_extra_args())
      words.erase(at, more.size());
    return words;
  }
};

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> result;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    result.push_back(command->get_name());
  return result;
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> result;
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : option->get_lnames()) result.push_back("--" + name);
  return result;
}

// The first word that the command has no place for; a mistyped name also misses where it should have been, and that
// is said first by the library.
std::string surplus(const CLI::App& command, bool is_whole, const std::string& word) {
  const std::string found = text("found '", one_line(word), "', ");
  if (is_whole && !word.starts_with('-')) return "command: " + found + expected_one_of(word, command_names(command));
  const std::string who = is_whole ? "" : command.get_name() + ": ";
  if (word.starts_with('-')) {
    const std::string name = word.substr(0, word.find('='));
    return who + found + "expected an option that there is" + did_you_mean(name, option_names(command));
  }
  return who + commands::no_further_argument(word, command.get_option_no_throw("--set"));
}

// What is said of arguments that cannot be parsed, on one line that ends with whose help tells more.
std::string mistake(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<CLI::App*> given = app.get_subcommands();
  const CLI::App& command = given.empty() ? app : *given.front();
  const std::vector<std::string> left = command.remaining();
  return text(left.empty() ? error.what() : surplus(command, given.empty(), left.front()), " (see normalign ",
              given.empty() ? "" : command.get_name() + ' ', "--help)");
}

// It would take nan and inf, and make inf of what is larger than the largest double. What is no number it tells of.
std::string not_finite(const std::string& words) {
  char* rest = nullptr;
  const double value = std::strtod(words.c_str(), &rest);
  return !words.empty() && *rest == '\0' && !std::isfinite(value) ? "found " + words + ", expected a finite number"
                                                                  : "";
}

int out_of_memory(const char* command) {
  std::cerr << "normalign: " << command << ": there is not enough memory for what was asked\n";
  return 1;
}

void check_numbers(CLI::App& command) {
  for (CLI::Option* option : command.get_options()) {
    const std::string type = option->get_type_name();
    if (type == "INT" || type == "N" || type == "COUNT") option->check(beyond_64_bits, "", "");
    if (type == "FLOAT") option->check(not_finite, "", "");
  }
}

// A file that is opened would get the number of a standard stream that the shell has closed, and be taken for it: what
// fails in the same way takes its place.
void occupy_closed_streams() {
  const auto is_closed = [](int stream) { return ::fcntl(stream, F_GETFD) < 0 && errno == EBADF; };
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (is_closed(stream) && ::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0) return;
}

// The exit status of a command that ended with `status`, after the last of its output is written.
int with_output_written(int status) {
  errno = 0;
  const bool is_written = std::fflush(stdout) == 0 && std::cout.flush() && !std::ferror(stdout);
  if (is_written) return status;
  std::cerr << "normalign: standard output cannot be written" << (errno ? text(": ", std::strerror(errno)) : "")
            << '\n';
  return status ? status : 1;
}

int run_command(int argc, const char* const* argv) {
  CLI::App app("normalign: the local geometry of trained models", "normalign");
  app.set_version_flag("--version", text("normalign ", NORMALIGN_VERSION));
  app.require_subcommand(0, 1);  // that there is one is checked below: here an unknown name would not be named
  app.formatter(std::make_shared<HelpFormatter>());
  app.get_formatter()->column_width(34);
  const std::pair<const char*, commands::Command> all[] = {
      {"train", commands::add_train(app)},         {"sweep", commands::add_sweep(app)},
      {"tabular", commands::add_tabular(app)},     {"datasets", commands::add_datasets(app)},
      {"study", commands::add_study(app)},         {"status", commands::add_status(app)},
      {"summary", commands::add_summary(app)},     {"plot", commands::add_plot(app)},
      {"inspect", commands::add_inspect(app)},     {"slice", commands::add_slice(app)},
      {"regions", commands::add_regions(app)},     {"robustness", commands::add_robustness(app)},
      {"gradcheck", commands::add_gradcheck(app)}, {"report", commands::add_report(app)},
      {"export", commands::add_export(app)},       {"predict", commands::add_predict(app)},
      {"machine", commands::add_machine(app)},     {"importances", commands::add_importances(app)}};
  app.footer(footer);
  for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    check_numbers(*command);
    for (CLI::App* group : command->get_subcommands([](const CLI::App*) { return true; })) check_numbers(*group);
  }
  const char* called = "";
  try {
    app.parse(argc, argv);
    for (const auto& [name, run] : all)
      if (app.got_subcommand(name)) {
        called = name;
        return run();
      }
    throw InputError(text("command: found none, ", expected_one_of("", command_names(app)), " (see normalign --help)"));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version
    std::cerr << "normalign: " << mistake(app, error) << '\n';
    return 2;
  } catch (const InputError& error) {
    std::cerr << "normalign: " << error.what() << '\n';
    return 2;
  } catch (const std::bad_alloc&) {
    return out_of_memory(called);
  } catch (const std::length_error&) {
    return out_of_memory(called);
  } catch (const std::exception& error) {
    std::cerr << "normalign: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace

int command_line(int argc, const char* const* argv) {
  occupy_closed_streams();
  return with_output_written(run_command(argc, argv));
}

}  // namespace normalign
