// What the table of operations (op_table_test.cpp) cannot say: agreement with dense products, adjoints, bad
// columns.
#include "autodiff/ops_hot.hpp"

#include <limits>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

// Five rows with three ones each among twelve columns.
template <class T>
struct MultiHot {
  Matrix<T> columns{{0, 5, 11}, {1, 2, 3}, {0, 1, 2}, {4, 9, 10}, {5, 6, 11}};
  Matrix<T> dense{5, 12};
  MultiHot() {
    for (Index i = 0; i < columns.rows(); ++i)
      for (T column : columns.row(i)) dense(i, static_cast<Index>(column)) = 1;
  }
};

template <class T>
void check_against_dense() {
  const MultiHot<T> hot;
  Tape<T> tape;
  const Var<T> x = tape.variable(hot.dense), w = tape.variable(random_matrix<T>({4, 12}, 1));
  const Var<T> columns = tape.constant(hot.columns), seed = tape.constant(random_matrix<T>({5, 4}, 2));
  const Var<T> gathered = hot_linear(x, w, columns), dense = linear(x, w);
  CHECK(relative_error(gathered.value(), dense.value()) <= tolerance<T>());
  CHECK(same_bits(hot_sum(w, columns).value(), gathered.value()));
  const auto found = grad(gathered, std::vector{x, w}, {.seed = seed});
  const auto expected = grad(dense, std::vector{x, w}, {.seed = seed});
  for (std::size_t k : {0u, 1u}) CHECK(relative_error(found[k].value(), expected[k].value()) <= tolerance<T>(1));
  // hot_sum and hot_outer are each other's transpose.
  const Var<T> outer = hot_outer(seed, columns, 12);
  CHECK(same_bits(outer.value(), found[1].value()));
  CHECK_THAT(inner_product(gathered.value(), seed.value()),
             WithinAbs(inner_product(w.value(), outer.value()), 10 * tolerance<T>()));  // sums of twenty terms
}

TEST_CASE("gathers of multi-hot rows are the dense products, and so are their gradients") {
  check_against_dense<double>();
  check_against_dense<float>();
}

TEST_CASE("multi-hot matrices are recognised, others are not") {
  Matrix<double> x(3, 32);
  const auto count = [&] { return hot_count<double>(x); };
  CHECK(count() == 0);  // no ones at all
  for (Index i = 0; i < 3; ++i) x(i, 7 * i) = x(i, 7 * i + 3) = 1;
  REQUIRE(count() == 2);
  Matrix<double> columns(3, 2);
  fill_hot<double>(x, columns);
  CHECK(same_bits(columns, Matrix<double>{{0, 3}, {7, 10}, {14, 17}}));
  SECTION("a row with another number of ones") { x(2, 31) = 1; }
  SECTION("a row with fewer ones") { x(1, 7) = 0; }
  SECTION("a value that is neither 0 nor 1") { x(2, 30) = 0.5; }
  SECTION("NaN") { x(2, 30) = std::numeric_limits<double>::quiet_NaN(); }
  SECTION("too many ones for a gather to pay") {
    for (Index i = 0; i < 3; ++i) x(i, 31) = 1;
  }
  CHECK(count() == 0);
}

TEST_CASE("an entry of hot that is no column is refused") {
  Tape<double> tape;
  const Var<double> w = tape.variable(Matrix<double>(4, 12)), g = tape.constant(Matrix<double>(1, 4));
  const Var<double> x = tape.constant(Matrix<double>(1, 12));
  for (double bad : {12.0, -1.0, 0.5, std::numeric_limits<double>::quiet_NaN()}) {
    CAPTURE(bad);
    const Var<double> hot = tape.constant(Matrix<double>{{0, bad}});
    const std::string wanted = text(": hot ", bad, " in row 0; it must be a whole number from 0 to 11");
    CHECK(message_of([&] { hot_linear(x, w, hot); }) == "hot_linear" + wanted);
    CHECK(contains(message_of([&] { hot_sum(w, hot); }), wanted));
    CHECK(message_of([&] { hot_outer(g, hot, 12); }) == "hot_outer" + wanted);
  }
  const Var<double> misfit = tape.constant(Matrix<double>(2, 1));
  CHECK(contains(message_of([&] { hot_linear(x, w, misfit); }), "hot.rows must equal"));
  CHECK(contains(message_of([&] { hot_outer(g, misfit, 12); }), "hot.rows must equal"));
  CHECK_THROWS_AS(hot_linear(tape.constant(Matrix<double>(1, 3)), w, misfit), InputError);
  CHECK_THROWS_AS(hot_outer(g, tape.constant(Matrix<double>(1, 1)), (Index{1} << 32) + 1), InputError);
}

TEST_CASE("columns that a float cannot tell apart are refused where they are written, and where they are read") {
  constexpr Index limit = Index{1} << 24;
  Matrix<float> x(1, limit + 2), hot(1, 1);
  x(0, limit + 1) = 1;
  REQUIRE(hot_count<float>(x) == 0);  // too wide for a gather
  CHECK(message_of([&] { fill_hot<float>(x, hot); }) ==
        "fill_hot: column 16777217 in row 0; whole numbers from 16777216 on are not exact in float, use double");
  Tape<float> tape;
  const Var<float> w = tape.borrowed_variable(x);
  const Var<float> rounded = tape.full({1, 1}, static_cast<double>(limit + 1));
  const std::string wanted = " 16777216 in row 0; whole numbers from 16777216 on are not exact in float, use double";
  CHECK(message_of([&] { hot_sum(w, rounded); }) == "hot_sum: hot" + wanted);
  CHECK(message_of([&] { hot_outer(tape.full({1, 1}, 1), rounded, limit + 2); }) == "hot_outer: hot" + wanted);
  CHECK(message_of([&] { gather_cols(w, rounded); }) == "gather_cols: index" + wanted);
  CHECK(message_of([&] {
          scatter_add_cols(tape.full({1, 1}, 1), rounded, limit + 2);
        }) == "scatter_add_cols: index" + wanted);
  CHECK(message_of([&] { cross_entropy_rows(w, rounded); }) == "cross_entropy_rows: label" + wanted);
  CHECK(gather_cols(w, tape.full({1, 1}, static_cast<double>(limit - 1))).item() == 0);
}

}  // namespace
}  // namespace normalign::tests
