#include "experiments/studies/sparsity.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "data/torus.hpp"
#include "rfm/rfm.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/program.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

SparsityOptions small_study(int threads = 1) {
  return {.from = 3, .to = 5, .seeds = {4, 1}, .test_samples = 40, .threads = threads, .hidden = {24}, .loss = 0.01};
}

// What a row says, as text with every digit.
std::string digits(const SparsityRow& row) {
  std::ostringstream result;
  result << row.samples << ' ' << row.model << ' ' << row.seed << std::hexfloat;
  const auto add = [&](double value) { result << ' ' << value; };
  for (const SparsityPoints& points : {row.train, row.test}) {
    add(points.accuracy);
    for (const auto& [name, value] : measures(points.geometry)) add(value.value_or(-2));
  }
  for (const double value :
       {row.chance_alignment, row.nearest_distance, row.steps.value_or(-1), row.train_loss.value_or(-1)})
    add(value);
  return result.str();
}

}  // namespace

TEST_CASE("the study has a row for each n, seed and model, in that order, as they were reported", "[sparsity]") {
  std::vector<std::string> reported;
  const std::vector<SparsityRow> rows =
      sparsity_study(small_study(), [&](const SparsityRow& row) { return reported.push_back(digits(row)), true; });
  REQUIRE(rows.size() == 3 * 2 * 2);
  REQUIRE(reported.size() == rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const SparsityRow& row = rows[i];
    CAPTURE(i, digits(row));
    CHECK(digits(row) == reported[i]);
    CHECK(row.samples == Index{8} << (i / 4));
    CHECK(row.seed == (i % 4 < 2 ? 4 : 1));
    CHECK(row.model == (i % 2 == 0 ? "mlp" : "rfm"));
    CHECK(row.steps.has_value() == (row.model == "mlp"));
    CHECK(row.train_loss.has_value() == (row.model == "mlp"));
    if (row.train_loss) CHECK(*row.train_loss <= 0.01);
    // Both models can hold so few points in 64 dimensions.
    CHECK(row.train.accuracy == 100);
    CHECK_THAT(row.chance_alignment, WithinRel(std::sqrt(2 / (std::acos(-1.0) * 64)), 1e-12));
    for (const SparsityPoints& points : {row.train, row.test}) {
      CHECK((points.accuracy >= 0 && points.accuracy <= 100));
      const LocalGeometry& g = points.geometry;
      CHECK((g.normal_alignment && *g.normal_alignment > 0 && *g.normal_alignment <= 1));
      CHECK((g.class_alignment && std::abs(*g.class_alignment) <= 1));
      CHECK((g.effective_rank && *g.effective_rank >= 1 && *g.effective_rank <= 2));
    }
  }
  // Seeds are different draws, and more points are nearer.
  CHECK(rows[0].nearest_distance != rows[2].nearest_distance);
  CHECK(rows[0].nearest_distance > rows[8].nearest_distance);
}

TEST_CASE("the study has the same numbers at any number of threads", "[sparsity]") {
  const std::vector<SparsityRow> one = sparsity_study(small_study()), three = sparsity_study(small_study(3));
  REQUIRE(one.size() == three.size());
  for (std::size_t i = 0; i < one.size(); ++i) CHECK(digits(one[i]) == digits(three[i]));
}

TEST_CASE("a size of the study does not depend on which others are studied", "[sparsity]") {
  SparsityOptions last = small_study();
  last.from = last.to;
  const std::vector<SparsityRow> all = sparsity_study(small_study()), alone = sparsity_study(last);
  REQUIRE(alone.size() == 4);
  for (std::size_t i = 0; i < alone.size(); ++i) CHECK(digits(alone[i]) == digits(all[8 + i]));
}

TEST_CASE("the machine of the study is an RFM of the first points of the torus", "[sparsity]") {
  const SparsityRow row = sparsity_study(small_study())[1];  // n = 8, seed 4
  const Split<double> data = torus<double>({.train_samples = 32, .test_samples = 40, .seed = 4});
  const M x(data.train.inputs.view().row_block(0, 8));
  Rfm<double> rfm({.kernel = {.bandwidth = 10}, .ridge = {.regularisation = 1e-3}, .updates = 4, .seed = 4});
  rfm.fit(x, one_hot<double>(std::span(data.train.labels).first(8), 2));
  std::vector<LocalGeometry> found;
  for (Index i = 0; i < 40; ++i) {
    const M point(data.test.inputs.view().row_block(i, 1));
    found.push_back(
        local_geometry(rfm.jacobian(point), rfm.predict(point), point, data.test.labels[static_cast<std::size_t>(i)]));
  }
  CHECK(row.test.accuracy == accuracy<double>(rfm.predict(data.test.inputs), data.test.labels));
  const auto expected = measures(mean(found)), measured = measures(row.test.geometry);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(expected[i].first);
    REQUIRE(measured[i].second.has_value() == expected[i].second.has_value());
    CHECK_THAT(measured[i].second.value_or(0), WithinAbs(expected[i].second.value_or(0), 1e-9));
  }
}

TEST_CASE("the network of the study is trained for at most the steps given, and the row has the loss", "[sparsity]") {
  SparsityOptions options = small_study();
  options.loss = 0;
  options.most_steps = 7;
  options.batch_size = 5;  // an epoch of 8 samples is two steps
  options.to = options.from;
  const std::vector<SparsityRow> rows = sparsity_study(options);
  CHECK(rows[0].steps == 8);
  REQUIRE(rows[0].train_loss);
  CHECK(*rows[0].train_loss > 0);
}

TEST_CASE("the mean nearest distance is that of all pairs, in lengths", "[sparsity]") {
  // More than one block and one tile.
  for (const auto& [m, n] : {std::pair<Index, Index>{1, 1}, {7, 3}, {70, 600}}) {
    CAPTURE(m, n);
    const M points = random_matrix({m, 5}, 1, -2, 2), others = random_matrix({n, 5}, 2, -2, 2);
    double distances = 0, lengths = 0;
    for (Index i = 0; i < m; ++i) {
      double least = 1e300, length = 0;
      for (Index j = 0; j < n; ++j) {
        double square = 0;
        for (Index k = 0; k < 5; ++k) square += std::pow(points(i, k) - others(j, k), 2);
        least = std::min(least, std::sqrt(square));
      }
      for (Index k = 0; k < 5; ++k) length += points(i, k) * points(i, k);
      distances += least;
      lengths += std::sqrt(length);
    }
    CHECK_THAT(mean_nearest_distance(points, others), WithinRel(distances / lengths, 1e-10));
  }
  CHECK(mean_nearest_distance(M{{1, 2}, {3, 4}}, M{{3, 4}, {0, 0}, {1, 2}}) == 0);
  CHECK(contains(message_of([] { mean_nearest_distance(M{{1, 2}}, M{{1}}); }), "points are 1x2 and others 1x1"));
  CHECK(contains(message_of([] { mean_nearest_distance(M{{1, 2}}, M(0, 2)); }), "others 0x2"));
  CHECK(contains(message_of([] { mean_nearest_distance(M(3, 2), M{{1, 2}}); }), "all zero"));
}

TEST_CASE("options of the study out of range are refused by name", "[sparsity]") {
  const auto message = [](auto&& change) {
    SparsityOptions options;
    change(options);
    return message_of([&] { check(options); });
  };
  using O = SparsityOptions;
  CHECK(message([](O&) {}) == "nothing was thrown");
  CHECK(message([](O& o) { o.from = -1; }).starts_with("from: found -1, expected"));
  CHECK(message([](O& o) { o.from = 6, o.to = 5; }).starts_with("to: found 5, expected a whole number from 6"));
  CHECK(message([](O& o) { o.to = 40; }).starts_with("to: found 40"));
  CHECK(message([](O& o) { o.seeds = {}; }).starts_with("seeds: found none"));
  CHECK(message([](O& o) { o.seeds = {0, -3}; }).starts_with("seeds: found -3"));
  CHECK(message([](O& o) { o.seeds = {2, 0, 2}; }).starts_with("seeds: found 2 twice"));
  CHECK(message([](O& o) { o.test_samples = 0; }).starts_with("test_samples: found 0"));
  CHECK(message([](O& o) { o.threads = 0; }).starts_with("threads: found 0"));
  CHECK(message([](O& o) { o.hidden = {4, 0}; }).starts_with("hidden: found 0"));
  CHECK(message([](O& o) { o.batch_size = 0; }).starts_with("batch_size: found 0"));
  CHECK(message([](O& o) { o.loss = std::nan(""); }).starts_with("loss: found"));
  CHECK(message([](O& o) { o.most_steps = 0; }).starts_with("most_steps: found 0"));
  CHECK(contains(message([](O& o) { o.learning_rate = -1; }), "learning_rate"));
  CHECK(contains(message([](O& o) { o.bandwidth = 0; }), "bandwidth"));
  CHECK(contains(message([](O& o) { o.updates = -1; }), "updates"));
  CHECK(contains(message([](O& o) { o.regularisation = -1; }), "regularisation"));
}

TEST_CASE("normalign study prints the table and writes it beside the picture", "[sparsity]") {
  if (without_program("study")) return;
  const TemporaryFolder folder;
  const Finished finished = normalign({"study", "sparsity", "--from", "2", "--to", "3", "--seeds", "0", "--loss", "0.1",
                                       "--out", (folder / "out").string()});
  CAPTURE(finished.err);
  REQUIRE(finished.status == 0);
  CHECK(contains(finished.err, "n = 4 done"));
  CHECK(contains(finished.err, "n = 8 done"));
  CHECK(finished.out.starts_with(read_file(folder / "out/sparsity.txt")));
  for (const char* name : {"sparsity.csv", "sparsity.json", "sparsity.dat", "sparsity.gp"})
    CHECK(std::filesystem::exists(folder / (std::string("out/") + name)));

  CHECK(normalign({"study", "torus"}).err ==
        "normalign: study: found 'torus', expected one of sparsity, rfm_grokking\n");
  const Finished refused = normalign({"study", "sparsity", "--to", "3"});
  CHECK(refused.status == 2);
  CHECK(refused.err == "normalign: to: found 3, expected a whole number from 4 to 14\n");
}

}  // namespace normalign::tests
