// What is kept of each region, and how regions and pieces of them are joined.
#pragma once

#include "geometry/complex/region_search.hpp"
#include "geometry/complex/regions.hpp"

namespace normalign::detail {

/// Fills a complex region by region.
class RegionCollector {
 public:
  /// The search must outlive the collector.
  RegionCollector(RegionSearch& search, const PiecewiseAffineNetwork& network, double box);

  /// Takes over a region that the search has found.
  void add(const FoundRegion& found);
  /// How many there are.
  Index count() const { return complex_.count(); }
  /// The complex, its facets and components joined; then the collector is empty.
  RegionComplex take();

 private:
  // A facet of a piece of a region. The key says where all hidden units are on, off and zero on the region's facet that
  // it is part of, which are the same seen from both sides.
  struct FaceRecord {
    std::uint64_t key[2];
    std::int32_t piece;
    bool operator<(const FaceRecord& other) const {
      return key[0] != other.key[0]   ? key[0] < other.key[0]
             : key[1] != other.key[1] ? key[1] < other.key[1]
                                      : piece < other.piece;
    }
    bool is_beside(const FaceRecord& other) const { return key[0] == other.key[0] && key[1] == other.key[1]; }
  };

  bool place_vertices(const Cone& cone);
  void place_point(const Cone& cone);
  bool is_on_box(const Cone& cone, const ConeFacets& facets);
  double clearance(const FoundRegion& found, const ConeFacets& facets);
  void measure(LinearRegion& region);
  void add_pieces(const FoundRegion& found, const ConeFacets& facets, std::size_t inside);
  Cone part_of(const FoundRegion& found, std::size_t label, std::size_t rival, std::vector<Word>& known);
  void add_piece(const FoundRegion& found, const Cone& cone, const ConeFacets& facets, std::size_t label,
                 double volume);
  std::span<const Word> common_walls(const Cone& cone, std::span<const Word> members);
  void join(std::span<const FaceRecord> face, std::vector<std::int32_t>& parents);
  void join_faces();
  void join_parts();

  RegionSearch* search_;  // borrowed
  WallNumbers numbers_;
  double box_;
  std::size_t code_words_;
  RegionComplex complex_;
  LargeVector<double> inside_;
  std::vector<FaceRecord> faces_;
  // Of the region at hand.
  Matrix<double> vertices_, point_, jacobian_;
  std::vector<Word> common_, key_;
};

}  // namespace normalign::detail
