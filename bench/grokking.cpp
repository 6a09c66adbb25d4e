// How much sooner GrokAlign groks.
#include <atomic>
#include <iostream>
#include <sstream>
#include <thread>

#include "experiments/figures/statistics.hpp"
#include "experiments/training/task.hpp"
#include "groups.hpp"

namespace normalign::bench {

// Sparse parity with and without GrokAlign, seeds 0 to 2, two one-thread runs side by side.
void grokking(Report& report, const BenchOptions&) {
  struct Run {
    std::string condition;
    std::int64_t seed;
    RunLog log;
  };
  std::vector<Run> runs;
  for (const std::string condition : {"baseline", "grokalign"})
    for (std::int64_t seed : {0, 1, 2}) runs.push_back({condition, seed, {}});
  std::atomic<std::size_t> next = 0;
  const auto worker = [&] {
    for (std::size_t i = next++; i < runs.size(); i = next++) {
      RunConfig config = task("sparse_parity").defaults;
      config.task = "sparse_parity";
      config.condition = runs[i].condition;
      config.seed = runs[i].seed;
      runs[i].log = task("sparse_parity").run(config, 1, {});
    }
  };
  std::thread other(worker);
  worker();
  other.join();
  const auto sample = [&](const std::string& condition, bool seconds) {
    std::vector<double> values;
    for (const Run& run : runs)
      if (run.condition == condition && run.log.grokked)
        values.push_back(seconds ? run.log.metrics.back().opt_time : static_cast<double>(*run.log.grokking_epoch));
    return values;
  };
  for (const bool seconds : {false, true}) {
    const auto baseline = sample("baseline", seconds), grokalign = sample("grokalign", seconds);
    if (baseline.size() < 3 || grokalign.size() < 3) {
      std::cerr << "grokking: a run did not grok\n";
      return;
    }
    std::ostringstream text;
    text << "medians of seeds 0, 1, 2: " << *median(baseline) << " and " << *median(grokalign)
         << (seconds ? " s of optimisation" : " epochs") << "; ratio of means " << *mean(baseline) / *mean(grokalign);
    report.add({.name = std::string("sparse_parity: grokalign sooner, ") + (seconds ? "time" : "epochs"),
                .value = *median(baseline) / *median(grokalign),
                .unit = "x",
                .bound = seconds ? 5.0 : 8.0,
                .at_most = false,
                .explanation = text.str()});
  }
}

}  // namespace normalign::bench
