#include "rfm/machine_in_span.hpp"

#include <cmath>
#include <limits>

#include "rfm/rfm.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

// Rows x of more columns, targets, and points to predict at: two of the rows, some near them, some far outside.
template <class T>
struct Wide {
  const char* what;
  Matrix<T> x, y, fresh;
};

template <class T>
Wide<T> wide(const char* what, Matrix<T> x) {
  const Index n = x.rows(), d = x.cols();
  Matrix<T> y = random_matrix<T>({n, 3}, 7), fresh = random_matrix<T>({9, d}, 8);
  for (Index i = 0; i < 6; ++i)
    for (Index j = 0; j < d; ++j) fresh(i, j) = x(i, j) + (i < 2 ? T(0) : T(0.05) * fresh(i, j));
  for (Index j = 0; j < d; ++j) fresh(8, j) *= T(30);
  return {what, std::move(x), std::move(y), std::move(fresh)};
}

template <class T>
std::vector<Wide<T>> wide_tables() {
  std::vector<Wide<T>> tables;
  tables.push_back(wide("plain", random_matrix<T>({20, 30}, 1)));
  tables.push_back(wide("very wide", random_matrix<T>({20, 200}, 2)));
  tables.push_back(wide("far from 0", random_matrix<T>({30, 100}, 2, 9, 11)));
  Matrix<T> duplicated = random_matrix<T>({24, 60}, 3);
  for (Index i = 0; i < 8; ++i) std::ranges::copy(duplicated.row(i), duplicated.row(23 - i).begin());
  tables.push_back(wide("duplicated rows", std::move(duplicated)));
  const M left = random_matrix({24, 5}, 4), right = random_matrix({5, 60}, 5);
  tables.push_back(wide("dependent rows", converted<T>(naive_product(left, right).view())));
  Matrix<T> constant = random_matrix<T>({20, 50}, 6);
  for (Index i = 0; i < 20; ++i) {
    constant(i, 3) = 0;
    constant(i, 7) = T(2.5);
  }
  tables.push_back(wide("constant columns", std::move(constant)));
  return tables;
}

// All the machines of a fit.
template <class T>
std::vector<KernelMachine<T>> machines(const RfmOptions& options, ConstView<T> x, const Matrix<T>& y) {
  std::vector<KernelMachine<T>> result;
  Rfm<T>(options).fit(x, y, [&](Index, const KernelMachine<T>& machine, const RidgeReport&) {
    result.push_back(machine);
    return true;
  });
  return result;
}

// Of the gradients that a callback writes, with cotangents 1, -2, 3.
template <class T, class PullBack>
Matrix<T> pulled(const Wide<T>& table, const PullBack& pull_back) {
  Matrix<T> gradients(table.fresh.rows(), table.fresh.cols());
  std::ranges::fill(gradients.span(), std::numeric_limits<T>::quiet_NaN());
  pull_back(
      [](Index, MatrixView<T> outputs) {
        for (Index i = 0; i < outputs.rows(); ++i)
          for (Index c = 0; c < 3; ++c) outputs(i, c) = T(c == 0 ? 1 : c == 1 ? -2 : 3);
      },
      gradients.view());
  return gradients;
}

template <class T>
void check_fits(const Kernel& kernel, double identity_share, double bound) {
  for (const Wide<T>& table : wide_tables<T>()) {
    CAPTURE(table.what, name_of(kernel.shape), identity_share, sizeof(T));
    RfmOptions options{
        .kernel = kernel, .ridge = {.regularisation = 0.1}, .identity_share = identity_share, .updates = 2};
    const std::vector<KernelMachine<T>> dense = machines<T>(options, table.x, table.y);
    const SpanCoordinates<T> span(table.x);
    CHECK(span.coordinates() == table.x.rows() + 1);
    options.inputs = table.x.cols();
    const std::vector<KernelMachine<T>> small = machines<T>(options, span.rows(), table.y);
    REQUIRE(small.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
      CAPTURE(i);
      CHECK(relative_error(span.metric_in_inputs(small[i].metric()), dense[i].metric()) < bound);
      CHECK(relative_error(small[i].coefficients(), dense[i].coefficients()) < bound);
      CHECK(relative_error(outputs_at<T>(span, small[i], table.fresh), dense[i].outputs_at(table.fresh)) < bound);
      const Matrix<T> expected = pulled(table, [&](const auto& cotangents, MatrixView<T> gradients) {
        dense[i].pull_back(table.fresh, cotangents, gradients);
      });
      const Matrix<T> found = pulled(table, [&](const auto& cotangents, MatrixView<T> gradients) {
        pull_back<T>(span, small[i], table.fresh, cotangents, gradients);
      });
      for (Index row = 0; row < found.rows(); ++row) {
        CAPTURE(row);
        CHECK(relative_error(Matrix<T>(found.view().row_block(row, 1)), Matrix<T>(expected.view().row_block(row, 1))) <
              bound);
      }
    }
  }
}

TEST_CASE("the diagonal in the inputs is that of the directions' products with the matrix") {
  const M x = random_matrix({6, 20}, 1);
  const SpanCoordinates<double> span(x);
  const M d(span.directions());  // r x d
  const Index r = d.rows(), coordinates = span.coordinates();
  M products = random_matrix({coordinates, coordinates}, 2);
  for (Index i = 0; i < coordinates; ++i)
    for (Index j = 0; j < i; ++j) products(i, j) = products(j, i);
  const std::vector<double> found = diagonal_in_inputs(products, span);
  REQUIRE(found.size() == 20);
  for (Index j = 0; j < 20; ++j) {
    double expected = 0;
    for (Index a = 0; a < r; ++a)
      for (Index b = 0; b < r; ++b) expected += d(a, j) * products(a, b) * d(b, j);
    CHECK(std::abs(found[static_cast<std::size_t>(j)] - expected) < 1e-12);
  }
  CHECK(diagonal_in_inputs(M{{1, 5}, {5, 2}}, std::nullopt) == std::vector<double>{1, 2});
}

}  // namespace

TEST_CASE("fits in the coordinates of the rows' span are fits in the inputs", "[rfm]") {
  for (const Kernel& kernel : {Kernel{.bandwidth = 5}, Kernel{.shape = KernelShape::gaussian, .bandwidth = 5},
                               Kernel{.shape = KernelShape::generalised_laplace, .bandwidth = 4, .exponent = 1.4}})
    for (const double share : {1.0, 0.5, 0.0}) {
      check_fits<double>(kernel, share, 1e-10);
      // An AGOP over pairs keeps half of its digits, in the inputs as in coordinates.
      check_fits<float>(kernel, share, 1e-2);
    }
}

TEST_CASE("the trace is that of all inputs, and the identity beyond the coordinates counts", "[rfm]") {
  // Two coordinates of five inputs, the covariance diag(16, 4) / 3: half of it and of the identity has trace 35 / 6.
  const M x{{2, 1}, {-2, 1}, {2, -1}, {-2, -1}};
  CHECK(relative_error(initial_metric<double>(x, 0.5, 5), M{{19.0 / 6 * 6 / 7, 0}, {0, 7.0 / 6 * 6 / 7}}) < 1e-15);
  CHECK(initial_metric<double>(x, 1, 5) == M{{1, 0}, {0, 1}});
  CHECK(initial_metric<double>(x, 0.3, 2) == initial_metric<double>(x, 0.3));
  CHECK(trace_normalised(M{{3, 1}, {1, 1}}, 8) == M{{6, 2}, {2, 2}});
  CHECK(message_of([] { Rfm<double>({.inputs = -1}); }) == "Rfm: inputs is -1; it must not be negative");
  CHECK(message_of([] { Rfm<double>({.inputs = 2}).fit(M(2, 3), M(2, 1)); }) ==
        "Rfm: x is 2x3 and inputs is 2; x must not have more columns");
}

TEST_CASE("gradients that do not fit the points are refused", "[rfm]") {
  const SpanCoordinates<double> span(random_matrix({3, 7}, 1));
  const KernelMachine<double> machine({}, M(span.rows()), M(4, 4), M(3, 1));
  M small(1, 3);
  CHECK(contains(message_of([&] { pull_back<double>(span, machine, M(1, 7), {}, small); }),
                 "gradients are 1x3 but x is 1x7"));
}

}  // namespace normalign::tests
