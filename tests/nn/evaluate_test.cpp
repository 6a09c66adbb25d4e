#include "nn/evaluate.hpp"

#include <array>
#include <cmath>
#include <limits>

#include "base/infinity.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/reference.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

// A network whose output is its input, so that a test can choose outputs.
Mlp<double> identity_network(Index k) {
  Mlp<double> mlp({.widths = {k, k}, .bias = false});
  const auto weight = mlp.parameters().front();
  for (Index i = 0; i < k; ++i)
    for (Index j = 0; j < k; ++j) weight(i, j) = i == j;
  return mlp;
}

// The accuracy at these outputs and labels.
double accuracy(const M& outputs, const std::vector<std::int32_t>& labels) {
  const Mlp<double> mlp = identity_network(outputs.cols());
  const M targets(outputs.rows(), outputs.cols());
  return Evaluator<double>(mlp, Loss::mse, 1)({.inputs = outputs, .labels = labels, .targets = targets}).accuracy;
}

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

TEST_CASE("a row is right when its largest output is the label's") {
  CHECK(accuracy(M{{1, 2, 0}, {3, 2, 1}, {0, 1, 2}, {0, 1, 2}}, {1, 0, 2, 0}) == 75);
  CHECK(accuracy(M{{-1, -2}}, {0}) == 100);
  CHECK(accuracy(M{{-1, -2}}, {1}) == 0);
}

TEST_CASE("of equal largest outputs the first counts") {
  CHECK(accuracy(M{{2, 2, 1}}, {0}) == 100);
  CHECK(accuracy(M{{2, 2, 1}}, {1}) == 0);
  CHECK(accuracy(M{{1, 2, 2}}, {1}) == 100);
  CHECK(accuracy(M{{0, 0, 0}}, {2}) == 0);
  CHECK(accuracy(M{{0, -0.0}}, {0}) == 100);
}

TEST_CASE("with one output the sign decides and zero is wrong for both labels") {
  CHECK(accuracy(M{{0.5}, {-0.5}, {0.5}, {-0.5}}, {1, 0, 0, 1}) == 50);
  CHECK(accuracy(M{{0.0}, {-0.0}, {0.0}, {-0.0}}, {1, 0, 0, 1}) == 0);
  CHECK(accuracy(M{{infinity}, {-infinity}}, {1, 0}) == 100);
}

TEST_CASE("of targets the accuracy is 100 R², on any number of threads") {
  const Index n = 700;
  const Mlp<double> mlp = identity_network(2);
  const M outputs = random_matrix({n, 2}, 1);
  M targets = random_matrix({n, 2}, 2);
  for (Index i = 0; i < n; ++i) targets(i, 1) = 3 * targets(i, 1) + 5;
  std::array<double, 2> mean{}, residual{}, spread{};
  for (Index j = 0; j < 2; ++j) {
    const auto at = static_cast<std::size_t>(j);
    for (Index i = 0; i < n; ++i) mean[at] += targets(i, j) / static_cast<double>(n);
    for (Index i = 0; i < n; ++i) {
      residual[at] += std::pow(targets(i, j) - outputs(i, j), 2);
      spread[at] += std::pow(targets(i, j) - mean[at], 2);
    }
  }
  const double r_squared = (2 - residual[0] / spread[0] - residual[1] / spread[1]) / 2;
  const Batch<double> data{.inputs = outputs, .targets = targets};
  CHECK(data.is_regression());
  Evaluator<double> evaluate(mlp, Loss::mse, 1);
  const Evaluation found = evaluate(data);
  CHECK_THAT(found.accuracy, WithinRel(100 * r_squared, 1e-12));
  CHECK_THAT(found.loss, WithinRel((residual[0] + residual[1]) / static_cast<double>(2 * n), 1e-12));
  REQUIRE(found.rmse.size() == 2);
  CHECK_THAT(found.rmse[1], WithinRel(std::sqrt(residual[1] / static_cast<double>(n)), 1e-12));
  const Evaluation threaded = Evaluator<double>(mlp, Loss::mse, 8)(data);
  CHECK(threaded.accuracy == found.accuracy);
  CHECK(threaded.rmse == found.rmse);
  // Fewer rows afterwards, of the same evaluator.
  CHECK(evaluate({.inputs = outputs.view().row_block(0, 3), .targets = outputs.view().row_block(0, 3)}).accuracy ==
        100);
  CHECK(message_of([&] { evaluate({.inputs = outputs, .targets = targets.view().row_block(0, 3)}); }) ==
        "Evaluator: targets are 3x2; they must be 700x2");
  const std::vector<std::int32_t> labels(static_cast<std::size_t>(n));
  CHECK(Evaluator<double>(mlp, Loss::mse, 1)({.inputs = outputs, .labels = labels, .targets = targets}).rmse.empty());
}

TEST_CASE("the classes at some rows are those of their largest outputs") {
  CHECK(classes_at<double>(identity_network(3), M{{1, 2, 0}, {5, 5, 1}, {-3, -2, -1}}) ==
        std::vector<std::int32_t>{1, 0, 2});
  CHECK(classes_at<double>(identity_network(1), M{{0.5}, {0}, {-2}}) == std::vector<std::int32_t>{1, 0, 0});
}

TEST_CASE("with an output scale the loss is that of s f, and the accuracy stays") {
  const Mlp<double> mlp = identity_network(2);
  const M f{{1, 2}, {3, -1}}, targets{{0.5, 0}, {1, 1}};
  const std::vector<std::int32_t> labels{1, 1};
  const Evaluation found = Evaluator<double>(mlp, Loss::mse, 1, 3)({.inputs = f, .labels = labels, .targets = targets});
  CHECK_THAT(found.loss, WithinRel((2.5 * 2.5 + 6 * 6 + 8 * 8 + 4 * 4) / 4.0, 1e-14));
  CHECK(found.accuracy == 50);
}

TEST_CASE("NaN is wrong, wherever it stands") {
  CHECK(accuracy(M{{nan}, {nan}}, {0, 1}) == 0);
  CHECK(accuracy(M{{nan, 1}, {1, nan}}, {0, 1}) == 0);
  CHECK(accuracy(M{{nan, 1, 0}, {2, 1, nan}}, {1, 0}) == 0);
}

// Loss and accuracy by their definitions.
template <class T>
Evaluation naive_evaluation(const Mlp<T>& mlp, Loss loss, const Matrix<T>& x, const std::vector<std::int32_t>& labels,
                            const Matrix<T>& targets) {
  const M f = naive_output<T>(mlp, x);
  Evaluation result;
  for (Index i = 0; i < f.rows(); ++i) {
    const std::int32_t label = labels[static_cast<std::size_t>(i)];
    double total = 0;
    Index best = 0;
    for (Index j = 0; j < f.cols(); ++j) {
      const double y = loss == Loss::cross_entropy ? 0 : static_cast<double>(targets(i, j)), z = f(i, j);
      total += loss == Loss::cross_entropy ? std::exp(z)
               : loss == Loss::mse         ? (z - y) * (z - y)
                                           : std::log1p(std::exp(z)) - y * z;
      if (z > f(i, best)) best = j;
    }
    result.loss += loss == Loss::cross_entropy ? std::log(total) - f(i, label) : total / static_cast<double>(f.cols());
    result.accuracy += f.cols() == 1 ? (label == 1 ? f(i, 0) > 0 : f(i, 0) < 0) : best == label;
  }
  result.loss /= static_cast<double>(f.rows());
  result.accuracy *= 100 / static_cast<double>(f.rows());
  return result;
}

template <class T>
void check_evaluation(Loss loss, Index k, Index n) {
  CAPTURE(name(loss), k, n);
  const Mlp<T> mlp({.widths = {6, 11, k}, .activation = Activation::tanh, .init_scale = 3, .seed = 8});
  const Matrix<T> x = random_matrix<T>({n, 6}, 3), targets = random_matrix<T>({n, k}, 4, 0, 1);
  std::vector<std::int32_t> labels;
  for (Index i = 0; i < n; ++i) labels.push_back(static_cast<std::int32_t>((i * i + 1) % std::max<Index>(k, 2)));
  const Batch<T> data{.inputs = x, .labels = labels, .targets = targets};
  const Evaluation expected = naive_evaluation(mlp, loss, x, labels, targets);
  Evaluator<T> alone(mlp, loss, 1);
  const Evaluation found = alone(data);
  CHECK_THAT(found.loss, WithinRel(expected.loss, 10 * tolerance<T>()));
  CHECK_THAT(found.accuracy, WithinRel(expected.accuracy, 1e-12) || WithinAbs(0, 0));
  CHECK(alone(data).loss == found.loss);  // its memory is used again
  for (int threads : {2, 3, 8}) {
    const Evaluation on_threads = Evaluator<T>(mlp, loss, threads)(data);
    CHECK(on_threads.loss == found.loss);
    CHECK(on_threads.accuracy == found.accuracy);
  }
}

TEST_CASE("an evaluation is its definition and has the same bits on any number of threads") {
  for (Index n : {1, 2, 7, 251, 501, 1000}) {
    check_evaluation<double>(Loss::cross_entropy, 4, n);
    check_evaluation<float>(Loss::cross_entropy, 4, n);
    check_evaluation<double>(Loss::mse, 3, n);
    check_evaluation<double>(Loss::bce, 1, n);
    check_evaluation<float>(Loss::mse, 1, n);
  }
}

TEST_CASE("an evaluator follows the network and takes data sets of any size in turn") {
  Mlp<double> mlp = identity_network(2);
  const M many(700, 2), one{{0, 1}};
  const std::vector<std::int32_t> zeros(700, 0), first{0};
  Evaluator<double> evaluate(mlp, Loss::cross_entropy, 2);
  CHECK(evaluate({.inputs = many, .labels = zeros}).accuracy == 100);
  CHECK(evaluate({.inputs = one, .labels = first}).accuracy == 0);
  CHECK_THAT(evaluate({.inputs = one, .labels = first}).loss, WithinRel(std::log1p(std::exp(1)), 1e-14));
  for (double& w : mlp.parameters().front().span()) w = -w;
  CHECK(evaluate({.inputs = one, .labels = first}).accuracy == 100);
  CHECK_THAT(evaluate({.inputs = many, .labels = zeros}).loss, WithinRel(std::log(2), 1e-14));
}

TEST_CASE("what cannot be evaluated is refused") {
  const Mlp<double> mlp = identity_network(2);
  const M x(4, 2), wide(4, 3), short_targets(2, 2), narrow(4, 1);
  const std::vector<std::int32_t> labels{0, 1, 0, 1}, few{0, 1}, too_large{0, 1, 2, 0}, negative{0, 1, -1, 0};
  for (int threads : {1, 2}) {
    Evaluator<double> ce(mlp, Loss::cross_entropy, threads), mse(mlp, Loss::mse, threads);
    CHECK(message_of([&] { ce({.inputs = x, .labels = few}); }) ==
          "Evaluator: inputs are 4x2 and there are 2 labels; there must be a row and one label per row");
    CHECK(contains(message_of([&] { ce({.inputs = M(0, 2)}); }), "inputs are 0x2"));
    CHECK(contains(message_of([&] { ce({.inputs = wide, .labels = labels}); }), "takes 2 columns"));
    CHECK(contains(message_of([&] { ce({.inputs = x, .labels = too_large}); }), "2"));
    CHECK(contains(message_of([&] { ce({.inputs = x, .labels = negative}); }), "-1"));
    CHECK(contains(message_of([&] { mse({.inputs = x, .labels = labels}); }), "4x2"));
    CHECK(contains(message_of([&] { mse({.inputs = x, .labels = labels, .targets = short_targets}); }), "2x2"));
    CHECK(contains(message_of([&] { mse({.inputs = x, .labels = labels, .targets = narrow}); }), "4x1"));
    CHECK(contains(message_of([&] { mse({.inputs = x, .labels = too_large, .targets = x}); }), "label"));
    CHECK(contains(message_of([&] { mse({.inputs = x, .labels = negative, .targets = x}); }), "label"));
  }
  CHECK(message_of([&] { Evaluator<double>(mlp, Loss::mse, 0); }) == "Evaluator: threads is 0; it must be at least 1");
}

}  // namespace
}  // namespace normalign::tests
