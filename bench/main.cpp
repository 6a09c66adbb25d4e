// normalign-bench: what a training step costs against the time of its own matrix products, and how long the geometry,
// kernel machines and grokking take. `--filter` picks groups, `--json` prints rows as JSON.
#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "experiments/runs/environment.hpp"
#include "groups.hpp"

namespace normalign::bench {
namespace {

struct Group {
  const char* name;
  Measure* measure;
};

constexpr Group groups[] = {{"steps", steps},
                            {"wide", wide},
                            {"threads", threads},
                            {"tape", tape},
                            {"scaling", scaling},
                            {"memory", memory},
                            {"alignment", alignment},
                            {"slices", slices},
                            {"certificates", certificates},
                            {"rfm", rfm},
                            {"large-rfm", rfm_large},
                            {"tables", tables},
                            {"grokking", grokking}};

int main(int argc, char** argv) {
  CLI::App app(
      "normalign-bench: training steps against their floor, threads, memory, alignment, slices, certificates, "
      "epochs to grok");
  std::string filter, names;
  BenchOptions options;
  ServeOptions serving;
  bool json = false;
  for (const Group& group : groups) names += (names.empty() ? "" : ", ") + std::string(group.name);
  app.add_option("--filter", filter, "Only the groups whose name holds this: " + names);
  app.add_option("--data", options.data, "Folder of MNIST, for certificates (default data/mnist)")->type_name("DIR");
  app.add_option("--tables", options.tables, "Folder of the UCI collection, for tables (default data/uci)")
      ->type_name("DIR");
  app.add_option(
         "--serve", serving.setting,
         "Take as many steps of this setting as each line of standard input says, and print their mean seconds, "
         "after a line with the floor; for bench/pytorch_step.py")
      ->type_name("SETTING");
  app.add_flag("--grokalign", serving.grokalign, "Serve steps with GrokAlign");
  app.add_option("--threads", serving.threads, "Threads of steps that are served (default 1)")->type_name("COUNT");
  app.add_flag("--json", json, "Print the rows as JSON");
  CLI11_PARSE(app, argc, argv);
  if (!serving.setting.empty()) {
    serve(serving);
    return 0;
  }
  if (!json) std::cout << environment(1).dump() << std::endl;
  Report report(json);
  for (const Group& group : groups) {
    if (std::string(group.name).find(filter) == std::string::npos) continue;
    try {
      group.measure(report, options);
    } catch (const InputError& error) {  // of data that are not there, or not in order
      std::cerr << group.name << ": left out: " << error.what() << '\n';
    }
  }
  return 0;
}

}  // namespace
}  // namespace normalign::bench

int main(int argc, char** argv) {
  try {
    return normalign::bench::main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "normalign-bench: " << error.what() << '\n';
    return dynamic_cast<const normalign::InputError*>(&error) ? 2 : 1;
  }
}
