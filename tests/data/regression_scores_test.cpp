#include "data/regression_scores.hpp"

#include <cmath>

#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

// Three rows of two targets: an example in the documentation of scikit-learn's r2_score.
const Matrix<double> numbers{{0.5, 1}, {-1, 1}, {7, -6}};
const Matrix<double> predicted{{0, 2}, {-1, 2}, {8, -5}};

RegressionScores scores(const Matrix<double>& predictions, const Matrix<double>& targets) {
  return regression_scores<double>(predictions, targets);
}

}  // namespace

TEST_CASE("R² is scikit-learn's", "[data]") {
  const RegressionScores found = scores(predicted, numbers);
  REQUIRE(found.r_squared.size() == 2);
  CHECK_THAT(found.r_squared[0], WithinRel(0.9654377880184332, tolerance<double>()));
  CHECK_THAT(found.r_squared[1], WithinRel(0.9081632653061225, tolerance<double>()));
  CHECK_THAT(found.mean_r_squared(), WithinRel(0.9368005266622779, tolerance<double>()));
  CHECK_THAT(found.rmse[0], WithinRel(std::sqrt((0.25 + 1) / 3), tolerance<double>()));
  CHECK_THAT(found.rmse[1], WithinRel(1, tolerance<double>()));
}

TEST_CASE("R² is 1 for the targets, 0 for their mean and below 0 for worse", "[data]") {
  CHECK(scores(numbers, numbers).mean_r_squared() == 1);
  CHECK(scores(numbers, numbers).rmse == std::vector<double>{0, 0});
  const Matrix<double> targets{{1}, {2}, {6}};
  CHECK(std::abs(scores({{3}, {3}, {3}}, targets).mean_r_squared()) < tolerance<double>());
  CHECK_THAT(scores({{6}, {2}, {1}}, targets).mean_r_squared(), WithinRel(1 - 50.0 / 14, tolerance<double>()));
}

TEST_CASE("a constant target is predicted exactly or not at all", "[data]") {
  // Whose sum is rounded, so that its mean is not the value.
  const Matrix<double> constant{{0.1}, {0.1}, {0.1}};
  CHECK(scores(constant, constant).mean_r_squared() == 1);
  CHECK(scores({{0.1}, {0.1}, {0.2}}, constant).mean_r_squared() == 0);
  CHECK(scores(Matrix<double>{{4}}, Matrix<double>{{5}}).mean_r_squared() == 0);
  CHECK(scores(Matrix<double>{{5}}, Matrix<double>{{5}}).mean_r_squared() == 1);
}

TEST_CASE("R² does not depend on the unit of a target, however small or large", "[data]") {
  for (const int exponent : {-600, -40, 3, 600}) {
    CAPTURE(exponent);
    Matrix<double> a = predicted, b = numbers;
    for (Matrix<double>* each : {&a, &b})
      for (double& value : each->span()) value = std::ldexp(value, exponent);
    const RegressionScores found = scores(a, b);
    CHECK_THAT(found.mean_r_squared(), WithinRel(0.9368005266622779, tolerance<double>()));
    CHECK_THAT(found.rmse[1], WithinRel(std::ldexp(1.0, exponent), tolerance<double>()));
  }
}

TEST_CASE("scores of floats are worked out in double", "[data]") {
  const RegressionScores found =
      regression_scores<float>(converted<float>(predicted.view()), converted<float>(numbers.view()));
  CHECK_THAT(found.mean_r_squared(), WithinRel(0.9368005266622779, tolerance<double>()));
}

TEST_CASE("several targets have one error, in units of their own", "[data]") {
  CHECK_THAT(joint_rmse({3, 4}), WithinRel(std::sqrt(12.5), tolerance<double>()));
  CHECK_THAT(joint_rmse({3, 4}, {2, 10}), WithinRel(std::sqrt((36 + 1600) / 2.0), tolerance<double>()));
  CHECK(joint_rmse({7}) == 7);
}

TEST_CASE("scores refuse what does not fit", "[data]") {
  CHECK(contains(message_of([] { scores(Matrix<double>(2, 1), numbers); }), "predictions are 2x1 and targets 3x2"));
  CHECK(contains(message_of([] { scores(Matrix<double>(0, 1), Matrix<double>(0, 1)); }), "0x1"));
  CHECK(contains(message_of([] { scores(Matrix<double>(1, 0), Matrix<double>(1, 0)); }), "1x0"));
  CHECK(contains(message_of([] { joint_rmse({1, 2}, {1}); }), "2 errors and 1 units"));
}

}  // namespace normalign::tests
