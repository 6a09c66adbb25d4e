// What the table of operations (op_table_test.cpp) cannot say: adjoints, whole ranges, errors.
#include "autodiff/ops_shape.hpp"

#include <limits>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

using V = Var<double>;
using M = Matrix<double>;

TEST_CASE("slicing and padding are each other's adjoint and undo each other") {
  Tape<double> tape;
  const V x = tape.variable(random_matrix({5, 6}, 1));
  for (Index first = 0; first <= 5; ++first)
    for (Index count = 0; first + count <= 5; ++count) {
      CAPTURE(first, count);
      const V rows = tape.variable(random_matrix({count, 6}, 2));
      const V cols = tape.variable(random_matrix({5, count}, 3));
      const V padded_rows = pad_rows(rows, first, 5 - first - count);
      const V padded_cols = pad_cols(cols, first, 6 - first - count);
      CHECK(same_bits(slice_rows(padded_rows, first, count).value(), rows.value()));
      CHECK(same_bits(slice_cols(padded_cols, first, count).value(), cols.value()));
      CHECK_THAT(inner_product(slice_rows(x, first, count).value(), rows.value()),
                 WithinAbs(inner_product(x.value(), padded_rows.value()), tolerance<double>()));
      CHECK_THAT(inner_product(slice_cols(x, first, count).value(), cols.value()),
                 WithinAbs(inner_product(x.value(), padded_cols.value()), tolerance<double>()));
      CHECK(same_bits(grad(slice_rows(x, first, count), x, {.seed = rows}).value(), padded_rows.value()));
      CHECK(same_bits(grad(slice_cols(x, first, count), x, {.seed = cols}).value(), padded_cols.value()));
    }
}

TEST_CASE("slices put together again are the whole") {
  Tape<double> tape;
  const V x = tape.variable(random_matrix({7, 3}, 1));
  std::vector<V> parts;
  for (Index first = 0, count = 0; first < 7; first += count) {
    count = std::min<Index>(1 + first, 7 - first);
    parts.push_back(slice_rows(x, first, count));
  }
  const V whole = concat_rows(std::span<const V>(parts));
  CHECK(same_bits(whole.value(), x.value()));
  const V seed = tape.constant(random_matrix({7, 3}, 2));
  CHECK(same_bits(grad(whole, x, {.seed = seed}).value(), seed.value()));
  CHECK(same_bits(concat_rows(std::span<const V>(&x, 1)).value(), x.value()));
}

TEST_CASE("gathering and scattering columns are each other's adjoint") {
  Tape<double> tape;
  const M picks{{0, 3, 3}, {2, 2, 2}, {1, 0, 3}, {3, 1, 0}};
  const V index = tape.constant(picks);
  const V x = tape.variable(random_matrix({4, 4}, 1)), g = tape.variable(random_matrix({4, 3}, 2));
  const V gathered = gather_cols(x, index), scattered = scatter_add_cols(g, index, 4);
  CHECK_THAT(inner_product(gathered.value(), g.value()),
             WithinAbs(inner_product(x.value(), scattered.value()), tolerance<double>()));
  CHECK(same_bits(grad(gathered, x, {.seed = g}).value(), scattered.value()));
  CHECK(same_bits(grad(scattered, g, {.seed = x}).value(), gathered.value()));
  // Equal picks add up.
  CHECK_THAT(scattered.value()(1, 2),
             WithinAbs(g.value()(1, 0) + g.value()(1, 1) + g.value()(1, 2), tolerance<double>()));
}

TEST_CASE("ranges that are not all there are refused, however large") {
  Tape<double> tape;
  const V x = tape.variable(M(4, 3));
  CHECK(message_of([&] { slice_rows(x, 2, 3); }) == "slice_rows: x is 4x3 but rows 2 to 4 were asked for");
  CHECK(message_of([&] { slice_cols(x, 1, 3); }) == "slice_cols: x is 4x3 but columns 1 to 3 were asked for");
  CHECK(contains(message_of([&] { slice_rows(x, -1, 2); }), "rows -1 to 0 were asked for"));
  CHECK_THROWS_AS(slice_cols(x, 2, -1), InputError);
  CHECK(message_of([&] { pad_rows(x, -1, 2); }) ==
        "pad_rows: -1 rows before and 2 after were asked for; neither may be negative");
  CHECK(message_of([&] { pad_cols(x, 0, -2); }) ==
        "pad_cols: 0 columns before and -2 after were asked for; neither may be negative");
  // Sums and numbers that do not fit 32 bits.
  const Index largest = std::numeric_limits<std::int32_t>::max(), beyond = (Index{1} << 32) + 1;
  for (Index first : {Index{1}, largest, beyond})
    for (Index count : {largest, beyond}) {
      CAPTURE(first, count);
      CHECK_THROWS_AS(slice_rows(x, first, count), InputError);
      CHECK_THROWS_AS(slice_cols(x, first, count), InputError);
    }
  CHECK_THROWS_AS(slice_rows(x, beyond - 1, 1), InputError);
  CHECK_THROWS_AS(pad_rows(x, beyond, 0), InputError);
  CHECK_THROWS_AS(pad_cols(x, largest, largest), InputError);
  CHECK_THROWS_AS(scatter_add_cols(x, tape.constant(M(4, 3)), beyond), InputError);
  CHECK_THROWS_AS(scatter_add_cols(x, tape.constant(M(4, 3)), -1), InputError);
}

TEST_CASE("parts that do not fit are refused") {
  Tape<double> tape;
  const V a = tape.variable(M(2, 3)), b = tape.variable(M(2, 4));
  CHECK(message_of([&] { concat_rows(a, b); }) == "concat_rows: a is 2x3 but b is 2x4; a.cols must equal b.cols");
  CHECK(message_of([&] { concat_rows(std::span<const V>()); }) ==
        "concat_rows: there are no parts; there must be at least one");
}

TEST_CASE("an index that is none is refused, with the row it is in") {
  Tape<double> tape;
  const V x = tape.variable(M(2, 3));
  for (double index : {3.0, -1.0, 0.5}) {
    const V bad = tape.constant(M{{0}, {index}});
    CHECK(message_of([&] { gather_cols(x, bad); }) ==
          text("gather_cols: index ", index, " in row 1; it must be a whole number from 0 to 2"));
    CHECK(message_of([&] { scatter_add_cols(tape.variable(M(2, 1)), bad, 3); }) ==
          text("scatter_add_cols: index ", index, " in row 1; it must be a whole number from 0 to 2"));
  }
  const V nan = tape.constant(M{{std::numeric_limits<double>::quiet_NaN()}, {0}});
  CHECK(contains(message_of([&] { gather_cols(x, nan); }), "in row 0; it must be a whole number"));
  CHECK(message_of([&] { gather_cols(x, tape.constant(M(3, 1))); }) ==
        "gather_cols: x is 2x3 but index is 3x1; their rows must be equal");
  CHECK(message_of([&] { scatter_add_cols(x, tape.constant(M(2, 1)), 3); }) ==
        "scatter_add_cols: g is 2x3 but index is 2x1; they must be equal");
}

}  // namespace
}  // namespace normalign::tests
