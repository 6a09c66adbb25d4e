#include "geometry/complex/region_search.hpp"

#include <algorithm>
#include <cmath>

namespace normalign::detail {
namespace {

constexpr Index most_inputs = 16;      // a box has 2^d corners
constexpr std::size_t most_rank = 30;  // 2^r cones are cut further, each of which has a region

// Of the first layer's walls, those that are independent: they cut the space into cones that are known without further
// ado. Without hidden layers they are walls of pairs of classes.
RowBasis first_basis(const PiecewiseAffineNetwork& network, WallRows& rows) {
  const std::size_t first =
      network.hidden_layers() > 0 ? static_cast<std::size_t>(network.units(0)) : rows.numbers().pairs();
  std::vector<IntegerVector> exact;
  for (std::size_t wall = 0; wall < first; ++wall) exact.push_back(rows.exact_row(wall));
  RowBasis basis = row_basis(exact, most_rank);
  if (basis.rows.size() > most_rank)
    throw InputError(text("regions: more than ", most_rank, " rows of the first layer are independent; there may be ",
                          "at most ", most_rank, ", since r of them make 2^r regions or more"));
  return basis;
}

}  // namespace

RegionSearch::RegionSearch(const PiecewiseAffineNetwork& network, double box, bool exact)
    : network_(&network),
      rows_(network),
      rays_(rows_, box, exact),
      basis_(std::isinf(box) ? first_basis(network, rows_) : RowBasis{}),
      dimension_(std::isinf(box) ? basis_.generators.size() : rows_.numbers().inputs + 1),
      words_(words_for(rows_.numbers().count())),
      cutter_(rays_, dimension_),
      is_basis_(words_),
      code_(words_) {
  const WallNumbers& numbers = rows_.numbers();
  std::vector<Word> known(words_);
  const std::size_t border = std::isinf(box) ? numbers.box() : numbers.count();
  for (std::size_t wall = numbers.infinity(); wall < border; ++wall) assign(known, wall, true);
  for (const std::size_t row : basis_.rows) {
    assign(known, row, true);
    assign(is_basis_, row, true);
  }
  for (std::size_t unit = 0; unit <= numbers.units; ++unit) {
    known_.insert(known_.end(), known.begin(), known.end());
    assign(known, unit, true);
  }
  if (std::isinf(box))
    add_basis();
  else
    add_box(box);
}

double RegionSearch::least_regions() const {
  return network_->hidden_layers() > 0 ? std::ldexp(1.0, static_cast<int>(basis_.rows.size())) : 1;
}

void RegionSearch::add_box(double box) {
  const WallNumbers& numbers = rows_.numbers();
  const std::size_t d = numbers.inputs;
  if (static_cast<Index>(d) > most_inputs)
    throw InputError(text("regions: the network has ", d, " inputs; in a box there may be at most ", most_inputs));
  const std::vector<double> one_and_box = {1, box};
  const DyadicVector sizes = dyadic(one_and_box);
  for (std::size_t corner = 0; corner < std::size_t{1} << d; ++corner) {
    IntegerVector ray(d + 1, sizes.integers[1]);
    ray[d] = sizes.integers[0];
    for (std::size_t j = 0; j < d; ++j)
      if (corner >> j & 1) ray[j] = -ray[j];
    const std::int32_t number = rays_.add(std::move(ray));
    rays_.set_sign(number, numbers.infinity(), 1);
    for (std::size_t j = 0; j < d; ++j)
      for (std::size_t side = 0; side < 2; ++side)
        rays_.set_sign(number, numbers.box() + 2 * j + side, (corner >> j & 1) == side ? 0 : 1);
  }
}

void RegionSearch::add_basis() {
  const std::size_t r = basis_.rows.size();
  const auto set_zeros = [&](std::int32_t ray, std::size_t except) {
    for (std::size_t j = 0; j < r; ++j)
      if (j != except) rays_.set_sign(ray, basis_.rows[j], 0);
  };
  rays_.set_columns(basis_.columns);
  set_zeros(rays_.add(basis_.generators[0]), r);
  rays_.set_sign(0, rows_.numbers().infinity(), 1);
  for (std::size_t i = 0; i < r; ++i)
    for (const int side : {-1, 1}) {
      IntegerVector ray = basis_.generators[i + 1];
      if (side < 0)
        for (Integer& value : ray) value = -value;
      const std::int32_t number = rays_.add(std::move(ray));
      set_zeros(number, i);
      rays_.set_sign(number, basis_.rows[i], side);
      rays_.set_sign(number, rows_.numbers().infinity(), 0);
    }
}

void RegionSearch::run(const std::function<void(const FoundRegion&)>& visit) {
  visit_ = &visit;
  done_ = 0;
  rows_.enter(0, code_);
  const std::size_t r = basis_.rows.size();
  if (basis_.generators.empty()) {
    Cone box;
    for (std::int32_t corner = 0; corner < rays_.size(); ++corner) box.rays.push_back(corner);
    return descend(box, 0, 0, 1);
  }
  for (std::size_t orthant = 0; orthant < std::size_t{1} << r; ++orthant) {
    Cone cone{.rays = {0}};
    for (std::size_t i = 0; i < r; ++i) {
      const bool on = orthant >> i & 1;
      assign(code_, basis_.rows[i], on);
      cone.rays.push_back(static_cast<std::int32_t>(1 + 2 * i + (on ? 1 : 0)));
    }
    descend(cone, 0, 0, std::ldexp(1.0, -static_cast<int>(r)));
  }
}

// The part has been cut by all units before this one, which is counted through all layers.
void RegionSearch::descend(const Cone& part, Index layer, std::size_t unit, double share) {
  for (;; ++unit) {
    while (layer < network_->hidden_layers() && unit == static_cast<std::size_t>(network_->first_unit(layer + 1)))
      rows_.enter(++layer, code_);
    if (layer == network_->hidden_layers()) break;
    if (has(is_basis_, unit)) continue;
    const auto [above, below] = cutter_.sides(part, unit, known_before(unit));
    assign(code_, unit, above);
    if (!above || !below) continue;
    const std::int32_t rays = rays_.size();
    const auto [lower, upper] = cutter_.cut(part, unit, known_before(unit));
    assign(code_, unit, false);
    descend(lower, layer, unit + 1, share / 2);
    assign(code_, unit, true);
    descend(upper, layer, unit + 1, share / 2);
    rays_.truncate(rays);
    return;
  }
  done_ += share;
  (*visit_)({.cone = part, .code = code_, .known = known_before(rows_.numbers().units), .done = done_});
}

}  // namespace normalign::detail
