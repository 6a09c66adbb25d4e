#include "experiments/training/measurements.hpp"

#include <cmath>

#include "data/rings.hpp"
#include "experiments/training/grokking.hpp"
#include "geometry/complex/regions.hpp"
#include "geometry/local_geometry.hpp"
#include "linalg/reduce.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/tiny_run.hpp"

namespace normalign::tests {
namespace {

RunConfig measured_config() {
  return {.task = "tiny", .seed = 3, .hidden = {16}, .epochs = 3, .learning_rate = 1e-2, .test_criterion = 100};
}

TEST_CASE("nothing is measured that the config does not switch on") {
  for (const MetricRow& row : grokking_run<float>(measured_config(), tiny_data(), 1, {}).metrics)
    CHECK(row.extras.empty());
}

// The mean over the rows of -log of the label's share of the softmax of the outputs.
double cross_entropy_of(const Mlp<double>& mlp, const Dataset<double>& data) {
  Tape<double> tape;
  const Matrix<double> f(mlp.on(tape)(tape.constant(data.inputs)).value());
  double sum = 0;
  for (Index i = 0; i < f.rows(); ++i) {
    double normaliser = 0;
    for (const double output : f.row(i)) normaliser += std::exp(output);
    sum += std::log(normaliser) - f(i, data.labels[static_cast<std::size_t>(i)]);
  }
  return sum / static_cast<double>(f.rows());
}

TEST_CASE("classes trained by squared error log their cross entropy too, a single output and other losses do not") {
  RunConfig config = measured_config();
  config.precision = "float64";
  config.loss = "mse";
  const auto data = tiny_data<double>();
  const MetricRow untrained = grokking_run<double>(config, data, 1, {}).metrics.front();
  const Mlp<double> same({.widths = {10, 16, 2}, .seed = 3});
  CHECK_THAT(extra(untrained, "train_cross_entropy"), WithinRel(cross_entropy_of(same, data.train), 1e-12));
  CHECK_THAT(extra(untrained, "test_cross_entropy"), WithinRel(cross_entropy_of(same, data.test), 1e-12));
  config.single_output = true;
  CHECK(grokking_run<double>(config, data, 1, {}).metrics.front().extras.empty());
  config.loss = "bce";
  CHECK(grokking_run<double>(config, data, 1, {}).metrics.front().extras.empty());
}

TEST_CASE("geometry is that of the first samples of either side") {
  RunConfig config = measured_config();
  config.geometry_samples = 7;
  const auto data = tiny_data();
  const RunLog log = grokking_run<float>(config, data, 2, {});
  const Mlp<float> untrained({.widths = {10, 16, 2}, .seed = 3});
  const auto first = [](const Dataset<float>& set, Index n) {
    return Batch<float>{.inputs = set.inputs.view().row_block(0, n),
                        .labels = std::span(set.labels).first(static_cast<std::size_t>(n))};
  };
  for (const auto& [name, value] : measures(mean_local_geometry(untrained, first(data.train, 7), 1))) {
    REQUIRE(has_extra(log.metrics[0], name));
    CHECK(extra(log.metrics[0], name) == value.value());
  }
  for (const auto& [name, value] : measures(mean_local_geometry(untrained, first(data.test, 7), 1)))
    CHECK(extra(log.metrics[0], text("test_", name)) == value.value());
  CHECK(extra(log.metrics[0], "chance_alignment") == chance_alignment(10));
  // |mu_x| by differences of the sum of the outputs, mean over the samples.
  for (const auto& entry : {std::pair{"centroid_norm", &data.train}, {"test_centroid_norm", &data.test}}) {
    const auto* const data_set = entry.second;
    const Mlp<double> same({.widths = {10, 16, 2}, .seed = 3});
    double mean = 0;
    for (Index i = 0; i < 7; ++i) {
      double squares = 0;
      for (Index j = 0; j < 10; ++j) {
        const auto sum_at = [&](double shift) {
          Matrix<double> x(1, 10);
          for (Index c = 0; c < 10; ++c) x(0, c) = static_cast<double>(data_set->inputs(i, c));
          x(0, j) += shift;
          Tape<double> tape;
          return total(same.on(tape)(tape.constant(x)).value().span());
        };
        squares += std::pow((sum_at(1e-6) - sum_at(-1e-6)) / 2e-6, 2);
      }
      mean += std::sqrt(squares) / 7;
    }
    CHECK_THAT(extra(log.metrics[0], entry.first), WithinRel(mean, 1e-4));
  }
  for (const MetricRow& row : log.metrics) CHECK(extra(row, "geometry_time") > 0);
  // More than there are: all of them.
  config.geometry_samples = 1000;
  CHECK(extra(grokking_run<float>(config, data, 1, {}).metrics[0], "jacobian_norm") ==
        mean_local_geometry(untrained, first(data.train, 30), 1).jacobian_norm);
}

TEST_CASE("accuracy under noise falls from the clean accuracy to chance as the noise grows") {
  RunConfig config = measured_config();
  config.epochs = 150;
  config.test_criterion = 90;
  config.noise_levels = {0, 0.1, 100};
  const RunLog log = grokking_run<float>(config, tiny_data(), 1, {});
  REQUIRE(log.metrics.back().test_acc > 65);
  for (const MetricRow& row : log.metrics) CHECK(extra(row, "noise_acc_0") == row.test_acc);
  double mean = 0;
  for (const MetricRow& row : log.metrics)
    mean += extra(row, "noise_acc_100") / static_cast<double>(log.metrics.size());
  CHECK(std::abs(mean - 50) < 10);
  CHECK(extra(log.metrics.back(), "noise_acc_0.1") >= 60);
  CHECK(extra(log.metrics.back(), "noise_time") > 0);
}

TEST_CASE("accuracy under attack is at most the clean one, falls with the radius, and counts the first test points") {
  RunConfig config = measured_config();
  config.epochs = 40;
  config.attack_radii = {0, 0.05, 1};
  for (const char* norm : {"linf", "l2"}) {
    config.attack_norm = norm;
    CAPTURE(norm);
    const RunLog log = grokking_run<float>(config, tiny_data(), 1, {});
    for (const MetricRow& row : log.metrics) {
      CHECK(extra(row, text("attack_acc_", norm, "_0")) == row.test_acc);
      CHECK(extra(row, text("attack_acc_", norm, "_1")) <= extra(row, text("attack_acc_", norm, "_0.05")) + 5);
    }
    CHECK(extra(log.metrics.back(), text("attack_acc_", norm, "_1")) < log.metrics.back().test_acc - 20);
    CHECK(extra(log.metrics.back(), "attack_time") > 0);
  }
  config.attack_radii = {0};
  config.attack_samples = 1;
  for (const MetricRow& row : grokking_run<float>(config, tiny_data(), 1, {}).metrics) {
    const double found = extra(row, "attack_acc_l2_0");
    CHECK((found == 0 || found == 100));
  }
}

TEST_CASE("the noise criterion holds a run back, and is measured only where the others are met") {
  RunConfig config = measured_config();
  config.epochs = 30;
  config.train_criterion = config.test_criterion = 0;
  config.noise_criterion_level = 50;
  CHECK(grokking_run<float>(config, tiny_data(), 1, {}).grokking_epoch == 0);
  config.noise_criterion = 90;
  const RunLog never = grokking_run<float>(config, tiny_data(), 1, {});
  CHECK_FALSE(never.grokked);
  for (const MetricRow& row : never.metrics) CHECK(has_extra(row, "noise_acc_50"));
  // Without noise the criterion is one more on the test accuracy.
  config.noise_criterion_level = 0;
  config.noise_criterion = 55;
  config.train_criterion = 60;
  const RunLog log = grokking_run<float>(config, tiny_data(), 1, {});
  REQUIRE(log.grokked);
  CHECK(log.metrics.back().test_acc > 55);
  for (std::size_t i = 0; i + 1 < log.metrics.size(); ++i) {
    const MetricRow& row = log.metrics[i];
    CHECK_FALSE((row.test_acc > 55 && row.train_acc > 60));
    CHECK(has_extra(row, "noise_acc_0") == (row.train_acc > 60 && row.test_acc > 0));
  }
  // What is measured at every row anyway decides as well, and is not said twice.
  config.noise_levels = {0};
  const RunLog measured = grokking_run<float>(config, tiny_data(), 1, {});
  CHECK(measured.grokking_epoch == log.grokking_epoch);
  for (const MetricRow& row : measured.metrics) CHECK(has_extra(row, "noise_acc_0"));
}

// The rings in d dimensions, small.
RunConfig rings_config() {
  RunConfig config = measured_config();
  config.hidden = {5};
  return config;
}

TEST_CASE("regions are counted as the geometry counts them, and not beyond the bound") {
  const Split<float> data = rings<float>({.dimensions = 3, .train_samples = 30, .test_samples = 10});
  RunConfig config = rings_config();
  config.max_regions = 26;
  const RunLog whole = grokking_run<float>(config, data, 1, {});
  // Five walls in general position in space, by Zaslavsky: 1 + 5 + 10 + 10.
  for (const MetricRow& row : whole.metrics) {
    CHECK(extra(row, "num_regions") == 26);
    CHECK(extra(row, "regions_time") > 0);
  }
  config.max_regions = 25;
  for (const MetricRow& row : grokking_run<float>(config, data, 1, {}).metrics) {
    CHECK_FALSE(has_extra(row, "num_regions"));
    CHECK(has_extra(row, "regions_time"));
  }
  config.region_box = 0.5;
  const Mlp<float> untrained({.widths = {3, 5, 2}, .seed = 3});
  CHECK(extra(grokking_run<float>(config, data, 1, {}).metrics[0], "num_regions") ==
        static_cast<double>(regions(piecewise_affine(untrained), {.box = 0.5}).count()));
}

TEST_CASE("regions of a network that has too many inputs, or none, are refused by name") {
  RunConfig config = measured_config();
  config.max_regions = 7;
  CHECK(message_of<InputError>([&] { grokking_run<float>(config, tiny_data(), 1, {}); }) ==
        "max_regions: found 7, expected 0, as the network has 10 inputs and regions are counted for at most 6");
  config = rings_config();
  config.max_regions = 7;
  config.activation = "tanh";
  CHECK(message_of<InputError>([&] { grokking_run<float>(config, rings<float>(), 1, {}); }) ==
        "max_regions: found 7, expected 0, as a network of tanh has no regions");
}

TEST_CASE("certificates of a linear network are the distances to its hyperplane") {
  // One hidden layer of identity units is a linear network: with f_0 - f_1 = w x + c a point is |w x + c| / |w| from
  // the boundary, in the dual norm.
  RunConfig config = measured_config();
  config.precision = "float64";
  config.activation = "identity";
  config.certificate_samples = 20;
  const auto data = tiny_data<double>();
  for (const char* norm : {"linf", "l2"}) {
    config.attack_norm = norm;
    const MetricRow untrained = grokking_run<double>(config, data, 2, {}).metrics.front();
    const PiecewiseAffineNetwork network =
        piecewise_affine(Mlp<double>({.widths = {10, 16, 2}, .activation = Activation::identity, .seed = 3}));
    const Matrix<double> outputs = network(data.test.inputs);
    const Matrix<double> zero(1, 10), at_zero = network(zero);
    double squares = 0, sizes = 0, sum = 0, points = 0;
    for (Index j = 0; j < 10; ++j) {
      Matrix<double> axis(1, 10);
      axis(0, j) = 1;
      const Matrix<double> there = network(axis);
      const double slope = there(0, 0) - at_zero(0, 0) - there(0, 1) + at_zero(0, 1);
      squares += slope * slope;
      sizes += std::abs(slope);
    }
    for (Index i = 0; i < 20; ++i) {
      const double lead = outputs(i, 0) - outputs(i, 1);
      if ((data.test.labels[static_cast<std::size_t>(i)] == 0) != (lead > 0)) continue;
      sum += std::abs(lead) / (norm == std::string("l2") ? std::sqrt(squares) : sizes);
      ++points;
    }
    REQUIRE(points > 3);
    REQUIRE(points < 20);
    CHECK(extra(untrained, "certified_points") == points);
    CHECK(extra(untrained, "certified_exact") == points);
    CHECK_THAT(extra(untrained, text("certified_distance_", norm)), WithinRel(sum / points, 1e-8));
    CHECK(extra(untrained, "certificates_time") > 0);
  }
}

TEST_CASE("certificates of a run are those of the geometry, with as many parts as it may visit") {
  RunConfig config = measured_config();
  config.hidden = {8};
  config.certificate_samples = 6;
  config.attack_norm = "l2";
  const auto data = tiny_data();
  const RunLog log = grokking_run<float>(config, data, 1, {});
  CHECK(without_timings(grokking_run<float>(config, data, 8, {})) == without_timings(log));
  config.certificate_parts = 0;
  const RunLog hasty = grokking_run<float>(config, data, 1, {});
  for (std::size_t i = 0; i < log.metrics.size(); ++i) {
    const MetricRow &row = log.metrics[i], &less = hasty.metrics[i];
    CHECK(extra(row, "certified_exact") == extra(row, "certified_points"));
    CHECK(extra(less, "certified_points") == extra(row, "certified_points"));
    if (extra(row, "certified_points") == 0) continue;
    CHECK(extra(less, "certified_exact") < extra(row, "certified_exact"));
    CHECK(extra(less, "certified_distance_l2") < extra(row, "certified_distance_l2"));
  }
  config.activation = "tanh";
  CHECK(message_of<InputError>([&] { grokking_run<float>(config, data, 1, {}); }) ==
        "certificate_samples: found 6, expected 0, as a network of tanh has no regions, by which distances are "
        "certified");
}

TEST_CASE("noise that begins behind the last column is refused") {
  RunConfig config = measured_config();
  config.noise_levels = {0.1};
  config.noise_first_column = 11;
  CHECK(message_of([&] { grokking_run<float>(config, tiny_data(), 1, {}); }) ==
        "noise_first_column: found 11, expected at most the 10 columns of the data");
}

}  // namespace
}  // namespace normalign::tests
