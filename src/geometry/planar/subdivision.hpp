// A planar complex cut further by functions that are affine on its cells.
#pragma once

#include <cstdint>
#include <vector>

#include "base/stop.hpp"
#include "geometry/planar/planar_complex.hpp"
#include "geometry/planar/vertex_signs.hpp"

namespace normalign {

/// A complex cut further by the zero lines of n functions.
struct Subdivision {
  PlanarComplex complex;
  /// V x n: the functions at its vertices, exactly 0 where they count as zero.
  Matrix<double> values;
  std::vector<std::int32_t> parents;  ///< for each cell the one that it was cut from; in order
  /// For each cell ceil(n / 64) words: bit k % 64 of word k / 64 is set where function k is positive inside. A function
  /// that is zero on the whole cell is not.
  std::vector<std::uint64_t> signs;
};

/// How to cut.
struct SubdivisionOptions {
  std::int32_t layer = 0;            ///< of the new edges; function k is their unit
  Index max_cells = Index{1} << 28;  ///< more are an error
  int threads = 1;
  StopPoll stop = {};  ///< asked in every block of the work; ends it
};

/// Cuts every cell by the lines on which functions that are affine on each cell are zero; `values` holds them at the
/// vertices, V x n. Every vertex is classified once, and where a line crosses an edge both cells get the same vertex,
/// so that the result is a complex whatever the rounding. Lines through vertices or along edges, lines that coincide
/// and functions that are zero on a cell cut nothing twice. Old vertices keep their numbers. The result depends on the
/// arguments alone, not on the threads.
///
/// Throws InputError when shapes do not fit, RunError when there are more than max_cells, and what `stop` throws.
Subdivision subdivision(const PlanarComplex& complex, Matrix<double> values, ZeroTest zero,
                        const SubdivisionOptions& options = {});

}  // namespace normalign
