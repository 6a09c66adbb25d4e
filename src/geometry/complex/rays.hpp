// The extreme rays of cones: corners and directions of regions, each with what is known of it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "geometry/complex/wall_rows.hpp"

namespace normalign::detail {

/// Rays (x, t) of homogeneous coordinates, t >= 0: the point x / t, or for t = 0 the direction x. They are a stack.
/// Each holds doubles with error bounds, and where they were needed integers; and the signs that are known of the
/// walls' functions, which are continuous, so that a sign is the same in every region that the ray belongs to.
///
/// Functions below are told the walls that the cone at hand is `known` to have: their functions are affine on it, and
/// their signs are set at each of its rays.
class Rays {
 public:
  /// `walls` must outlive the rays; a box that is infinite has no sides. Where `exact`, no double decides anything.
  Rays(WallRows& walls, double box, bool exact);

  /// Says in which coordinates of x all rays are 0: those but `columns`. Until then none is.
  void set_columns(std::vector<std::size_t> columns) { columns_ = std::move(columns); }

  /// How many there are.
  std::int32_t size() const { return static_cast<std::int32_t>(exact_.size()); }
  /// A ray that nothing is known of, whose d + 1 integers are not all 0; returns its number.
  std::int32_t add(IntegerVector ray);
  /// Says that a wall's function has that sign (-1, 0 or 1) at a ray.
  void set_sign(std::int32_t ray, std::size_t wall, int sign);
  /// The sign of a wall's function at a ray, decided once.
  int sign(std::int32_t ray, std::size_t wall, std::span<const Word> known);
  /// A ray between `above` and `below`, where the wall's function is positive and negative, on which it is zero.
  std::int32_t crossing(std::int32_t above, std::int32_t below, std::size_t wall, std::span<const Word> known);
  /// Takes all rays from number `size` on away.
  void truncate(std::int32_t size);

  /// The walls on which a ray is known to lie.
  std::span<const Word> zero(std::int32_t ray) const { return set(zero_, ray); }
  /// (x, t), the largest of them between 1/2 and 2.
  std::span<const double> coordinates(std::int32_t ray) const { return values(ray).first(length_); }

  /// How often a sign was decided by integers.
  std::int64_t exact_decisions() const { return exact_decisions_; }

 private:
  struct Value {
    double value, error;
  };
  static std::size_t at(std::int32_t ray) { return static_cast<std::size_t>(ray); }
  std::span<const double> values(std::int32_t ray) const {
    return std::span(values_).subspan(2 * length_ * at(ray), 2 * length_);
  }
  std::span<const Word> set(const std::vector<Word>& sets, std::int32_t ray) const {
    return std::span(sets).subspan(words_ * at(ray), words_);
  }
  std::span<Word> set(std::vector<Word>& sets, std::int32_t ray) const {
    return std::span(sets).subspan(words_ * at(ray), words_);
  }
  std::int32_t grow();
  int filtered_sign(std::int32_t ray, std::size_t wall, std::span<const Word> known);
  int exact_sign(std::int32_t ray, std::size_t wall, std::span<const Word> known);
  Value value(std::int32_t ray, std::size_t wall) const;
  const IntegerVector& exact(std::int32_t ray, std::span<const Word> known);
  bool points_back(std::int32_t ray, std::span<const Word> known);
  const IntegerVector& exact_row(std::size_t wall) {
    const std::size_t border = walls_->numbers().infinity();
    return wall < border ? walls_->exact_row(wall) : border_[wall - border];
  }
  void take_exact(std::int32_t ray);

  WallRows* walls_;                    // borrowed
  std::vector<IntegerVector> border_;  // the rows of infinity and, where there is one, of the box
  bool is_exact_;
  std::size_t length_, words_;
  std::vector<std::size_t> columns_;
  std::vector<double> values_;  // of each ray d + 1 coordinates and d + 1 error bounds
  std::vector<Word> positive_, negative_, zero_;
  std::vector<IntegerVector> exact_;  // empty where not asked for
  std::int64_t exact_decisions_ = 0;
};

}  // namespace normalign::detail
