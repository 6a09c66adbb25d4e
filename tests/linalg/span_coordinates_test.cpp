#include "linalg/span_coordinates.hpp"

#include <cmath>
#include <limits>

#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;
using Span = SpanCoordinates<double>;

// Points of which two are rows, some lie near them and some far outside.
M points_near(const M& rows) {
  M points = random_matrix({9, rows.cols()}, 8);
  for (Index i = 0; i < 6; ++i)
    for (Index j = 0; j < rows.cols(); ++j) points(i, j) = rows(i, j) + (i < 2 ? 0 : 0.05 * points(i, j));
  for (double& value : points.row(8)) value *= 30;
  return points;
}

struct Rows {
  const char* what;
  M values;
  double bound;  // of errors where the coordinates come from inner products
};

std::vector<Rows> kinds_of_rows() {
  std::vector<Rows> kinds;
  kinds.push_back({"plain", random_matrix({20, 30}, 1), 1e-12});
  kinds.push_back({"very wide", random_matrix({20, 3000}, 2), 1e-14});
  kinds.push_back({"far from 0", random_matrix({30, 100}, 2, 9, 11), 1e-11});
  M scaled = random_matrix({12, 40}, 9);
  for (Index i = 0; i < 12; ++i)
    for (double& value : scaled.row(i)) value *= std::exp2(4 * i - 24);
  kinds.push_back({"of very different lengths", std::move(scaled), 1e-13});
  M repeated = random_matrix({24, 60}, 3);
  for (Index i = 0; i < 8; ++i) std::ranges::copy(repeated.row(i), repeated.row(23 - i).begin());
  kinds.push_back({"repeated", std::move(repeated), 1e-13});
  kinds.push_back({"dependent", naive_product(random_matrix({24, 5}, 4), random_matrix({5, 60}, 5)), 1e-13});
  M nearly = random_matrix({24, 60}, 6);
  for (Index j = 0; j < 60; ++j) nearly(20, j) = nearly(3, j) + 1e-6 * nearly(20, j);
  kinds.push_back({"nearly dependent", std::move(nearly), 1e-13});
  kinds.push_back({"more than columns", random_matrix({40, 30}, 7), 1e-13});
  return kinds;
}

double length(std::span<const double> x) {
  double squares = 0;
  for (const double value : x) squares += value * value;
  return std::sqrt(squares);
}

void check_coordinates(const Span& span, const M& rows, double bound) {
  const M points = points_near(rows), found = span.of(points), of_rows(span.rows());
  const Index last = span.coordinates() - 1;
  CHECK(last == std::min(rows.rows(), rows.cols()));
  CHECK(span.inputs() == rows.cols());
  CHECK(relative_error(naive_product(of_rows, of_rows, {.b = true}), naive_product(rows, rows, {.b = true})) < 1e-14);
  CHECK(relative_error(naive_product(found, of_rows, {.b = true}), naive_product(points, rows, {.b = true})) < bound);
  CHECK(relative_error(span.in_inputs(of_rows), rows) < bound);
  for (Index i = 0; i < found.rows(); ++i) CHECK_THAT(length(found.row(i)), WithinRel(length(points.row(i)), bound));
  for (Index i = 0; i < rows.rows(); ++i) CHECK(of_rows(i, last) == 0);
  // A row has no rest, up to what rounding its length leaves.
  for (Index i = 0; i < 2; ++i) CHECK(found(i, last) <= bound * std::max(1.0, length(points.row(i))));
  // A point is what lies in the span and the rest, whose length is the last coordinate.
  M rest(points.rows(), points.cols());
  CHECK(same_bits(span.of(points, rest), found));
  M sum(rest);
  span.add_in_inputs(found, sum);
  CHECK(relative_error(sum, points) < bound);
  for (Index i = 0; i < found.rows(); ++i)
    CHECK_THAT(length(rest.row(i)), WithinAbs(found(i, last), 1e-14 * length(points.row(i))));
}

}  // namespace

TEST_CASE("coordinates keep lengths, and distances from and angles with the rows", "[linalg]") {
  for (const Rows& rows : kinds_of_rows()) {
    CAPTURE(rows.what);
    check_coordinates(Span(rows.values), rows.values, 1e-13);
    check_coordinates(Span::by_inner_products(rows.values), rows.values, rows.bound);
  }
}

TEST_CASE("coordinates by inner products are one axis a row more", "[linalg]") {
  M rows = random_matrix({7, 50}, 1);
  for (Index i = 0; i < 2; ++i) {
    std::ranges::fill(rows.row(i), 0.0);
    rows(i, i) = 1;
  }
  const Span span = Span::by_inner_products(rows);
  for (Index i = 0; i < 7; ++i) {
    CHECK(span.rows()(i, i) > 0);
    for (Index j = i + 1; j < 8; ++j) CHECK(span.rows()(i, j) == 0);
  }
  // So the first coordinates are the inputs whose axes are the first rows.
  for (Index i = 2; i < 7; ++i)
    for (Index j = 0; j < 2; ++j) CHECK(span.rows()(i, j) == rows(i, j));
}

TEST_CASE("float coordinates by inner products are the double ones rounded", "[linalg]") {
  const Matrix<float> rows = random_matrix<float>({50, 5000}, 3);
  const auto found = SpanCoordinates<float>::by_inner_products(rows);
  const Span expected = Span::by_inner_products(converted<double>(rows.view()));
  CHECK(same_bits(Matrix<float>(found.rows()), converted<float>(expected.rows())));
  const Matrix<float> points = random_matrix<float>({4, 5000}, 4);
  CHECK(relative_error(found.of(points), expected.of(converted<double>(points.view()))) < 1e-5);
}

TEST_CASE("equal rows have equal coordinates; rows of zero and a single row are no exception", "[linalg]") {
  M x = random_matrix({6, 40}, 1);
  std::ranges::copy(x.row(1), x.row(4).begin());
  std::ranges::fill(x.row(2), 0.0);
  for (const Span& span : {Span(x), Span::by_inner_products(x)}) {
    CHECK(same_bits(M(span.rows().row_block(1, 1)), M(span.rows().row_block(4, 1))));
    CHECK(all_zero(M(span.rows().row_block(2, 1))));
  }
  const Span zero(M(1, 5));
  CHECK(zero.coordinates() == 2);
  const M ones = zero.of(M{{0, 3, 0, 0, 4}});
  CHECK_THAT(std::hypot(ones(0, 0), ones(0, 1)), WithinRel(5.0, 1e-14));
}

TEST_CASE("misfits of coordinates are refused", "[linalg]") {
  const Span span(random_matrix({3, 7}, 1));
  CHECK(contains(message_of([&] { span.metric_in_inputs(M(7, 7)); }), "the metric is 7x7; it must be 4x4"));
  CHECK(contains(message_of([&] { span.of(M(2, 6)); }), "gemm"));
  CHECK(contains(message_of([&] { span.in_inputs(M(2, 3)); }), "coordinates are 2x3; they must have 4 columns"));
  CHECK(contains(message_of([] { Span(M{{1, std::nan("")}}); }), "a value is nan"));
  CHECK(contains(message_of([] { Span::by_inner_products(M{{1, std::nan("")}}); }), "a value is nan"));
}

}  // namespace normalign::tests
