#include "geometry/complex/rays.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace normalign::detail {
namespace {

// Whether a value can make a new ray: errors add up, and products must neither overflow nor vanish.
bool is_good(double value, double error) { return error <= 0x1p-10 * value && value > 0x1p-500 && value < 0x1p500; }

}  // namespace

Rays::Rays(WallRows& walls, double box, bool exact)
    : walls_(&walls),
      is_exact_(exact),
      length_(walls.numbers().inputs + 1),
      words_(words_for(walls.numbers().count())),
      columns_(length_ - 1) {
  std::iota(columns_.begin(), columns_.end(), std::size_t{0});
  border_.emplace_back(length_);
  border_[0].back() = 1;
  if (std::isinf(box)) return;
  const std::vector<double> sizes = {box, 1};
  const DyadicVector exact_sizes = dyadic(sizes);
  for (std::size_t side = 0; side < 2 * (length_ - 1); ++side) {
    IntegerVector& row = border_.emplace_back(length_);
    row[side / 2] = side % 2 == 0 ? Integer(-exact_sizes.integers[1]) : exact_sizes.integers[1];
    row.back() = exact_sizes.integers[0];
  }
}

std::int32_t Rays::grow() {
  values_.resize(values_.size() + 2 * length_);
  for (auto* sets : {&positive_, &negative_, &zero_}) sets->resize(sets->size() + words_);
  exact_.emplace_back();
  return size() - 1;
}

void Rays::truncate(std::int32_t size) {
  const std::size_t rays = at(size);
  values_.resize(2 * length_ * rays);
  for (auto* sets : {&positive_, &negative_, &zero_}) sets->resize(words_ * rays);
  exact_.resize(rays);
}

std::int32_t Rays::add(IntegerVector ray) {
  const std::int32_t number = grow();
  exact_[at(number)] = std::move(ray);
  take_exact(number);
  return number;
}

void Rays::set_sign(std::int32_t ray, std::size_t wall, int sign) {
  assign(set(sign > 0 ? positive_ : sign < 0 ? negative_ : zero_, ray), wall, true);
}

int Rays::sign(std::int32_t ray, std::size_t wall, std::span<const Word> known) {
  if (has(set(std::as_const(positive_), ray), wall)) return 1;
  if (has(set(std::as_const(negative_), ray), wall)) return -1;
  if (has(zero(ray), wall)) return 0;
  const int result = is_exact_ ? exact_sign(ray, wall, known) : filtered_sign(ray, wall, known);
  set_sign(ray, wall, result);
  return result;
}

int Rays::filtered_sign(std::int32_t ray, std::size_t wall, std::span<const Word> known) {
  const Value found = value(ray, wall);
  if (found.error == 0) return 0;
  if (std::abs(found.value) > found.error && std::isfinite(found.value)) return found.value > 0 ? 1 : -1;
  const std::optional<int> implied =
      walls_->implied_sign(wall, set(std::as_const(positive_), ray), set(std::as_const(negative_), ray),
                           has(zero(ray), walls_->numbers().infinity()));
  return implied ? *implied : exact_sign(ray, wall, known);
}

int Rays::exact_sign(std::int32_t ray, std::size_t wall, std::span<const Word> known) {
  ++exact_decisions_;
  return inner_product(exact_row(wall), exact(ray, known)).sign();
}

// A sum of d + 1 products of factors that are themselves rounded.
Rays::Value Rays::value(std::int32_t ray, std::size_t wall) const {
  const BoundedRow row = walls_->row(wall);
  const double* x = values(ray).data();
  const double* bound = x + length_;
  const double rounding = static_cast<double>(length_ + 4) * unit_roundoff;
  Value result{0, 0};
  bool is_zero = true;
  for (std::size_t j = 0; j < length_; ++j) {
    result.value += row.values[j] * x[j];
    is_zero = is_zero && ((row.values[j] == 0 && row.errors[j] == 0) || (x[j] == 0 && bound[j] == 0));
    result.error +=
        std::abs(row.values[j]) * (bound[j] + rounding * std::abs(x[j])) + row.errors[j] * (std::abs(x[j]) + bound[j]);
  }
  // Products may be too small for a double, but those with an exact 0.
  result.error = is_zero ? 0 : result.error * (1 + rounding) + smallest;
  return result;
}

std::int32_t Rays::crossing(std::int32_t above, std::int32_t below, std::size_t wall, std::span<const Word> known) {
  const std::int32_t number = grow();
  const std::size_t n = at(number);
  for (std::vector<Word>* signs : {&positive_, &negative_, &zero_}) {
    const std::span<const Word> a = set(std::as_const(*signs), above), b = set(std::as_const(*signs), below);
    const std::span<Word> own = set(*signs, number);
    for (std::size_t w = 0; w < words_; ++w) own[w] = (signs == &zero_ ? a[w] & b[w] : a[w] | b[w]) & known[w];
  }
  set_sign(number, wall, 0);

  const Value up = value(above, wall), down = value(below, wall);
  const double p = up.value, q = -down.value;
  if (is_exact_ || !is_good(p, up.error) || !is_good(q, down.error)) {
    std::vector<Word> all(known.begin(), known.end());
    assign(all, wall, true);
    exact(number, all);
    take_exact(number);
    return number;
  }
  const double *from = values(above).data(), *to = values(below).data();
  double* x = values_.data() + 2 * length_ * n;
  double* bound = x + length_;
  double largest = smallest;
  for (std::size_t j = 0; j < length_; ++j) {
    x[j] = p * to[j] + q * from[j];
    bound[j] = (p + up.error) * to[length_ + j] + (q + down.error) * from[length_ + j] +
               (up.error + 4 * unit_roundoff * p) * std::abs(to[j]) +
               (down.error + 4 * unit_roundoff * q) * std::abs(from[j]);
    largest = std::max(largest, std::abs(x[j]));
  }
  const double scale = std::ldexp(1.0, -std::ilogb(largest));
  for (std::size_t j = 0; j < length_; ++j) {
    x[j] *= scale;
    // What is 0 without error stays so.
    const bool is_zero = from[j] == 0 && from[length_ + j] == 0 && to[j] == 0 && to[length_ + j] == 0;
    if (!is_zero) bound[j] = bound[j] * scale * (1 + 16 * unit_roundoff) + smallest;
  }
  return number;
}

// A ray is what the rows of the known walls that it lies on have in common.
const IntegerVector& Rays::exact(std::int32_t ray, std::span<const Word> known) {
  IntegerVector& result = exact_[at(ray)];
  if (!result.empty()) return result;
  const std::size_t unknowns = columns_.size() + 1;
  Elimination elimination(unknowns);
  for_each_member(zero(ray), [&](std::size_t wall) {
    if (!has(known, wall) || elimination.rank() + 1 == unknowns) return;
    const IntegerVector& row = exact_row(wall);
    IntegerVector entries;
    for (const std::size_t column : columns_) entries.push_back(row[column]);
    entries.push_back(row.back());
    elimination.add(entries);
  });
  result.resize(length_);
  std::vector<bool> has_pivot(unknowns);
  for (std::size_t i = 0; i < elimination.rank(); ++i) has_pivot[elimination.column(i)] = true;
  const auto rest = static_cast<std::size_t>(std::ranges::find(has_pivot, false) - has_pivot.begin());
  const auto entry = [&](std::size_t unknown) -> Integer& {
    return result[unknown < columns_.size() ? columns_[unknown] : length_ - 1];
  };
  entry(rest) = elimination.pivot();
  for (std::size_t i = 0; i < elimination.rank(); ++i) entry(elimination.column(i)) = -elimination.row(i)[rest];
  if (points_back(ray, known))
    for (Integer& value : result) value = -value;
  return result;
}

// Whether the negative of the integers is on the right side of the known walls: t < 0, or for t = 0 the sign at a wall
// that the ray does not lie on is another than the ray's.
bool Rays::points_back(std::int32_t ray, std::span<const Word> known) {
  const IntegerVector& integers = exact_[at(ray)];
  if (integers.back() != 0) return integers.back() < 0;
  bool result = false, is_decided = false;
  for_each_member(known, [&](std::size_t wall) {
    if (is_decided || has(zero(ray), wall)) return;
    is_decided = true;
    result = (inner_product(exact_row(wall), integers) > 0) != has(set(std::as_const(positive_), ray), wall);
  });
  return result;
}

void Rays::take_exact(std::int32_t ray) {
  double* x = values_.data() + 2 * length_ * at(ray);
  round_to(exact_[at(ray)], {x, length_});
  for (std::size_t j = 0; j < length_; ++j)
    x[length_ + j] = x[j] == 0 ? 0 : 4 * unit_roundoff * std::abs(x[j]) + smallest;
}

}  // namespace normalign::detail
