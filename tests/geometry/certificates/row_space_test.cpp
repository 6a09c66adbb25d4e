#include "geometry/certificates/row_space.hpp"

#include "support/catch.hpp"
#include "support/geometry_reference.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

TEST_CASE("in its row space a network has the same values, and lengths there are lengths in the input") {
  for (const Index hidden : {3, 9})
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const PiecewiseAffineNetwork network = random_network({6, hidden, 4, 2}, seed);
      const RowSpaceNetwork reduced = row_space_network(network);
      const Index r = std::min<Index>(6, hidden);
      CHECK(reduced.basis.shape() == Shape{r, 6});
      const M x = random_matrix({7, 6}, seed + 10, -3, 3), y = reduced.coordinates(x);
      CHECK(relative_error(reduced.network(y), network(x)) < 1e-13);
      CHECK(network.codes(x) == reduced.network.codes(y));

      const M here(x.view().row_block(0, 1)), from(y.view().row_block(0, 1)), to = random_matrix({1, r}, seed + 20);
      const M there = reduced.point(to, here);
      CHECK(relative_error(reduced.coordinates(there), to) < 1e-13);
      double step = 0, reduced_step = 0;
      for (Index i = 0; i < 6; ++i) step += (there(0, i) - here(0, i)) * (there(0, i) - here(0, i));
      for (Index i = 0; i < r; ++i) reduced_step += (to(0, i) - from(0, i)) * (to(0, i) - from(0, i));
      CHECK_THAT(std::sqrt(step), WithinRel(std::sqrt(reduced_step), 1e-12));
    }
}

TEST_CASE("dependent rows lower the rank, and a first weight of zeros keeps one coordinate") {
  const auto of_rank = [](M weight) {
    const M bias(1, weight.rows()), last(1, weight.rows());
    return row_space_network(PiecewiseAffineNetwork({{std::move(weight), bias, 0}, {last, M{{0}}, 1}})).basis.rows();
  };
  CHECK(of_rank({{1, 2, 3}, {-2, -4, -6}, {0, 1, 0}, {1, 3, 3}}) == 2);
  CHECK(of_rank({{0.1, 0.2, 0.3}, {0.3, 0.6, 0.9}}) == 1);
  CHECK(of_rank(M(4, 3)) == 1);
}

TEST_CASE("coordinates of another length are refused") {
  const RowSpaceNetwork reduced = row_space_network(random_network({4, 2, 1}, 1));
  CHECK(message_of<InputError>([&] { reduced.point(M(1, 3), M(1, 4)); }) ==
        "RowSpaceNetwork: coordinates are 1x3 and x 1x4; they must be 1x2 and 1x4");
}

}  // namespace
}  // namespace normalign::tests
