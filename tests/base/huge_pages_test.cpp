#include "base/huge_pages.hpp"

#include <cstdint>
#include <numeric>

#include "support/catch.hpp"

namespace normalign::tests {

TEST_CASE("a vector in huge pages keeps its values as it grows past their size and back, at aligned addresses") {
  LargeVector<double> values;
  const auto aligned = [&](std::uintptr_t to) { return reinterpret_cast<std::uintptr_t>(values.data()) % to == 0; };
  for (const std::size_t size : {std::size_t{1}, std::size_t{1000}, std::size_t{1} << 19, (std::size_t{1} << 19) + 1,
                                 std::size_t{1} << 20, std::size_t{3}}) {
    CAPTURE(size);
    const std::size_t kept = std::min(size, values.size());
    values.resize(size, -1);
    values.shrink_to_fit();
    CHECK(aligned(64));
    if (size * sizeof(double) >= std::size_t{4} << 20) CHECK(aligned(std::uintptr_t{1} << 21));
    CHECK(std::accumulate(values.begin(), values.end(), 0.0) ==
          std::accumulate(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(kept), 0.0) -
              static_cast<double>(size - kept));
    std::iota(values.begin(), values.end(), 1.0);
  }
  CHECK(values.back() == 3);
}

TEST_CASE("more than memory can count is refused") {
  CHECK_THROWS_AS(HugePageAllocator<double>().allocate(static_cast<std::size_t>(-1) / 4), std::bad_alloc);
}

}  // namespace normalign::tests
