#include "nn/batch.hpp"

#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("a batch has rows, and for each what its loss compares the outputs with") {
  const Matrix<double> inputs(2, 3), targets(2, 4), other(2, 3);
  const std::vector<std::int32_t> labels = {0, 1}, few = {0};
  const auto refusal = [&](const Batch<double>& batch, Loss loss) {
    return message_of([&] { check_batch("f", batch, loss, 4); });
  };
  CHECK(refusal({.inputs = inputs, .labels = labels}, Loss::cross_entropy) == "nothing was thrown");
  CHECK(refusal({.inputs = inputs, .targets = targets}, Loss::mse) == "nothing was thrown");
  CHECK(refusal({}, Loss::mse) == "f: inputs are 0x0; there must be a row");
  CHECK(refusal({.inputs = inputs, .labels = few}, Loss::cross_entropy) ==
        "f: inputs are 2x3 but there are 1 labels; there must be one per row");
  CHECK(refusal({.inputs = inputs, .labels = labels, .targets = other}, Loss::bce) ==
        "f: targets are 2x3; they must be 2x4");
}

TEST_CASE("sample numbers are the batch's, or count its rows") {
  const Matrix<double> inputs(3, 1);
  const std::vector<Index> samples = {7, 5, 9}, few = {7};
  std::vector<Index> counted;
  const auto numbers = [&](const Batch<double>& batch) {
    const std::span<const Index> found = sample_numbers("f", batch, counted);
    return std::vector<Index>(found.begin(), found.end());
  };
  CHECK(numbers({.inputs = inputs}) == std::vector<Index>{0, 1, 2});
  CHECK(numbers({.inputs = inputs.view().row_block(0, 2)}) == std::vector<Index>{0, 1});
  CHECK(numbers({.inputs = inputs, .samples = samples}) == samples);
  CHECK(message_of([&] { numbers({.inputs = inputs, .samples = few}); }) ==
        "f: inputs are 3x1 but there are 1 sample numbers; there must be one per row");
}

TEST_CASE("the target of some rows is their labels or their values") {
  const Matrix<double> inputs(3, 1), targets{{1, 2}, {3, 4}, {5, 6}};
  const std::vector<std::int32_t> labels = {4, 2, 3};
  const Batch<double> batch{.inputs = inputs, .labels = labels, .targets = targets};
  Tape<double> tape;
  const RowBlock rows{.first = 1, .count = 2};
  CHECK(Matrix<double>(target_on(tape, batch, Loss::cross_entropy, rows).value()) == Matrix<double>{{2}, {3}});
  CHECK(Matrix<double>(target_on(tape, batch, Loss::mse, rows).value()) == Matrix<double>{{3, 4}, {5, 6}});
}

}  // namespace
}  // namespace normalign::tests
