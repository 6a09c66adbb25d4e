#include "robustness/class_attack.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "base/infinity.hpp"
#include "support/catch.hpp"
#include "support/distances.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/stopping.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

constexpr AttackKind kinds[] = {AttackKind::pgd, AttackKind::apgd_ce, AttackKind::apgd_targeted, AttackKind::apgd};

// The classifier f(x) = x, whose inputs are its outputs.
template <class T>
void itself(ConstView<T> points, const OutputCotangents<T>& cotangents, MatrixView<T> gradients) {
  std::ranges::copy(points.span(), gradients.span().begin());
  for (Index i = 0; i < points.rows(); ++i) cotangents(i, gradients.row_block(i, 1));
}

// f_j(x) = sin(4 w_j x) + v_j x, of 5 inputs and `classes` outputs.
PullBack<double> wavy_classifier(Index classes) {
  return [w = random_matrix({classes, 5}, 21), v = random_matrix({classes, 5}, 22, -0.3, 0.3)](
             ConstView<double> points, const OutputCotangents<double>& cotangents, MatrixView<double> gradients) {
    M f(points.rows(), w.rows()), slopes = f;
    for (Index i = 0; i < f.rows(); ++i)
      for (Index j = 0; j < f.cols(); ++j) {
        double phase = 0;
        for (Index k = 0; k < 5; ++k) {
          phase += 4 * w(j, k) * points(i, k);
          f(i, j) += v(j, k) * points(i, k);
        }
        f(i, j) += std::sin(phase);
        slopes(i, j) = 4 * std::cos(phase);
      }
    cotangents(0, f);
    for (Index i = 0; i < f.rows(); ++i)
      for (Index k = 0; k < 5; ++k) {
        gradients(i, k) = 0;
        for (Index j = 0; j < f.cols(); ++j) gradients(i, k) += f(i, j) * (slopes(i, j) * w(j, k) + v(j, k));
      }
  };
}

M outputs_of(const PullBack<double>& classifier, const M& x, Index classes) {
  M f(x.rows(), classes), ignored(x.rows(), x.cols());
  classifier(
      x, [&](Index first, MatrixView<double> at) { std::ranges::copy(at.span(), f.row(first).begin()); }, ignored);
  return f;
}

std::vector<std::int32_t> likeliest(const M& f) {
  std::vector<std::int32_t> labels;
  for (Index i = 0; i < f.rows(); ++i)
    labels.push_back(f.cols() == 1 ? f(i, 0) > 0
                                   : static_cast<std::int32_t>(std::ranges::max_element(f.row(i)) - f.row(i).begin()));
  return labels;
}

}  // namespace

template <class T>
void check_classifier_itself(Index classes, double scale) {
  const Matrix<T> x = random_matrix<T>({60, classes}, 3, -scale, scale);
  std::vector<std::int32_t> labels = likeliest(converted<double>(x.view()));
  for (std::size_t i = 0; i < 60; i += 10) labels[i] = (labels[i] + 1) % static_cast<std::int32_t>(classes);
  for (const AttackKind kind : kinds)
    for (const Norm norm : {Norm::linf, Norm::l2}) {
      CAPTURE(name(kind), name_of(norm), classes, scale, sizeof(T));
      std::vector<double> radii;
      for (const double share : {0.3, 0.0, 0.05, 2.0}) radii.push_back(share * scale);
      const auto found = class_attacks<T>(x, labels, radii, {.kind = kind, .norm = norm}, itself<T>);
      REQUIRE(found.size() == 4);
      for (std::size_t r = 0; r < radii.size(); ++r)
        for (Index i = 0; i < 60; ++i) {
          // A step against y and for t closes their gap twice in linf, sqrt(2) times in l2.
          const auto row = static_cast<std::size_t>(i);
          double gap = infinity;
          for (Index j = 0; j < classes; ++j)
            if (j != labels[row]) gap = std::min(gap, static_cast<double>(x(i, labels[row]) - x(i, j)));
          const double distance_to_boundary = gap / (norm == Norm::linf ? 2 : std::sqrt(2));
          if (std::abs(distance_to_boundary - radii[r]) < 0.01 * scale) continue;
          if (found[r].is_fooled[row]) CHECK(distance_to_boundary < radii[r]);
          // Cross entropy of three classes turns to both of the others.
          if (classes > 2 && (kind == AttackKind::pgd || kind == AttackKind::apgd_ce)) continue;
          CHECK(found[r].is_fooled[row] == (distance_to_boundary < radii[r]));
        }
      CHECK(found[1].accuracy() == 90);
      CHECK(found[3].accuracy() == 0);
    }
}

TEST_CASE("the class predicted is that of the first largest output, and of one output that of its sign") {
  const auto of = [](std::vector<double> outputs) { return predicted_class<double>(outputs); };
  CHECK(of({1, 3, 2}) == 1);
  CHECK(of({-1, -1, -2}) == 0);
  CHECK(of({0.5}) == 1);
  CHECK(of({-0.5}) == 0);
  CHECK(of({0}) == 0);
}

TEST_CASE("class attacks: where outputs are inputs, the rows whose gap is within reach are fooled, and no others") {
  // In steps of a tenth of the radius the gap of the likeliest class is closed; cross entropy of such gaps is 0 in
  // floating point, and its gradient too.
  for (const double scale : {1.0, 5000.0}) {
    check_classifier_itself<double>(2, scale);
    check_classifier_itself<double>(3, scale);
    check_classifier_itself<float>(2, scale);
  }
}

TEST_CASE("class attacks: what fools is in the ball and the box and classified otherwise, and radii make it easier") {
  for (const Index classes : {1, 2, 4, 14}) {
    const PullBack<double> classifier = wavy_classifier(classes);
    const M x = random_matrix({80, 5}, 4, -1, 1);
    const std::vector<std::int32_t> labels = likeliest(outputs_of(classifier, x, classes));
    for (const AttackKind kind : kinds)
      for (const Norm norm : {Norm::linf, Norm::l2}) {
        CAPTURE(classes, name(kind), name_of(norm));
        const std::vector<double> radii{0.2, 0, 0.02, 0.2, 0.6};
        const auto found = class_attacks<double>(
            x, labels, radii, {.kind = kind, .norm = norm, .steps = 20, .seed = 3, .clamp = InputRange{-1, 1}},
            classifier);
        for (std::size_t r = 0; r < radii.size(); ++r) {
          const std::vector<std::int32_t> at = likeliest(outputs_of(classifier, found[r].points, classes));
          for (Index i = 0; i < 80; ++i) {
            const auto row = static_cast<std::size_t>(i);
            if (found[r].is_fooled[row]) CHECK(at[row] != labels[row]);
            const M own(x.view().row_block(i, 1)), moved(found[r].points.view().row_block(i, 1));
            CHECK(distance(own, moved, norm) <= radii[r] * (1 + 1e-12));
          }
          for (const double value : found[r].points.span()) CHECK(std::abs(value) <= 1);
        }
        CHECK(found[1].accuracy() == 100);
        CHECK(same_bits(found[1].points, x));
        CHECK(found[2].accuracy() < 100);
        CHECK(found[0].accuracy() < found[2].accuracy());
        CHECK(found[4].accuracy() <= found[0].accuracy());
        for (std::size_t i = 0; i < 80; ++i)
          for (const auto& [smaller, larger] : {std::pair(1, 2), std::pair(2, 0), std::pair(0, 3), std::pair(3, 4)})
            CHECK(found[static_cast<std::size_t>(smaller)].is_fooled[i] <=
                  found[static_cast<std::size_t>(larger)].is_fooled[i]);
      }
  }
}

TEST_CASE("class attacks: together they fool what one of them fools, and apgd fools more than pgd") {
  const PullBack<double> classifier = wavy_classifier(6);
  const M x = random_matrix({300, 5}, 5, -1, 1);
  const std::vector<std::int32_t> labels = likeliest(outputs_of(classifier, x, 6));
  const std::vector<double> radii{0.09};
  const auto fooled = [&](AttackKind kind, int restarts) {
    return class_attacks<double>(x, labels, radii, {.kind = kind, .steps = 50, .restarts = restarts, .seed = 2},
                                 classifier)
        .front();
  };
  const auto by_pgd = fooled(AttackKind::pgd, 1), by_ce = fooled(AttackKind::apgd_ce, 1),
             by_targets = fooled(AttackKind::apgd_targeted, 1), by_both = fooled(AttackKind::apgd, 1);
  CAPTURE(by_pgd.accuracy(), by_ce.accuracy(), by_targets.accuracy(), by_both.accuracy());
  for (std::size_t i = 0; i < 300; ++i) CHECK(by_both.is_fooled[i] == (by_ce.is_fooled[i] || by_targets.is_fooled[i]));
  CHECK(by_both.accuracy() < by_ce.accuracy());
  CHECK(by_both.accuracy() < by_targets.accuracy());
  CHECK(by_ce.accuracy() < by_pgd.accuracy());
  for (const AttackKind kind : kinds) CHECK(fooled(kind, 5).accuracy() <= fooled(kind, 1).accuracy());
}

TEST_CASE("class attacks: some rows with their sample numbers get what they get among all") {
  const PullBack<double> classifier = wavy_classifier(4);
  const M x = random_matrix({20, 5}, 6);
  const std::vector<std::int32_t> labels = likeliest(outputs_of(classifier, x, 4));
  const std::vector<double> radii{0.1, 0.3};
  const auto whole = class_attacks<double>(x, labels, radii, {.steps = 10}, classifier);
  std::vector<Index> numbers;
  for (Index i = 12; i < 20; ++i) numbers.push_back(i);
  const auto part = class_attacks<double>(x.view().row_block(12, 8), std::span(labels).subspan(12), radii,
                                          {.steps = 10}, classifier, numbers);
  for (std::size_t r = 0; r < 2; ++r) CHECK(same_bits(part[r].points, whole[r].points.view().row_block(12, 8)));
}

TEST_CASE("an output is right for its label alone, and equal ones for the first label") {
  const auto right = [](std::vector<double> f, std::int32_t label) { return is_right<double>(f, label); };
  CHECK(right({1, 3, 2}, 1));
  CHECK_FALSE(right({1, 3, 2}, 2));
  CHECK(right({3, 3}, 0));
  CHECK_FALSE(right({3, 3}, 1));
  CHECK(right({0.5}, 1));
  CHECK(right({-0.5}, 0));
  for (const std::int32_t label : {0, 1}) CHECK_FALSE(right({0}, label));
  CHECK_FALSE(right({std::numeric_limits<double>::quiet_NaN(), 1}, 1));
}

TEST_CASE("an attack has a name, and other names are refused") {
  for (const AttackKind kind : kinds) CHECK(attack_kind("attack", name(kind)) == kind);
  CHECK(message_of<InputError>([] { attack_kind("attack", "apdg"); }) ==
        "attack: found 'apdg', expected one of pgd, apgd_ce, apgd_targeted, apgd; did you mean apgd?");
}

TEST_CASE("class attacks: options, labels and outputs that make no attack are refused") {
  const M x{{0.5, 0.25}, {0, 1}};
  const std::vector<std::int32_t> labels{0, 1};
  const auto refusal = [&](const ClassAttackOptions& options, double radius = 0.1) {
    const std::vector<double> radii{radius};
    return message_of<InputError>([&] { class_attacks<double>(x, labels, radii, options, itself<double>); });
  };
  CHECK(refusal({.steps = -1}) == "attack: steps is -1; it must not be negative");
  CHECK(refusal({.restarts = 0}) == "attack: restarts is 0; it must be at least 1");
  CHECK(refusal({.targets = 0}) == "attack: targets is 0; it must be at least 1");
  CHECK(refusal({}, -1) == "attack: radius is -1; it must be finite and not negative");
  CHECK(contains(refusal({.clamp = InputRange{1, 0}}), "attack: clamp is 1 to 0"));
  CHECK(contains(refusal({.clamp = InputRange{0, 0.75}}), "attack: row 1 of the inputs holds 1; clamp is 0 to 0.75"));
  const std::vector<double> radii{0.1};
  const std::vector<std::int32_t> few{0}, wrong{0, 2}, negative{0, -1};
  CHECK(message_of([&] { class_attacks<double>(x, few, radii, {}, itself<double>); }) ==
        "attack: inputs are 2x2 and there are 1 labels; there must be one per row");
  for (const auto& bad : {wrong, negative})
    CHECK(message_of([&] { class_attacks<double>(x, bad, radii, {}, itself<double>); }) ==
          text("attack: label 1 is ", bad[1], "; it must be from 0 to 1"));
  const M broken{{0, 1}, {infinity, 2}};
  const std::vector<Index> numbers{5, 17};
  CHECK(message_of<RunError>([&] { class_attacks<double>(broken, labels, radii, {}, itself<double>, numbers); }) ==
        "attack: an output at sample 17 is inf");
}

TEST_CASE("attacks on classes end when stopped, inside of an attack within one radius") {
  // Rows that no small radius fools.
  M inputs(4, 5);
  for (Index i = 0; i < 4; ++i) inputs(i, 0) = 1;
  const std::vector<std::int32_t> labels(4);
  const std::vector<double> radii{1e-3};
  for (const AttackKind kind : kinds)
    check_stops("attack", [&](const std::function<bool()>& stop) {
      class_attacks<double>(inputs, labels, radii, {.kind = kind, .steps = 1'000'000'000, .stop = stop},
                            itself<double>);
    });
}

}  // namespace normalign::tests
