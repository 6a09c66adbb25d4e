#include "geometry/complex/rays.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace normalign::detail {
namespace {

constexpr double unit_roundoff = std::numeric_limits<double>::epsilon() / 2;
constexpr double smallest = std::numeric_limits<double>::min();
// Values with a larger relative error give no new ray: errors would add up.
constexpr double good_enough = 0x1p-24;

}  // namespace

Rays::Rays(WallRows& walls, bool exact)
    : walls_(&walls),
      is_exact_(exact),
      length_(walls.numbers().inputs + 1),
      words_(words_for(walls.numbers().count())) {}

std::int32_t Rays::grow() {
  values_.resize(values_.size() + 2 * length_);
  for (auto* sets : {&positive_, &negative_, &zero_}) sets->resize(sets->size() + words_);
  origins_.emplace_back();
  exact_.emplace_back();
  return size() - 1;
}

void Rays::truncate(std::int32_t size) {
  const std::size_t rays = at(size);
  values_.resize(2 * length_ * rays);
  for (auto* sets : {&positive_, &negative_, &zero_}) sets->resize(words_ * rays);
  origins_.resize(rays);
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

int Rays::sign(std::int32_t ray, std::size_t wall) {
  if (has(set(std::as_const(positive_), ray), wall)) return 1;
  if (has(set(std::as_const(negative_), ray), wall)) return -1;
  if (has(zero(ray), wall)) return 0;
  int result = 0;
  const Value found = is_exact_ ? Value{0, 0} : value(ray, wall);
  if (std::abs(found.value) > found.error) {
    result = found.value > 0 ? 1 : -1;
  } else {
    ++exact_decisions_;
    result = inner_product(walls_->exact_row(wall), exact(ray)).sign();
  }
  set_sign(ray, wall, result);
  return result;
}

// A sum of d + 1 products of factors that are themselves rounded. NaN and infinity fail every comparison above, so that
// integers decide.
Rays::Value Rays::value(std::int32_t ray, std::size_t wall) const {
  const BoundedRow row = walls_->row(wall);
  const double* x = values(ray).data();
  const double* bound = x + length_;
  const double rounding = static_cast<double>(length_ + 4) * unit_roundoff;
  Value result{0, smallest};
  for (std::size_t j = 0; j < length_; ++j) {
    result.value += row.values[j] * x[j];
    result.error += std::abs(row.values[j]) * (bound[j] + rounding * std::abs(x[j])) +
                    row.errors[j] * (std::abs(x[j]) + bound[j]);
  }
  result.error *= 1 + rounding;
  return result;
}

std::int32_t Rays::crossing(std::int32_t above, std::int32_t below, std::size_t wall, std::span<const Word> known) {
  const std::int32_t number = grow();
  const std::size_t n = at(number);
  origins_[n] = {.above = above, .below = below, .wall = wall};
  const std::span<const Word> a = set(std::as_const(zero_), above), b = set(std::as_const(zero_), below);
  const std::span<Word> own = set(zero_, number);
  for (std::size_t w = 0; w < words_; ++w) own[w] = a[w] & b[w] & known[w];
  assign(own, wall, true);

  const Value up = value(above, wall), down = value(below, wall);
  const double p = up.value, q = -down.value;
  if (is_exact_ || !(up.error <= good_enough * p) || !(down.error <= good_enough * q)) {
    exact(number);
    take_exact(number);
    return number;
  }
  const double *from = values(above).data(), *to = values(below).data();
  double* x = values_.data() + 2 * length_ * n;
  double* bound = x + length_;
  double largest = 0;
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
    bound[j] = bound[j] * scale * (1 + 16 * unit_roundoff) + smallest;
  }
  return number;
}

const IntegerVector& Rays::exact(std::int32_t ray) {
  const std::size_t n = at(ray);
  if (!exact_[n].empty()) return exact_[n];
  const auto [above, below, wall] = origins_[n];
  const IntegerVector& from = exact(above);
  const IntegerVector& to = exact(below);
  const IntegerVector& row = walls_->exact_row(wall);
  return exact_[n] = combination(inner_product(row, from), to, -inner_product(row, to), from);
}

void Rays::take_exact(std::int32_t ray) {
  double* x = values_.data() + 2 * length_ * at(ray);
  round_to(exact_[at(ray)], {x, length_});
  for (std::size_t j = 0; j < length_; ++j) x[length_ + j] = 4 * unit_roundoff * std::abs(x[j]) + smallest;
}

}  // namespace normalign::detail
