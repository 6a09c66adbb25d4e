#include "nn/attack.hpp"

#include <cmath>
#include <limits>

#include "autodiff/grad.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/reference.hpp"
#include "support/stopping.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

// The label that each row's outputs give: the largest one's, or the sign's where there is one output.
std::vector<std::int32_t> predicted(const M& f) {
  std::vector<std::int32_t> labels;
  for (Index i = 0; i < f.rows(); ++i) {
    const auto row = f.row(i);
    labels.push_back(f.cols() == 1 ? row[0] > 0
                                   : static_cast<std::int32_t>(std::ranges::max_element(row) - row.begin()));
  }
  return labels;
}

template <class T>
std::vector<std::int32_t> predicted_at(const Mlp<T>& mlp, ConstView<T> x) {
  return predicted(naive_output<T>(mlp, x));
}

double per_cent_equal(const std::vector<std::int32_t>& a, const std::vector<std::int32_t>& b) {
  double equal = 0;
  for (std::size_t i = 0; i < a.size(); ++i) equal += a[i] == b[i];
  return 100 * equal / static_cast<double>(a.size());
}

// Inputs that the network gets right, but for every tenth.
template <class T>
struct Problem {
  Mlp<T> mlp;
  Matrix<T> x;
  std::vector<std::int32_t> labels;
  Matrix<T> targets;

  Problem(const MlpOptions& options, Index n)
      : mlp(options), x(random_matrix<T>({n, options.widths.front()}, 3)), labels(predicted_at<T>(mlp, x)) {
    const Index k = options.widths.back();
    targets = Matrix<T>(n, k);
    for (Index i = 0; i < n; ++i) {
      std::int32_t& label = labels[static_cast<std::size_t>(i)];
      if (i % 10 == 9) label = (label + 1) % static_cast<std::int32_t>(std::max<Index>(k, 2));
      if (k == 1)
        targets(i, 0) = static_cast<T>(label);
      else
        targets(i, label) = 1;
    }
  }
  Batch<T> batch() const { return {.inputs = x, .labels = labels, .targets = targets}; }
};

}  // namespace

TEST_CASE("an affine classifier of two classes loses the rows whose margin is within reach, and no others") {
  const Problem<double> p({.widths = {3, 2}, .seed = 5}, 700);
  const auto& layer = p.mlp.layers()[0];
  for (Norm norm : {Norm::linf, Norm::l2}) {
    double last = 101;
    for (double radius : {0.0, 0.05, 0.2, 0.5, 1.0, 4.0}) {
      CAPTURE(norm == Norm::l2, radius);
      double reach = 0, right = 0;  // the most by which a perturbation lowers the margin
      for (Index j = 0; j < 3; ++j) {
        const double slope = layer.weight(0, j) - layer.weight(1, j);
        reach += norm == Norm::linf ? std::abs(slope) : slope * slope;
      }
      reach = radius * (norm == Norm::linf ? reach : std::sqrt(reach));
      const M f = naive_output<double>(p.mlp, p.x);
      for (Index i = 0; i < 700; ++i) {
        const std::int32_t label = p.labels[static_cast<std::size_t>(i)];
        right += f(i, label) - f(i, 1 - label) > reach;
      }
      Attack<double> attack(p.mlp, Loss::cross_entropy, {.norm = norm, .radius = radius, .step = radius, .steps = 50},
                            2);
      const double accuracy = attack(p.batch()).accuracy;
      CHECK_THAT(accuracy, WithinAbs(100 * right / 700, 1e-9));
      CHECK(accuracy <= last);
      last = accuracy;
    }
    CHECK(last == 0);
  }
}

TEST_CASE("on a small network the attack finds nearly all that a search of the whole ball finds, and nothing else") {
  for (Activation activation : {Activation::relu, Activation::tanh}) {
    const Problem<double> p({.widths = {2, 16, 3}, .activation = activation, .init_scale = 3, .seed = 5}, 120);
    const double radius = 0.15;
    std::vector<bool> broken(120);
    for (std::uint32_t draw = 0; draw < 5; ++draw) {  // restarts, for a step may end in a local maximum of the loss
      const PgdOptions options{.radius = radius, .step = radius / 10, .steps = 40, .seed = 1, .draw = draw};
      Attack<double> attack(p.mlp, Loss::cross_entropy, options, 1);
      const auto found = predicted_at<double>(p.mlp, attack.inputs(p.batch()));
      for (std::size_t i = 0; i < 120; ++i) broken[i] = broken[i] || found[i] != p.labels[i];
    }
    const double accuracy = 100 * static_cast<double>(std::ranges::count(broken, false)) / 120;

    constexpr Index side = 61;
    M grid(side * side, 2);
    double robust = 0, clean = 0;
    for (Index i = 0; i < 120; ++i) {
      for (Index cell = 0; cell < side * side; ++cell) {
        grid(cell, 0) = p.x(i, 0) + radius * (static_cast<double>(2 * (cell % side)) / (side - 1) - 1);
        grid(cell, 1) = p.x(i, 1) + radius * (static_cast<double>(2 * (cell / side)) / (side - 1) - 1);
      }
      const auto found = predicted_at<double>(p.mlp, grid);
      const std::int32_t label = p.labels[static_cast<std::size_t>(i)];
      robust += 100 * std::ranges::all_of(found, [&](std::int32_t at) { return at == label; }) / 120.0;
      clean += 100 * (found[side * side / 2] == label) / 120.0;
    }
    CAPTURE(name(activation), clean, robust, accuracy);
    CHECK(accuracy >= robust - 1e-9);
    CHECK(accuracy <= robust + 3);
    CHECK(robust < clean - 20);  // or there was nothing to find
  }
}

template <class T>
void check_attack(Loss loss, Index k, Index n) {
  CAPTURE(name(loss), k, n, sizeof(T));
  const Problem<T> p({.widths = {6, 11, k}, .activation = Activation::tanh, .init_scale = 3, .seed = 8}, n);
  for (Norm norm : {Norm::linf, Norm::l2}) {
    const PgdOptions options{.norm = norm, .radius = 0.4, .step = 0.1, .steps = 8, .seed = 6};
    Attack<T> alone(p.mlp, loss, options, 1);
    const Matrix<T> attacked(alone.inputs(p.batch()));
    const Evaluation found = alone(p.batch());
    CHECK(same_bits(alone.inputs(p.batch()), attacked));  // its memory is used again

    // The same attack on all rows at once, with another scale of the loss.
    Tape<T> tape;
    const Matrix<T> expected = pgd<T>(p.x, options, [&](ConstView<T> points, MatrixView<T> out) {
      tape.clear();
      const Var<T> x = tape.variable(points);
      const Var<T> f = p.mlp.on(tape)(x);
      const Var<T> target = loss == Loss::cross_entropy ? tape.labels(p.labels) : tape.constant(p.targets);
      std::ranges::copy(grad(task_loss(loss, f, target), x).value().span(), out.span().begin());
    });
    CHECK(relative_error(attacked, expected) <= 10 * tolerance<T>(1));

    CHECK_THAT(found.accuracy, WithinAbs(per_cent_equal(predicted_at<T>(p.mlp, attacked), p.labels), 1e-9));
    Batch<T> moved = p.batch();
    moved.inputs = attacked;
    Evaluator<T> evaluate(p.mlp, loss, 2);
    CHECK(evaluate(moved).loss == found.loss);
    CHECK(evaluate(moved).accuracy == found.accuracy);
    CHECK(found.loss > evaluate(p.batch()).loss);
    for (int threads : {2, 3, 8}) {
      Attack<T> on_threads(p.mlp, loss, options, threads);
      CHECK(same_bits(on_threads.inputs(p.batch()), attacked));
      CHECK(on_threads(p.batch()).loss == found.loss);
    }
  }
}

TEST_CASE("an attack is pgd on the task loss and has the same bits on any number of threads") {
  for (Index n : {1, 7, 251, 501}) {
    check_attack<double>(Loss::cross_entropy, 4, n);
    check_attack<float>(Loss::cross_entropy, 4, n);
    check_attack<double>(Loss::mse, 3, n);
    check_attack<double>(Loss::bce, 1, n);
    check_attack<float>(Loss::mse, 1, n);
  }
}

TEST_CASE("radius 0 is the evaluation itself") {
  for (Loss loss : {Loss::cross_entropy, Loss::mse, Loss::bce}) {
    const Problem<float> p({.widths = {6, 11, 3}, .seed = 8}, 300);
    Attack<float> attack(p.mlp, loss, {.radius = 0}, 2);
    const Evaluation found = attack(p.batch()), expected = Evaluator<float>(p.mlp, loss, 2)(p.batch());
    CHECK(found.loss == expected.loss);
    CHECK(found.accuracy == expected.accuracy);
    CHECK(expected.accuracy == 90);
  }
}

TEST_CASE("sample numbers address the random starts") {
  const Problem<double> p({.widths = {6, 11, 3}, .seed = 8}, 40);
  Attack<double> attack(p.mlp, Loss::cross_entropy, {.seed = 2}, 2);
  const M all(attack.inputs(p.batch()));
  std::vector<Index> numbers;
  for (Index i = 20; i < 40; ++i) numbers.push_back(i);
  Batch<double> half{.inputs = p.x.view().row_block(20, 20), .labels = std::span(p.labels).subspan(20)};
  CHECK(relative_error(attack.inputs(half), all.view().row_block(20, 20)) > 1e-3);
  half.samples = numbers;
  CHECK(relative_error(attack.inputs(half), all.view().row_block(20, 20)) <= 1e-14);
}

TEST_CASE("an attack follows the network and takes data sets of any size in turn") {
  Problem<double> p({.widths = {6, 11, 3}, .seed = 8}, 700);
  const Problem<double> small({.widths = {6, 11, 3}, .seed = 8}, 3);
  const PgdOptions options{.radius = 0.2, .step = 0.05};
  Attack<double> attack(p.mlp, Loss::cross_entropy, options, 2);
  const Evaluation before = attack(p.batch());
  CHECK(attack(small.batch()).loss != before.loss);
  for (const auto& view : p.mlp.parameters())
    for (double& w : view.span()) w *= 2;
  const Evaluation after = attack(p.batch());
  CHECK(after.loss != before.loss);
  CHECK(after.loss == Attack<double>(p.mlp, Loss::cross_entropy, options, 1)(p.batch()).loss);
}

TEST_CASE("what cannot be attacked is refused") {
  const Mlp<double> mlp({.widths = {2, 2}});
  const M x(4, 2), wide(4, 3), narrow(4, 1);
  const std::vector<std::int32_t> labels{0, 1, 0, 1}, few{0, 1}, too_large{0, 1, 2, 0};
  const std::vector<Index> three{0, 1, 2};
  for (int threads : {1, 2}) {
    Attack<double> ce(mlp, Loss::cross_entropy, {}, threads), mse(mlp, Loss::mse, {}, threads);
    CHECK(message_of([&] { ce({.inputs = x, .labels = few}); }) ==
          "Attack: inputs are 4x2 and there are 2 labels; there must be a row and one label per row");
    CHECK(contains(message_of([&] { ce({.inputs = M(0, 2)}); }), "Attack: inputs are 0x2"));
    CHECK(contains(message_of([&] { ce({.inputs = wide, .labels = labels}); }), "takes 2 columns"));
    CHECK(message_of([&] { ce({.inputs = x, .labels = too_large}); }) ==
          "Attack: a label is 2; it must be from 0 to 1");
    CHECK(message_of([&] { mse({.inputs = x, .labels = labels, .targets = narrow}); }) ==
          "Attack: targets are 4x1; they must be 4x2");
    CHECK(message_of([&] { ce({.inputs = x, .labels = labels, .samples = three}); }) ==
          "Attack: inputs are 4x2 but there are 3 sample numbers; there must be one per row");
  }
  const auto refusal = [&](const PgdOptions& options, int threads) {
    return message_of([&] { Attack<double>(mlp, Loss::mse, options, threads); });
  };
  CHECK(contains(refusal({.radius = -1}, 1), "pgd: radius is -1"));
  CHECK(contains(refusal({}, 0), "threads is 0"));
}

TEST_CASE("a network whose gradient is not finite fails the attack") {
  Mlp<double> mlp({.widths = {2, 4, 2}});
  mlp.parameters().back()(0, 1) = std::numeric_limits<double>::quiet_NaN();
  const M x(300, 2);
  const std::vector<std::int32_t> labels(300, 0);
  for (int threads : {1, 2})
    CHECK(contains(message_of<RunError>(
                       [&] { Attack<double>(mlp, Loss::cross_entropy, {}, threads)({.inputs = x, .labels = labels}); }),
                   "pgd: the gradient at sample 0 holds "));
}

// ---- attacks on its classes

// Whether outputs say that label, as the protocols do.
double accuracy_at(const Mlp<double>& mlp, ConstView<double> x, const std::vector<std::int32_t>& labels) {
  return per_cent_equal(predicted_at<double>(mlp, x), labels);
}

TEST_CASE("class attacks on a network: apgd fools what a search of the whole ball fools, nearly, and more than pgd") {
  const Problem<double> p({.widths = {2, 16, 3}, .init_scale = 3, .seed = 5}, 120);
  const std::vector<double> radii{0, 0.05, 0.15};
  double last = 0;
  for (const AttackKind kind : {AttackKind::apgd, AttackKind::pgd}) {
    const auto found = class_attacks(p.mlp, p.batch(), radii, {.kind = kind, .seed = 1}, 2);
    CHECK(found[0].accuracy() == 90);
    CHECK(found[1].accuracy() <= 90);
    CHECK(found[2].accuracy() < found[1].accuracy());
    CHECK(found[2].accuracy() >= last);
    last = found[2].accuracy();
    for (std::size_t r = 0; r < 3; ++r)
      CHECK_THAT(accuracy_at(p.mlp, found[r].points, p.labels), WithinAbs(found[r].accuracy(), 1e-9));
    constexpr Index side = 61;
    M grid(side * side, 2);
    double robust = 0;
    for (Index i = 0; i < 120; ++i) {
      for (Index cell = 0; cell < side * side; ++cell) {
        grid(cell, 0) = p.x(i, 0) + 0.15 * (static_cast<double>(2 * (cell % side)) / (side - 1) - 1);
        grid(cell, 1) = p.x(i, 1) + 0.15 * (static_cast<double>(2 * (cell / side)) / (side - 1) - 1);
      }
      const auto at = predicted_at<double>(p.mlp, grid);
      const std::int32_t label = p.labels[static_cast<std::size_t>(i)];
      const bool is_robust = std::ranges::all_of(at, [&](std::int32_t l) { return l == label; });
      robust += 100 * is_robust / 120.0;
    }
    if (kind == AttackKind::apgd) CHECK(found[2].accuracy() <= robust + 1);
  }
}

template <class T>
void check_class_attacks(Index k, Index n) {
  CAPTURE(k, n, sizeof(T));
  const Problem<T> p({.widths = {6, 11, k}, .activation = Activation::tanh, .init_scale = 3, .seed = 8}, n);
  const std::vector<double> radii{0.1, 0.4};
  for (const AttackKind kind : {AttackKind::pgd, AttackKind::apgd_ce, AttackKind::apgd_targeted, AttackKind::apgd}) {
    const ClassAttackOptions options{.kind = kind, .norm = Norm::l2, .steps = 8, .restarts = 2, .seed = 6};
    const auto alone = class_attacks(p.mlp, p.batch(), radii, options, 1);
    REQUIRE(alone.size() == 2);
    for (std::size_t r = 0; r < 2; ++r)
      CHECK_THAT(per_cent_equal(predicted_at<T>(p.mlp, alone[r].points), p.labels),
                 WithinAbs(alone[r].accuracy(), 1e-9));
    if (n > 100) CHECK(alone[1].accuracy() < alone[0].accuracy());
    for (const int threads : {2, 3, 8}) {
      const auto found = class_attacks(p.mlp, p.batch(), radii, options, threads);
      for (std::size_t r = 0; r < 2; ++r) {
        CHECK(same_bits(found[r].points, alone[r].points));
        CHECK(found[r].is_fooled == alone[r].is_fooled);
      }
    }
  }
}

TEST_CASE("class attacks on a network have the same bits on any number of threads, and count what they fool") {
  for (const Index n : {1, 7, 251, 501}) {
    check_class_attacks<double>(4, n);
    check_class_attacks<float>(3, n);
    check_class_attacks<double>(1, n);
  }
}

TEST_CASE("class attacks on a network: what cannot be attacked is refused, by row") {
  const Mlp<double> mlp({.widths = {2, 2}});
  const M x(4, 2), wide(4, 3);
  const std::vector<std::int32_t> labels{0, 1, 0, 1}, few{0, 1}, too_large{0, 1, 2, 0};
  const std::vector<double> radii{0.1};
  const auto refusal = [&](const Batch<double>& batch, int threads) {
    return message_of<InputError>([&] { class_attacks(mlp, batch, radii, {}, threads); });
  };
  CHECK(refusal({.inputs = x, .labels = few}, 1) ==
        "Attack: inputs are 4x2 and there are 2 labels; there must be a row and one label per row");
  CHECK(contains(refusal({.inputs = M(0, 2)}, 1), "Attack: inputs are 0x2"));
  CHECK(contains(refusal({.inputs = wide, .labels = labels}, 2), "takes 2 columns"));
  CHECK(contains(refusal({.inputs = x, .labels = too_large}, 1), "is 2; it must be from 0 to 1"));
  CHECK(contains(refusal({.inputs = x, .labels = labels}, 0), "threads is 0"));
}

TEST_CASE("attacks on a network end when stopped, in all of their threads") {
  const Mlp<double> mlp({.widths = {4, 8, 3}, .seed = 1});
  const M x = random_matrix({600, 4}, 2);
  const std::vector<std::int32_t> labels = predicted_at<double>(mlp, x);
  const std::vector<double> radii{1e-9};
  const Batch<double> data{.inputs = x, .labels = labels};
  for (const int threads : {1, 3}) {
    check_stops("attack", [&](const std::function<bool()>& stop) {
      class_attacks(mlp, data, radii, {.steps = 1'000'000'000, .stop = stop}, threads);
    });
    check_stops("attack", [&](const std::function<bool()>& stop) {
      Attack<double> attack(mlp, Loss::cross_entropy, {.radius = 1e-9, .steps = 1'000'000'000, .stop = stop}, threads);
      attack(data);
    });
  }
}

}  // namespace normalign::tests
