#include "experiments/studies/seed_means.hpp"

#include <cmath>

#include "support/catch.hpp"

namespace normalign::tests {

TEST_CASE("measures over seeds are means and deviations over those seeds that have them", "[studies]") {
  const std::vector<std::vector<StudyMeasure>> of_seeds = {
      {{"a", "A", 1.0}, {"b", "B", std::nullopt}, {"c", "C", std::nullopt}},
      {{"a", "A", 4.0}, {"b", "B", 5.0}, {"c", "C", std::nullopt}}};
  const SeedMeans found = seed_means(of_seeds);
  CHECK(found.seeds == 2);
  CHECK(found.means[0].value == 2.5);
  CHECK_THAT(found.deviations[0].value.value(), WithinRel(std::sqrt(4.5), 1e-14));
  CHECK(found.means[1].value == 5.0);
  CHECK_FALSE(found.deviations[1].value);
  CHECK_FALSE(found.means[2].value);

  ChartBlock block{.columns = {"x"}};
  add_columns(block, of_seeds[0]);
  add_row(block, 7, found);
  CHECK(block.columns.size() == 13);
  CHECK(block.columns[mean_column(of_seeds[0], "b")] == "b");
  CHECK(mean_column(of_seeds[0], "d") == 0);
  REQUIRE(block.rows.size() == 1);
  REQUIRE(block.rows[0].size() == 13);
  CHECK(block.rows[0][0] == 7);
  CHECK_THAT(block.rows[0][3], WithinRel(2.5 - std::sqrt(4.5), 1e-14));
  CHECK_THAT(block.rows[0][4], WithinRel(2.5 + std::sqrt(4.5), 1e-14));
  CHECK(block.rows[0][5] == 5);
  CHECK(std::isnan(block.rows[0][6]));
  CHECK(std::isnan(block.rows[0][9]));
}

}  // namespace normalign::tests
