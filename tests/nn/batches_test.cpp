#include "nn/batches.hpp"

#include <algorithm>
#include <set>

#include "support/catch.hpp"
#include "support/matrices.hpp"

namespace normalign::tests {
namespace {

// Sample i has the input i, the label i and the target -i.
Dataset<double> numbered(Index n) {
  Dataset<double> data{Matrix<double>(n, 1), {}, n};
  for (Index i = 0; i < n; ++i) {
    data.inputs(i, 0) = static_cast<double>(i);
    data.labels.push_back(static_cast<std::int32_t>(i));
  }
  return data;
}

Matrix<double> negated(const Dataset<double>& data) {
  Matrix<double> targets = data.inputs;
  for (double& value : targets.span()) value = -value;
  return targets;
}

// The number of the sample in row `at`.
Index sample(const Batch<double>& batch, std::size_t at) {
  return batch.samples.empty() ? static_cast<Index>(at) : batch.samples[at];
}

std::vector<double> order(Batches<double>& batches, Index epoch, std::vector<Index>* sizes = nullptr) {
  std::vector<double> seen;
  batches.pass(epoch, [&](const Batch<double>& batch) {
    if (sizes) sizes->push_back(batch.inputs.rows());
    for (Index i = 0; i < batch.inputs.rows(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      CHECK(batch.labels[at] == batch.inputs(i, 0));
      CHECK(batch.targets(i, 0) == -batch.inputs(i, 0));
      CHECK(sample(batch, at) == static_cast<Index>(batch.inputs(i, 0)));
      seen.push_back(batch.inputs(i, 0));
    }
  });
  return seen;
}

TEST_CASE("a pass has every sample once with its label, target and number, the last batch short") {
  const Dataset<double> data = numbered(23);
  Batches<double> batches(data, negated(data), 5, 1);
  std::vector<Index> sizes;
  const std::vector<double> seen = order(batches, 0, &sizes);
  CHECK(sizes == std::vector<Index>{5, 5, 5, 5, 3});
  CHECK(std::set<double>(seen.begin(), seen.end()).size() == 23);
  CHECK_FALSE(std::ranges::is_sorted(seen));
}

TEST_CASE("targets go without labels") {
  Dataset<double> data = numbered(23);
  data.labels.clear();
  Batches<double> batches(data, negated(data), 5, 1);
  std::set<double> seen;
  batches.pass(0, [&](const Batch<double>& batch) {
    CHECK(batch.is_regression());
    for (Index i = 0; i < batch.inputs.rows(); ++i) {
      CHECK(batch.targets(i, 0) == -batch.inputs(i, 0));
      seen.insert(batch.inputs(i, 0));
    }
  });
  CHECK(seen.size() == 23);
  CHECK(batches.all().is_regression());
}

TEST_CASE("the order is that of seed and epoch, whatever was passed over before") {
  const Dataset<double> data = numbered(23);
  Batches<double> one(data, negated(data), 5, 1), same(data, negated(data), 5, 1), other(data, negated(data), 5, 2);
  const auto third = order(one, 3);
  for (Index epoch : {0, 1, 2}) order(same, epoch);
  CHECK(order(same, 3) == third);
  CHECK_FALSE(order(same, 4) == third);
  CHECK_FALSE(order(other, 3) == third);
}

TEST_CASE("a batch that holds all is the set in its order") {
  const Dataset<double> data = numbered(7);
  for (Index size : {0, 7, 100}) {
    Batches<double> batches(data, negated(data), size, 1);
    std::vector<Index> sizes;
    CHECK(std::ranges::is_sorted(order(batches, 5, &sizes)));
    CHECK(sizes == std::vector<Index>{7});
  }
}

TEST_CASE("noise is on passes from then on, drawn for its epoch, and never on the set itself") {
  const Dataset<double> data = numbered(12);
  const auto inputs = [&](Index size, Index noise_epoch) {
    Batches<double> batches(data, negated(data), size, 1);
    batches.draw_noise(noise_epoch, 0.1);
    CHECK(same_bits(batches.all().inputs, data.inputs));
    CHECK(batches.all().samples.empty());
    std::vector<double> seen;
    batches.pass(0, [&](const Batch<double>& batch) {
      for (Index i = 0; i < batch.inputs.rows(); ++i) {
        const double noise = batch.inputs(i, 0) - static_cast<double>(sample(batch, static_cast<std::size_t>(i)));
        CHECK((noise != 0 && std::abs(noise) < 1));
        seen.push_back(batch.inputs(i, 0));
      }
    });
    std::ranges::sort(seen);
    return seen;
  };
  const auto whole = inputs(0, 2);
  CHECK(inputs(5, 2) == whole);
  CHECK_FALSE(inputs(0, 3) == whole);
}

}  // namespace
}  // namespace normalign::tests
