#include "data/modular.hpp"

#include <functional>
#include <limits>
#include <map>
#include <set>
#include <string>

#include "support/catch.hpp"

namespace normalign::tests {
namespace {

using Pair = std::pair<Index, Index>;

// The pairs of one side with their labels, read off the one-hot rows, which are checked on the way.
std::map<Pair, Index> pairs_of(const Dataset<double>& data, Index p) {
  std::map<Pair, Index> pairs;
  REQUIRE(data.inputs.cols() == 2 * p);
  REQUIRE(data.labels.size() == static_cast<std::size_t>(data.inputs.rows()));
  for (Index i = 0; i < data.inputs.rows(); ++i) {
    std::vector<Index> hot;
    for (Index j = 0; j < 2 * p; ++j) {
      if (data.inputs(i, j) == 0) continue;
      REQUIRE(data.inputs(i, j) == 1);
      hot.push_back(j);
    }
    REQUIRE(hot.size() == 2);
    REQUIRE(hot[0] < p);
    REQUIRE(hot[1] >= p);
    REQUIRE(pairs.emplace(Pair{hot[0], hot[1] - p}, data.labels[static_cast<std::size_t>(i)]).second);
  }
  return pairs;
}

std::map<Pair, Index> all_pairs(ModularOperation operation, Index p) {
  const auto split = modular<double>({.modulus = p, .operation = operation, .train_fraction = 0.5});
  CHECK(split.train.classes == p);
  CHECK(split.test.classes == p);
  auto pairs = pairs_of(split.train, p);
  auto test_pairs = pairs_of(split.test, p);
  pairs.merge(test_pairs);
  CHECK(test_pairs.empty());  // what is left there was in both
  return pairs;
}

// Whether z is the right answer, by equations that need no division.
using Oracle = std::function<bool(Index x, Index y, Index z, Index p)>;

Index mod(Index a, Index p) { return ((a % p) + p) % p; }

const std::map<std::string, Oracle> oracles{
    {"add", [](Index x, Index y, Index z, Index p) { return z == mod(x + y, p); }},
    {"subtract", [](Index x, Index y, Index z, Index p) { return x == mod(z + y, p); }},
    {"multiply", [](Index x, Index y, Index z, Index p) { return z == mod(x * y, p); }},
    {"divide", [](Index x, Index y, Index z, Index p) { return x == mod(z * y, p); }},
    {"divide_or_subtract", [](Index x, Index y, Index z, Index p) { return x == mod(y % 2 == 1 ? z * y : z + y, p); }},
    {"sum_of_squares", [](Index x, Index y, Index z, Index p) { return mod(z - x * x, p) == mod(y * y, p); }},
    {"quadratic", [](Index x, Index y, Index z, Index p) { return mod(z + x * y, p) == mod((x + y) * (x + y), p); }},
    {"quadratic_plus_x",
     [](Index x, Index y, Index z, Index p) { return mod(z + x * y - x, p) == mod((x + y) * (x + y), p); }},
    {"cubic", [](Index x, Index y, Index z, Index p) { return z == mod(x * mod(x * x + y, p), p); }},
    {"cubic_plus_y", [](Index x, Index y, Index z, Index p) { return z == mod(x * (x * x + y * y) + y, p); }},
};

}  // namespace

TEST_CASE("mod_add has the sizes of the paper by default", "[data]") {
  const auto split = modular<double>();
  CHECK(split.train.inputs.shape() == Shape{1116, 122});  // 34 batches of 32 and one of 28
  CHECK(split.test.inputs.shape() == Shape{3721 - 1116, 122});
  CHECK(split.train.classes == 61);
}

TEST_CASE("every modular operation agrees with its oracle on every pair", "[data]") {
  REQUIRE(modular_operations().size() == oracles.size());
  for (const auto& entry : modular_operations()) {
    const std::string name(entry.name);
    const auto& right = oracles.at(name);
    for (const Index p : {2, 3, 5, 13, 23}) {
      CAPTURE(name, p);
      const auto pairs = all_pairs(entry.operation, p);
      const Index divisors = name == "divide" ? p - 1 : p;
      CHECK(static_cast<Index>(pairs.size()) == p * divisors);
      bool all_right = true;
      for (const auto& [pair, z] : pairs) {
        const auto [x, y] = pair;
        all_right = all_right && z >= 0 && z < p && right(x, y, z, p) && !(name == "divide" && y == 0);
      }
      CHECK(all_right);
    }
  }
}

TEST_CASE("composite moduli serve all operations but the divisions", "[data]") {
  for (const auto& entry : modular_operations()) {
    const std::string name(entry.name);
    for (const Index p : {4, 9, 15}) {
      CAPTURE(name, p);
      if (name.starts_with("divide")) {
        CHECK_THROWS_AS(modular<double>({.modulus = p, .operation = entry.operation}), InputError);
        continue;
      }
      bool all_right = true;
      for (const auto& [pair, z] : all_pairs(entry.operation, p))
        all_right = all_right && z >= 0 && z < p && oracles.at(name)(pair.first, pair.second, z, p);
      CHECK(all_right);
    }
  }
}

TEST_CASE("modular labels cover the classes evenly where the operation is a group's", "[data]") {
  for (const auto operation : {ModularOperation::add, ModularOperation::subtract}) {
    std::map<Index, Index> counts;
    for (const auto& [pair, z] : all_pairs(operation, 11)) ++counts[z];
    CHECK(counts.size() == 11);
    for (const auto& [z, count] : counts) CHECK(count == 11);
  }
}

TEST_CASE("modular training rows are a random sample that the seed fixes", "[data]") {
  const auto first = modular<double>({.seed = 1});
  const auto again = modular<double>({.seed = 1});
  const auto other = modular<double>({.seed = 2});
  CHECK(first.train.inputs == again.train.inputs);
  CHECK(first.train.labels == again.train.labels);
  CHECK(first.test.inputs == again.test.inputs);
  CHECK_FALSE(first.train.inputs == other.train.inputs);
  // Two independent samples of 1116 of 3721 share 334.7 on average, with standard deviation 12.8.
  const auto pairs = pairs_of(first.train, 61), other_pairs = pairs_of(other.train, 61);
  double common = 0, sum_of_x = 0;
  for (const auto& [pair, z] : pairs) {
    common += static_cast<double>(other_pairs.count(pair));
    sum_of_x += static_cast<double>(pair.first);
  }
  CHECK_THAT(common, WithinAbs(334.7, 64));
  CHECK_THAT(sum_of_x / 1116, WithinAbs(30, 2.7));  // five standard errors, without replacement fewer
}

TEST_CASE("modular operations have names that are read back", "[data]") {
  std::set<std::string_view> names;
  for (const auto& entry : modular_operations()) {
    CHECK(modular_operation(entry.name) == entry.operation);
    CHECK(modular_operation_name(entry.operation) == entry.name);
    CHECK_FALSE(entry.formula.empty());
    names.insert(entry.name);
  }
  CHECK(names.size() == modular_operations().size());
  std::string message;
  try {
    modular_operation("addition");
  } catch (const InputError& error) {
    message = error.what();
  }
  CHECK(message.find("'addition'") != std::string::npos);
  for (const auto name : names) CHECK(message.find(name) != std::string::npos);
}

TEST_CASE("impossible modular tasks are refused", "[data]") {
  const ModularOptions impossible[] = {
      {.modulus = 1},
      {.modulus = 0},
      {.modulus = -7},
      {.modulus = 1025},
      {.modulus = std::numeric_limits<Index>::max()},
      {.modulus = 61, .operation = static_cast<ModularOperation>(99)},
      {.train_fraction = 0},
      {.train_fraction = 1},
      {.train_fraction = std::numeric_limits<double>::quiet_NaN()},
      {.modulus = 2, .train_fraction = 0.2},
  };
  for (const auto& options : impossible) {
    CAPTURE(options.modulus, options.train_fraction);
    CHECK_THROWS_AS(modular<double>(options), InputError);
  }
}

}  // namespace normalign::tests
