#include "python/bindings/geometry/codes.hpp"

#include <bit>
#include <cstring>
#include <numeric>

#include "base/huge_pages.hpp"
#include "linalg/parallel_ranges.hpp"

namespace normalign::python {
namespace {

static_assert(std::endian::native == std::endian::little && sizeof(bool) == 1);

// Eight bits as eight bytes of 0 or 1, the lowest bit first in memory.
std::uint64_t spread_bits(std::uint8_t bits) {
  // In byte i of the first product bit i alone is kept, wherever it stands in there; then it is carried to the top.
  const std::uint64_t kept = bits * 0x0101010101010101u & 0x8040201008040201u;
  return (kept + 0x7f7f7f7f7f7f7f7fu) >> 7 & 0x0101010101010101u;
}

// The bits of the units of one region, of each layer in turn.
void unpack(const std::uint64_t* code, const std::vector<Index>& units, bool aligned, std::uint8_t* to) {
  Index bit = 0;
  for (const Index layer : units) {
    if (aligned) bit = (bit + 63) / 64 * 64;
    for (const Index end = bit + layer; bit < end;) {
      if (bit % 8 == 0 && end - bit >= 8) {
        const std::uint64_t eight = spread_bits(static_cast<std::uint8_t>(code[bit / 64] >> (bit % 64)));
        std::memcpy(to, &eight, 8);
        to += 8;
        bit += 8;
      } else {
        *to++ = static_cast<std::uint8_t>(code[bit / 64] >> (bit % 64) & 1);
        ++bit;
      }
    }
  }
}

}  // namespace

std::vector<Index> chosen_regions(const std::optional<ArrayLike>& chosen, Index count) {
  std::vector<Index> result(static_cast<std::size_t>(chosen ? 0 : count));
  std::iota(result.begin(), result.end(), Index{0});
  if (!chosen) return result;
  const py::array array = array_of("regions", *chosen);
  if (array.size() == 0) return result;
  if (array.ndim() > 1 || (array.dtype().kind() != 'i' && array.dtype().kind() != 'u'))
    throw InputError(text("regions: found an array of dtype ", std::string(py::str(array.dtype())), " and shape ",
                          shape_text(array), ", expected numbers of regions, or None for all"));
  // In double no number beyond the regions becomes one of them.
  const auto numbers = converted_array<double>(array);
  for (Index i = 0; i < numbers.size(); ++i) {
    const double number = numbers.data()[i];
    if (!(number >= -static_cast<double>(count) && number < static_cast<double>(count)))
      throw InputError(text("regions: found ", number, ", expected numbers below ", count));
    result.push_back(static_cast<Index>(number) + (number < 0 ? count : 0));
  }
  return result;
}

py::array unpacked_codes(const std::vector<std::uint64_t>& words, Index regions, const std::vector<Index>& units,
                         bool aligned) {
  const Index all = std::reduce(units.begin(), units.end());
  const Index words_per_region = static_cast<Index>(words.size()) / std::max<Index>(regions, 1);
  LargeVector<std::uint8_t> codes;
  codes.resize(static_cast<std::size_t>(regions * all));
  without_lock([&] {
    parallel_pass(regions, regions * all, [&](Index first, Index count) {
      for (Index r = first; r < first + count; ++r)
        unpack(words.data() + r * words_per_region, units, aligned, codes.data() + r * all);
    });
  });
  return owning_array(std::move(codes), {regions, all}).attr("view")(py::dtype::of<bool>());
}

}  // namespace normalign::python
