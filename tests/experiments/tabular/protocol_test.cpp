#include "experiments/tabular/protocol.hpp"

#include <cmath>

#include "data/folds.hpp"
#include "data/multi_index.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

// A multi-index table with the splits that a file of the user's gets.
TabularData some_table(Index samples = 160, Index dimension = 6) {
  TabularData data{.name = "some", .samples = multi_index<double>({.samples = samples, .dimension = dimension}).data};
  data.selection = stratified_halves(data.samples.labels, data.samples.classes, 0);
  data.folds = stratified_folds(data.samples.labels, data.samples.classes, 4, 0);
  return data;
}

TabularConfig quick() {
  return {.dataset = "some", .regularisations = {1, 0.01}, .updates = 1, .attack_radii = {0.3}, .attack_steps = 3};
}

bool same_figures(const TabularResult& a, const TabularResult& b) {
  if (a.folds.size() != b.folds.size()) return false;
  for (std::size_t i = 0; i < a.folds.size(); ++i)
    if (a.folds[i].test_acc != b.folds[i].test_acc || a.folds[i].train_acc != b.folds[i].train_acc ||
        a.folds[i].robust_acc != b.folds[i].robust_acc || a.folds[i].effective_rank != b.folds[i].effective_rank ||
        a.folds[i].normal_alignment != b.folds[i].normal_alignment ||
        a.folds[i].selection.validation_acc != b.folds[i].selection.validation_acc)
      return false;
  return true;
}

void check_finite(const TabularResult& result) {
  for (const TabularFold& fold : result.folds) {
    for (const double value : {fold.train_acc, fold.test_acc, fold.robust_acc.at(0)})
      CHECK((value >= 0 && value <= 100));
    for (const auto& value : {fold.effective_rank, fold.normalised_rank, fold.normal_alignment})
      CHECK((!value || std::isfinite(*value)));
  }
}

}  // namespace

TEST_CASE("tabular run: the same figures at any number of threads, and progress counts to the end") {
  const TabularData data = some_table();
  for (const char* protocol : {"published", "nested"}) {
    TabularConfig config = quick();
    config.protocol = protocol;
    Index last = 0, all = 0;
    std::vector<std::string> stages;
    const TabularResult one = tabular_run(config, data, {}, [&](Index done, Index of, const std::string& what) {
      CHECK((done == last || done == last + 1));
      last = done;
      all = of;
      if (stages.empty() || stages.back() != what) stages.push_back(what);
    });
    CHECK(last == all);
    CHECK(std::ranges::count(stages, "fold 2 of 4: attacks") == 1);
    CHECK(std::ranges::count(stages, "fold 2 of 4: choosing with regularisation 0.01") ==
          (config.protocol == "nested"));
    CHECK(all == tabular_steps(config, data));
    CHECK(one.folds.size() == 4);
    CHECK(one.cost.fits == (config.protocol == "nested" ? 4 : 1) * 4 + 4);
    CHECK(same_figures(one, tabular_run(config, data, {.threads = 3})));
    check_finite(one);
  }
}

TEST_CASE(
    "tabular run: apgd is the stronger attack, never weaker within a larger radius, and takes the same settings") {
  const TabularData data = some_table();
  for (const char* precision : {"float64", "float32"}) {
    TabularConfig config = quick();
    config.precision = precision;
    config.attack_radii = {0.3, 0, 0.1};
    config.attack_steps = 20;
    const TabularResult published = tabular_run(config, data);
    config.attack = "apgd";
    const TabularResult strong = tabular_run(config, data);
    CHECK(same_figures(strong, tabular_run(config, data, {.threads = 3})));
    double by_pgd = 0, by_apgd = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const TabularFold &weak = published.folds[i], &found = strong.folds[i];
      CHECK(found.test_acc == weak.test_acc);
      CHECK(found.normal_alignment == weak.normal_alignment);
      CHECK(found.robust_acc[1] == found.test_acc);
      CHECK(found.robust_acc[2] <= found.test_acc);
      CHECK(found.robust_acc[0] <= found.robust_acc[2]);
      for (const std::size_t r : {std::size_t{0}, std::size_t{2}}) {
        by_pgd += weak.robust_acc[r];
        by_apgd += found.robust_acc[r];
      }
    }
    CHECK(by_apgd < by_pgd);
    config.attack_restarts = 3;
    double by_restarts = 0;
    for (const TabularFold& fold : tabular_run(config, data).folds)
      by_restarts += fold.robust_acc[0] + fold.robust_acc[2];
    CHECK(by_restarts <= by_apgd);
    config.attack_clamp = {0, 1e-3};
    for (const char* attack : {"pgd", "apgd"}) {
      config.attack = attack;
      CHECK(contains(message_of([&] { tabular_run(config, data); }), "the inputs must lie in it"));
    }
  }
}

TEST_CASE("tabular run: a clamp reaches the attacks") {
  TabularData data = some_table();
  for (double& value : data.samples.inputs.span()) value = value > 0 ? 1 : 0;
  for (const char* attack : {"pgd", "apgd"}) {
    TabularConfig config = quick();
    config.attack = attack;
    config.attack_radii = {0.9};
    const double free = tabular_run(config, data).folds[0].robust_acc[0];
    config.attack_clamp = {0, 1};
    CHECK(tabular_run(config, data).folds[0].robust_acc[0] != free);
  }
}

TEST_CASE("tabular run: the nested protocol never looks at a test row before the figures") {
  TabularData data = some_table();
  TabularConfig config = quick();
  config.protocol = "nested";
  const TabularResult before = tabular_run(config, data);
  // Other labels on the first fold's test rows: its choice must stay. The published protocol's may change.
  for (const Index row : data.folds[0].test) {
    auto& label = data.samples.labels[static_cast<std::size_t>(row)];
    label = static_cast<std::int32_t>((label + 1) % data.samples.classes);
  }
  const TabularResult after = tabular_run(config, data);
  CHECK(after.folds[0].selection.validation_acc == before.folds[0].selection.validation_acc);
  CHECK(after.folds[0].train_acc == before.folds[0].train_acc);
  CHECK(after.folds[0].test_acc != before.folds[0].test_acc);
  config.protocol = "published";
  const double leaked = tabular_run(config, some_table()).folds[0].selection.validation_acc;
  CHECK(tabular_run(config, data).folds[0].selection.validation_acc != leaked);
}

TEST_CASE(
    "tabular run: where memory is short systems are solved by iteration, to the same accuracy, and the log says so") {
  const TabularData data = some_table(400);
  const TabularResult direct = tabular_run(quick(), data), iterated = tabular_run(quick(), data, {.memory = 1000});
  CHECK(direct.cost.by_iteration == 0);
  CHECK(direct.cost.residual == 0);
  CHECK(iterated.cost.by_iteration == iterated.cost.fits);
  CHECK(iterated.cost.unconverged == 0);
  CHECK(iterated.cost.residual > 0);
  CHECK(iterated.cost.residual <= RidgeOptions{}.tolerance);
  double difference = 0;
  for (std::size_t i = 0; i < 4; ++i) difference += (iterated.folds[i].test_acc - direct.folds[i].test_acc) / 4;
  CHECK(std::abs(difference) <= 0.2);
}

TEST_CASE("tabular run: constant columns, more features than rows, repeated rows and a fold of one class give no NaN") {
  for (const double alpha : {0.0, 1.0}) {
    TabularConfig config = quick();
    config.alpha = alpha;
    TabularData constant = some_table();
    for (Index i = 0; i < constant.samples.inputs.rows(); ++i)
      constant.samples.inputs(i, 1) = constant.samples.inputs(i, 4) = 3;
    check_finite(tabular_run(config, constant));

    check_finite(tabular_run(config, some_table(24, 60)));

    TabularData repeated = some_table();
    for (Index i = 80; i < 160; ++i)
      std::ranges::copy(repeated.samples.inputs.row(i - 80), repeated.samples.inputs.row(i).begin());
    check_finite(tabular_run(config, repeated));

    TabularData single = some_table();
    for (const Index row : single.folds[0].train) single.samples.labels[static_cast<std::size_t>(row)] = 0;
    check_finite(tabular_run(config, single));

    TabularData nothing = some_table();  // all rows equal: covariance and gradients are 0
    std::ranges::fill(nothing.samples.inputs.span(), 2.0);
    check_finite(tabular_run(config, nothing));
  }
}

TEST_CASE("tabular run: more features than rows change no figure") {
  // Rows that are in no split make a table of the same splits that has more rows than features.
  TabularData wide = some_table(24, 60), padded = wide;
  const Matrix<double> others = random_matrix({40, 60}, 3);
  padded.samples.inputs = Matrix<double>(64, 60);
  std::ranges::copy(others.span(), std::ranges::copy(wide.samples.inputs.span(), padded.samples.inputs.data()).out);
  padded.samples.labels.resize(64);
  for (const char* kernel : {"laplace", "gaussian", "generalised_laplace"})
    for (const double alpha : {0.0, 0.5, 1.0})
      for (const char* attack : {"pgd", "apgd"})
        for (const char* precision : {"float64", "float32"}) {
          CAPTURE(kernel, alpha, attack, precision);
          TabularConfig config = quick();
          config.kernel = kernel;
          config.alpha = alpha;
          config.attack = attack;
          config.precision = precision;
          config.attack_radii = {0, 0.3, 1};
          config.attack_steps = 8;
          const TabularResult found = tabular_run(config, wide), expected = tabular_run(config, padded);
          const double bound = config.precision == "float64" ? 1e-10 : 1e-3;
          for (std::size_t i = 0; i < 4; ++i) {
            const TabularFold &a = found.folds[i], &b = expected.folds[i];
            CHECK(a.selection.regularisation == b.selection.regularisation);
            CHECK(a.selection.updates == b.selection.updates);
            CHECK(a.train_acc == b.train_acc);
            CHECK(a.test_acc == b.test_acc);
            CHECK(a.robust_acc == b.robust_acc);
            CHECK_THAT(a.effective_rank.value(), WithinRel(b.effective_rank.value(), bound));
            CHECK_THAT(a.normalised_rank.value(), WithinRel(b.normalised_rank.value(), bound));
            CHECK_THAT(a.normal_alignment.value(), WithinRel(b.normal_alignment.value(), bound));
          }
          CHECK(same_figures(found, tabular_run(config, wide, {.threads = 3})));
        }
}

TEST_CASE("tabular run: several bandwidths are tried with each regularisation, and the best is kept") {
  const TabularData data = some_table();
  TabularConfig config = quick();
  config.updates = 0;  // each fit draws other rows for an update
  double best = 0;
  for (const double bandwidth : {0.01, 5.0}) {
    config.bandwidth = bandwidth;
    best = std::max(best, tabular_run(config, data).folds[0].selection.validation_acc);
  }
  config.bandwidths = {0.01, 5};
  config.bandwidth = 77;
  const TabularResult found = tabular_run(config, data);
  CHECK(found.cost.fits == 2 * 2 + 4);
  CHECK(found.folds[0].selection.bandwidth == 5);
  CHECK(found.folds[0].selection.validation_acc == best);
  config.bandwidths = {5};
  const TabularResult alone = tabular_run(config, data);
  CHECK(alone.folds[0].test_acc == found.folds[0].test_acc);
}

TEST_CASE("tabular run: targets are predicted in their units, whatever these are") {
  // Two targets of a function that kernels can fit, one of them a million times larger and far from 0.
  TabularData data = some_table(200, 3);
  data.samples.labels.clear();
  data.samples.classes = 0;
  data.samples.targets = Matrix<double>(200, 2);
  for (Index i = 0; i < 200; ++i) {
    const auto x = data.samples.inputs.row(i);
    data.samples.targets(i, 0) = std::sin(x[0]) + x[1];
    data.samples.targets(i, 1) = 1e6 * (data.samples.targets(i, 0) + 30);
  }
  TabularConfig config = quick();
  config.protocol = "nested";
  CHECK(
      contains(message_of<InputError>([&] { tabular_run(config, data); }), "attack_radii: found some for a table of"));
  config.attack_radii = {};
  for (const char* precision : {"float64", "float32"}) {
    config.precision = precision;
    for (const TabularFold& fold : tabular_run(config, data).folds) {
      CHECK(fold.test_acc > 70);
      CHECK(fold.train_acc > fold.test_acc);
      CHECK(fold.test_rmse.value() > 1e4);
      CHECK(fold.test_rmse.value() < 1e6);
    }
  }
  config.precision = "float64";
  const TabularResult both = tabular_run(config, data);
  TabularData one = data;
  one.samples.targets = Matrix<double>(200, 1);
  for (Index i = 0; i < 200; ++i) one.samples.targets(i, 0) = data.samples.targets(i, 0);
  const TabularResult alone = tabular_run(config, one);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(both.folds[i].test_acc == Approx(alone.folds[i].test_acc).margin(0.05));
    const std::vector<Index>& rows = data.folds[i].test;
    const auto n = static_cast<double>(rows.size());
    double sum = 0, squares = 0;
    for (const Index row : rows) {
      sum += one.samples.targets(row, 0);
      squares += std::pow(one.samples.targets(row, 0), 2);
    }
    const double variance = squares / n - std::pow(sum / n, 2);
    CHECK(std::pow(alone.folds[i].test_rmse.value(), 2) ==
          Approx(variance * (1 - alone.folds[i].test_acc / 100)).epsilon(1e-9));
  }
}

TEST_CASE("tabular run: a table of very many columns takes no matrix of columns x columns") {
  TabularConfig config = quick();
  config.alpha = 0;
  // Of columns x columns each metric would take 3.2 GB.
  check_finite(tabular_run(config, some_table(24, 20000)));
}

TEST_CASE("tabular run: a config out of range and an empty fold are refused by name") {
  const TabularData data = some_table();
  const auto refusal = [&](const TabularConfig& config, const TabularData& table) {
    return message_of([&] { tabular_run(config, table); });
  };
  TabularConfig config = quick();
  config.alpha = 1.5;
  CHECK(refusal(config, data) == "alpha: found 1.5, expected a number from 0 to 1");
  config = quick();
  config.protocol = "other";
  CHECK(refusal(config, data) == "protocol: found 'other', expected one of published, nested");
  config = quick();
  config.regularisations = {};
  CHECK(refusal(config, data) == "regularisations: found none, expected at least one");
  config = quick();
  config.attack = "fgsm";
  CHECK(refusal(config, data) == "attack: found 'fgsm', expected one of pgd, apgd");
  for (const std::vector<double>& clamp : {std::vector<double>{1}, {1, 0}, {0, 1, 2}}) {
    config = quick();
    config.attack_clamp = clamp;
    CHECK(refusal(config, data).starts_with("attack_clamp: found ["));
    CHECK(refusal(config, data).ends_with("expected two numbers in order, or none"));
  }
  TabularData empty = some_table();
  empty.folds[2].test.clear();
  CHECK(refusal(quick(), empty) == "some: found 120 and 0 rows in a fold, expected some in both parts");
}

}  // namespace normalign::tests
