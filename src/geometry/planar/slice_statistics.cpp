#include "geometry/planar/slice_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace normalign {
namespace {

// For each region the number of its map, equal where maps are: regions are sorted by one coefficient after the other,
// and parted wherever there is a gap.
std::vector<Index> map_numbers(const Slice& slice, double tolerance) {
  const Index k = slice.outputs.cols();
  double largest_slope = 0, largest_offset = 0;
  for (Index r = 0; r < slice.regions(); ++r)
    for (Index j = 0; j < 3 * k; ++j) {
      double& largest = j < 2 * k ? largest_slope : largest_offset;
      largest = std::max(largest, std::abs(slice.maps(r, j)));
    }
  std::vector<Index> order(static_cast<std::size_t>(slice.regions()));
  std::iota(order.begin(), order.end(), 0);
  std::vector<std::size_t> starts = {0, order.size()};  // of the groups that are the same so far, and the end
  for (Index j = 0; j < 3 * k; ++j) {
    const double gap = tolerance * (j < 2 * k ? largest_slope : largest_offset);
    std::vector<std::size_t> finer;
    for (std::size_t g = 0; g + 1 < starts.size(); ++g) {
      const auto begin = order.begin() + static_cast<std::ptrdiff_t>(starts[g]);
      const auto end = order.begin() + static_cast<std::ptrdiff_t>(starts[g + 1]);
      finer.push_back(starts[g]);
      if (end - begin == 1) continue;
      std::ranges::sort(begin, end, {}, [&](Index r) { return slice.maps(r, j); });
      for (std::size_t i = starts[g] + 1; i < starts[g + 1]; ++i)
        if (slice.maps(order[i], j) - slice.maps(order[i - 1], j) > gap) finer.push_back(i);
    }
    finer.push_back(order.size());
    starts = std::move(finer);
  }
  std::vector<Index> numbers(order.size());
  for (std::size_t g = 0; g + 1 < starts.size(); ++g)
    for (std::size_t i = starts[g]; i < starts[g + 1]; ++i)
      numbers[static_cast<std::size_t>(order[i])] = static_cast<Index>(g);
  return numbers;
}

// The number of unions of regions of one map that are connected through edges.
Index components(const Slice& slice, const std::vector<Index>& numbers) {
  std::vector<std::int32_t> above(numbers.size());
  std::iota(above.begin(), above.end(), 0);
  const auto root = [&](std::int32_t r) {
    auto& link = above;
    while (link[static_cast<std::size_t>(r)] != r) {
      auto& next = link[static_cast<std::size_t>(r)];
      next = link[static_cast<std::size_t>(next)];
      r = next;
    }
    return r;
  };
  auto count = static_cast<Index>(numbers.size());
  for (const PlanarEdge& edge : slice.complex.edges) {
    if (edge.left == no_cell || edge.right == no_cell ||
        numbers[static_cast<std::size_t>(edge.left)] != numbers[static_cast<std::size_t>(edge.right)])
      continue;
    const std::int32_t a = root(edge.left), b = root(edge.right);
    if (a == b) continue;
    above[static_cast<std::size_t>(a)] = b;
    --count;
  }
  return count;
}

}  // namespace

SliceStatistics statistics(const Slice& slice, double tolerance) {
  SliceStatistics result{.regions = slice.regions(),
                         .vertices = static_cast<Index>(slice.complex.vertices.size()),
                         .edges = static_cast<Index>(slice.complex.edges.size())};
  for (const PlanarEdge& edge : slice.complex.edges) {
    if (edge.left == no_cell || edge.right == no_cell) continue;
    ++result.adjacent_pairs;
    const Point &p = slice.complex.point(edge.from), &q = slice.complex.point(edge.to);
    result.boundary_length += std::hypot(q.x - p.x, q.y - p.y);
  }
  std::vector<double> areas;
  for (Index r = 0; r < slice.regions(); ++r) {
    areas.push_back(slice.complex.area(r));
    const double norm = slice.slope_norm(r);
    result.area += areas.back();
    result.mean_slope_norm += areas.back() * norm;
    result.largest_slope_norm = std::max(result.largest_slope_norm, norm);
  }
  result.mean_slope_norm /= result.area;
  std::ranges::sort(areas);
  result.smallest_area = areas.front();
  result.median_area = (areas[(areas.size() - 1) / 2] + areas[areas.size() / 2]) / 2;
  result.largest_area = areas.back();
  const std::vector<Index> numbers = map_numbers(slice, tolerance);
  result.distinct_maps = *std::ranges::max_element(numbers) + 1;
  result.map_components = components(slice, numbers);
  return result;
}

}  // namespace normalign
