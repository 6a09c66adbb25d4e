#include "nn/losses.hpp"

#include <cmath>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

const M logits = random_matrix({5, 3}, 1, -4, 4);
const M targets = random_matrix({5, 3}, 2, 0, 1);
const std::int32_t labels[] = {2, 0, 1, 1, 2};

TEST_CASE("cross entropy is the mean of minus the log of the label's share") {
  double expected = 0;
  for (Index i = 0; i < 5; ++i) {
    double total = 0;
    for (double value : logits.row(i)) total += std::exp(value);
    expected -= std::log(std::exp(logits(i, labels[i])) / total) / 5;
  }
  Tape<double> tape;
  CHECK_THAT(cross_entropy(tape.constant(logits), tape.labels(labels)).item(),
             WithinRel(expected, tolerance<double>()));
}

TEST_CASE("mse is the mean over samples and outputs, without a factor") {
  double expected = 0;
  for (std::size_t i = 0; i < 15; ++i) expected += std::pow(logits.span()[i] - targets.span()[i], 2) / 15;
  Tape<double> tape;
  CHECK_THAT(mse(tape.constant(logits), tape.constant(targets)).item(), WithinRel(expected, tolerance<double>()));
  CHECK(mse(tape.constant(M{{3}}), tape.constant(M{{1}})).item() == 4);
}

TEST_CASE("bce is minus the log likelihood of the targets under sigmoid(f)") {
  double expected = 0;
  for (std::size_t i = 0; i < 15; ++i) {
    const double p = 1 / (1 + std::exp(-logits.span()[i])), y = targets.span()[i];
    expected -= (y * std::log(p) + (1 - y) * std::log(1 - p)) / 15;
  }
  Tape<double> tape;
  CHECK_THAT(bce(tape.constant(logits), tape.constant(targets)).item(), WithinRel(expected, tolerance<double>()));
}

TEST_CASE("large outputs overflow in no loss, nor in its gradient") {
  Tape<double> tape;
  const std::int32_t wrong[] = {1, 0};
  const auto f = tape.variable(M{{1e4, 0}, {0, 1e4}});
  const auto ce = cross_entropy(f, tape.labels(wrong));
  CHECK(ce.item() == 1e4);
  CHECK(all_finite(grad(ce, f).value()));
  const auto one = tape.constant(M{{0, 1}, {1, 1}});
  const auto b = bce(tape.variable(M{{1e4, 1e4}, {-1e4, 0}}), one);
  CHECK_THAT(b.item(), WithinRel((1e4 + 0 + 1e4 + std::log(2)) / 4, tolerance<double>()));
  Tape<float> single;
  const auto g = single.variable(Matrix<float>{{200, -200}});
  const std::int32_t second[] = {1};
  CHECK(cross_entropy(g, single.labels(second)).item() == 400);
}

TEST_CASE("an accurate cross entropy has a gradient where PyTorch's has none") {
  Tape<float> tape;
  const Var<float> x = tape.variable(Matrix<float>{{25, 0}, {0, 25}});
  const std::int32_t in_order[] = {0, 1};
  const auto at_label = [&](CrossEntropyGradient gradient) {
    const Var<float> loss = task_loss(Loss::cross_entropy, x, tape.labels(in_order), 4, gradient);
    CHECK_THAT(static_cast<double>(loss.item()), WithinRel(std::exp(-25) / 2, 1e-6));
    return static_cast<double>(grad(loss, x).value()(1, 1));
  };
  CHECK(at_label(CrossEntropyGradient::subtracted) == 0);
  CHECK_THAT(at_label(CrossEntropyGradient::accurate), WithinRel(-std::exp(-25) / 4, 1e-6));
}

TEST_CASE("a loss over blocks of rows adds up to the batch's") {
  for (Loss loss : {Loss::cross_entropy, Loss::mse, Loss::bce}) {
    CAPTURE(name(loss));
    Tape<double> tape;
    const auto target_of = [&](Index first, Index count) {
      return loss == Loss::cross_entropy ? tape.labels(std::span(labels).subspan(static_cast<std::size_t>(first),
                                                                                 static_cast<std::size_t>(count)))
                                         : tape.constant(targets.view().row_block(first, count));
    };
    const auto part = [&](Index first, Index count, Index samples) {
      return task_loss(loss, tape.constant(logits.view().row_block(first, count)), target_of(first, count), samples)
          .item();
    };
    CHECK_THAT(part(0, 2, 5) + part(2, 3, 5), WithinRel(part(0, 5, 0), tolerance<double>()));
    CHECK(part(0, 5, 0) == part(0, 5, 5));
  }
}

TEST_CASE("task_loss is the loss of its name") {
  Tape<double> tape;
  const auto f = tape.constant(logits), y = tape.constant(targets), column = tape.labels(labels);
  CHECK(task_loss(Loss::cross_entropy, f, column).item() == cross_entropy(f, column).item());
  CHECK(task_loss(Loss::mse, f, y).item() == mse(f, y).item());
  CHECK(task_loss(Loss::bce, f, y).item() == bce(f, y).item());
  CHECK(name(Loss::cross_entropy) == "cross_entropy");
  CHECK(name(Loss::mse) == "mse");
  CHECK(name(Loss::bce) == "bce");
}

TEST_CASE("what does not fit a loss is refused by its name") {
  Tape<double> tape;
  const auto f = tape.constant(logits);
  CHECK(message_of([&] { mse(f, tape.constant(M(5, 1))); }) == "mse: f is 5x3 but targets are 5x1; they must be equal");
  CHECK(message_of([&] { bce(f, tape.constant(M(4, 3))); }) == "bce: f is 5x3 but targets are 4x3; they must be equal");
  CHECK(message_of([&] { mse(tape.constant(M(0, 3)), tape.constant(M(0, 3))); }) ==
        "loss: there are no samples; there must be at least one");
  const std::int32_t too_large[] = {0, 1, 2, 3, 0}, negative[] = {0, 1, -1, 0, 0}, few[] = {0, 1};
  CHECK(contains(message_of([&] { cross_entropy(f, tape.labels(too_large)); }), "3"));
  CHECK(contains(message_of([&] { cross_entropy(f, tape.labels(negative)); }), "-1"));
  CHECK(contains(message_of([&] { cross_entropy(f, tape.labels(few)); }), "2x1"));
}

}  // namespace
}  // namespace normalign::tests
