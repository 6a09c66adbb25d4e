#include "linalg/random.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "support/catch.hpp"

namespace normalign::tests {
namespace {

using Words = std::array<std::uint32_t, 4>;

std::vector<double> normals(const RandomRows& random, std::uint32_t row, std::size_t count) {
  std::vector<double> values(count);
  random.normal<double>(row, values);
  return values;
}

// The mean of values^power.
double moment(const std::vector<double>& values, int power) {
  double sum = 0;
  for (const double value : values) sum += std::pow(value, power);
  return sum / static_cast<double>(values.size());
}

}  // namespace

// The known-answer vectors published with Random123 (kat_vectors, philox4x32 10).
TEST_CASE("philox4x32 gives the published known answers", "[random]") {
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("the counter of a row is (group, row, step, stream) and the key the seed", "[random]") {
  const RandomRows random(0x0123456789abcdef, Stream::projection, 7);
  CHECK(random.words(11, 3) == philox4x32({3, 11, 7, 4}, {0x89abcdef, 0x01234567}));
}

TEST_CASE("bits are those of the words, the lowest first", "[random]") {
  const RandomRows random(5, Stream::data);
  const std::vector<bool> bits = random.bits(3, 300);
  REQUIRE(bits.size() == 300);
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const std::uint32_t word = random.words(3, static_cast<std::uint32_t>(i / 128))[i / 32 % 4];
    CHECK(bits[i] == ((word & 1u << i % 32) != 0));
  }
  CHECK(random.bits(3, 0).empty());
}

TEST_CASE("uniform and normal values follow their formulas", "[random]") {
  const RandomRows random(5, Stream::init);
  std::vector<double> uniform(6);
  random.uniform<double>(2, uniform, -3, 5);
  const auto values = normals(random, 2, 6);
  for (std::size_t i = 0; i < uniform.size(); ++i) {
    CAPTURE(i);
    const Words words = random.words(2, static_cast<std::uint32_t>(i / 4));
    const auto unit = [&](std::size_t k) { return (static_cast<double>(words[k]) + 0.5) / 4294967296.0; };
    CHECK_THAT(uniform[i], WithinRel(-3 + 8 * unit(i % 4), 1e-15));
    const std::size_t pair = i % 4 / 2 * 2;
    const double radius = std::sqrt(-2 * std::log(unit(pair)));
    const double angle = 2 * std::acos(-1.0) * unit(pair + 1);
    CHECK_THAT(values[i], WithinAbs(radius * (i % 2 == 0 ? std::cos(angle) : std::sin(angle)), 1e-14));
  }
}

TEST_CASE("float values are the double values rounded once", "[random]") {
  const RandomRows random(5, Stream::data, 1);
  std::vector<double> exact(9);
  std::vector<float> rounded(9);
  random.uniform<double>(4, exact, -0.3, 0.7);
  random.uniform<float>(4, rounded, -0.3, 0.7);
  for (std::size_t i = 0; i < exact.size(); ++i) CHECK(rounded[i] == static_cast<float>(exact[i]));
  random.normal<double>(4, exact);
  random.normal<float>(4, rounded);
  for (std::size_t i = 0; i < exact.size(); ++i) CHECK(rounded[i] == static_cast<float>(exact[i]));
}

TEST_CASE("a row's values depend on its number alone and a shorter span is a prefix", "[random]") {
  const RandomRows random(9, Stream::projection, 3);
  const auto whole = normals(random, 123, 10);
  for (std::uint32_t other = 0; other < 5; ++other) normals(random, other, 17);
  CHECK(normals(RandomRows(9, Stream::projection, 3), 123, 10) == whole);
  for (std::size_t count = 0; count < whole.size(); ++count) {
    CAPTURE(count);
    const auto part = normals(random, 123, count);
    CHECK(std::equal(part.begin(), part.end(), whole.begin()));
  }
}

TEST_CASE("seed, stream, step and row each give other values", "[random]") {
  const auto base = normals(RandomRows(1, Stream::init, 0), 0, 4);
  CHECK(base != normals(RandomRows(2, Stream::init, 0), 0, 4));
  CHECK(base != normals(RandomRows(1 + (std::uint64_t{1} << 32), Stream::init, 0), 0, 4));
  CHECK(base != normals(RandomRows(1, Stream::data, 0), 0, 4));
  CHECK(base != normals(RandomRows(1, Stream::init, 1), 0, 4));
  CHECK(base != normals(RandomRows(1, Stream::init, 0), 1, 4));
}

TEST_CASE("moments are those of the distributions", "[random]") {
  constexpr std::size_t count = 400'000;
  const RandomRows random(3, Stream::gradcheck);
  SECTION("uniform on (0, 1): mean 1/2, second moment 1/3") {
    std::vector<double> values(count);
    random.uniform<double>(0, values);
    CHECK(*std::min_element(values.begin(), values.end()) > 0);
    CHECK(*std::max_element(values.begin(), values.end()) < 1);
    // Five standard errors, 0.29 and 0.30 over the root of the count.
    CHECK_THAT(moment(values, 1), WithinAbs(0.5, 0.0024));
    CHECK_THAT(moment(values, 2), WithinAbs(1.0 / 3, 0.0024));
  }
  SECTION("normal: 0, 1, 0, 3") {
    const auto values = normals(random, 1, count);
    // Five standard errors: the variances of z, z^2, z^3, z^4 are 1, 2, 15, 96.
    CHECK_THAT(moment(values, 1), WithinAbs(0, 0.008));
    CHECK_THAT(moment(values, 2), WithinAbs(1, 0.0112));
    CHECK_THAT(moment(values, 3), WithinAbs(0, 0.031));
    CHECK_THAT(moment(values, 4), WithinAbs(3, 0.078));
  }
  SECTION("the two values of a Box-Muller pair, and neighbouring rows, are uncorrelated") {
    const auto a = normals(random, 2, count), b = normals(random, 3, count);
    double within = 0, between = 0;
    for (std::size_t i = 0; i < count; i += 2) within += a[i] * a[i + 1];
    for (std::size_t i = 0; i < count; ++i) between += a[i] * b[i];
    CHECK_THAT(within / (count / 2), WithinAbs(0, 0.0112));
    CHECK_THAT(between / count, WithinAbs(0, 0.008));
  }
}

TEST_CASE("integers are words of the row in order", "[random]") {
  RandomIntegers integers(6, Stream::shuffle, 2, 8);
  const RandomRows rows(6, Stream::shuffle, 2);
  for (std::uint32_t i = 0; i < 9; ++i) CHECK(integers.word() == rows.words(8, i / 4)[i % 4]);
}

TEST_CASE("below keeps its bound and favours no number", "[random]") {
  RandomIntegers integers(4, Stream::split);
  for (const std::uint64_t bound : {1u, 2u, 3u, 7u, 1000u}) {
    CAPTURE(bound);
    constexpr double draws = 70'000;
    std::vector<double> counts(bound, 0);
    for (int i = 0; i < draws; ++i) counts.at(integers.below(bound)) += 1;
    const double expected = draws / static_cast<double>(bound);
    double chi_square = 0;
    for (const double count : counts) chi_square += (count - expected) * (count - expected) / expected;
    // Chi square with bound - 1 degrees of freedom: mean bound - 1, variance 2 (bound - 1).
    const auto freedom = static_cast<double>(bound - 1);
    CHECK(chi_square <= freedom + 5 * std::sqrt(2 * freedom) + 5);
  }
}

TEST_CASE("below rejects words, it does not wrap them", "[random]") {
  // Two thirds of 2^32: a plain remainder would hit the lower half of the range twice as often as the upper.
  constexpr std::uint64_t bound = 2'863'311'531;
  RandomIntegers integers(4, Stream::split, 1);
  int lower = 0;
  for (int i = 0; i < 20'000; ++i) lower += integers.below(bound) < bound / 2;
  CHECK(std::abs(lower - 10'000) < 400);
}

TEST_CASE("below accepts 2^32 and refuses 0 and more", "[random]") {
  constexpr std::uint64_t largest = std::uint64_t{1} << 32;
  RandomIntegers integers(4, Stream::split), same(4, Stream::split);
  for (int i = 0; i < 10; ++i) CHECK(integers.below(largest) == same.word());
  CHECK_THROWS_AS(integers.below(0), InputError);
  CHECK_THROWS_AS(integers.below(largest + 1), InputError);
}

TEST_CASE("a permutation holds each number once and is reproducible", "[random]") {
  for (const Index count : {0, 1, 2, 3, 1000}) {
    CAPTURE(count);
    auto items = permutation(count, RandomIntegers(1, Stream::shuffle));
    CHECK(items == permutation(count, RandomIntegers(1, Stream::shuffle)));
    if (count == 1000) CHECK(items != permutation(count, RandomIntegers(1, Stream::shuffle, 1)));
    std::sort(items.begin(), items.end());
    std::vector<Index> numbers(static_cast<std::size_t>(count));
    std::iota(numbers.begin(), numbers.end(), Index{0});
    CHECK(items == numbers);
  }
  CHECK_THROWS_AS(permutation(-1, RandomIntegers(1, Stream::shuffle)), InputError);
}

TEST_CASE("all six orders of three are equally likely", "[random]") {
  std::map<std::vector<Index>, int> counts;
  for (std::uint32_t step = 0; step < 12'000; ++step)
    ++counts[permutation(3, RandomIntegers(2, Stream::shuffle, step))];
  REQUIRE(counts.size() == 6);
  for (const auto& [order, count] : counts) {
    CAPTURE(order);
    CHECK(std::abs(count - 2000) < 205);  // five standard deviations of a binomial with p = 1/6
  }
}

TEST_CASE("shuffle moves the items themselves", "[random]") {
  std::vector<Index> items{5, 5, 7, -1};
  shuffle(items, RandomIntegers(3, Stream::shuffle));
  std::sort(items.begin(), items.end());
  CHECK(items == std::vector<Index>{-1, 5, 5, 7});
}

}  // namespace normalign::tests
