#include "experiments/tabular/summary.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "experiments/figures/table_json.hpp"
#include "experiments/tabular/published.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/reference.hpp"
#include "support/subprocess.hpp"
#include "support/tabular_logs.hpp"

namespace normalign::tests {
namespace {

// Three data sets on which RFAM's alignment is higher by .1, .2 and .3, and its accuracy lower by 0, 10 and 20.
std::vector<TabularLog> three_sets() {
  return {tabular_log("a", 1, {80, 90}, 0.1, 2), tabular_log("a", 0, {85}, 0.2, 2), tabular_log("b", 1, {70}, 0.2, 3),
          tabular_log("b", 0, {60}, 0.4, 2),     tabular_log("c", 1, {60}, 0.3, 4), tabular_log("c", 0, {40}, 0.6, 2)};
}

const MethodComparison& comparison_of(const ProtocolSummary& protocol, const std::string& metric) {
  for (const MethodComparison& c : protocol.comparisons)
    if (c.method == "RFAM" && c.metric == metric) return c;
  throw std::runtime_error("no comparison of " + metric);
}

const Spread& spread_of(const TabularSummary& summary, std::size_t method, const std::string& metric) {
  for (std::size_t i = 0; i < summary.metrics.size(); ++i)
    if (summary.metrics[i].name == metric) return summary.protocols.at(0).methods.at(method).metrics.at(i);
  throw std::runtime_error("no figure " + metric);
}

TEST_CASE("tabular summary: means, deviations and paired tests of hand-made logs") {
  const TabularSummary summary = summarise(three_sets());
  REQUIRE(summary.protocols.size() == 1);
  const ProtocolSummary& published = summary.protocols[0];
  REQUIRE(published.methods.size() == 2);
  CHECK(published.methods[0].method == "RFM");
  CHECK(published.methods[0].runs == 3);
  CHECK_THAT(*spread_of(summary, 0, "test_acc").mean, WithinRel(215.0 / 3, 1e-14));
  CHECK_THAT(*spread_of(summary, 0, "effective_rank").standard_deviation, WithinRel(1.0, 1e-14));
  CHECK_THAT(*spread_of(summary, 1, "attack_success_eps2").mean, WithinRel(75.0, 1e-14));

  // Differences .1, .2, .3: t = .2 / (.1 / sqrt 3) = 2 sqrt 3; two degrees of freedom have p = 1 - t / sqrt(2 + t²).
  const MethodComparison& alignment = comparison_of(published, "normal_alignment");
  CHECK(alignment.claim == "higher");
  CHECK(alignment.wins == 3);
  REQUIRE(alignment.test);
  CHECK_THAT(alignment.test->t, WithinRel(std::sqrt(12.0), 1e-12));
  CHECK_THAT(alignment.test->p_two_sided, WithinRel(1 - std::sqrt(12.0 / 14), 1e-11));
  CHECK_THAT(*alignment.p_one_sided, WithinRel((1 - std::sqrt(12.0 / 14)) / 2, 1e-11));
  // 0, -10, -20: t = -sqrt 3.
  const MethodComparison& accuracy = comparison_of(published, "test_acc");
  CHECK(accuracy.claim.empty());
  CHECK_FALSE(accuracy.p_one_sided);
  CHECK(std::array{accuracy.wins, accuracy.ties, accuracy.losses} == std::array<Index, 3>{0, 1, 2});
  CHECK_THAT(accuracy.test->p_two_sided, WithinRel(1 - std::sqrt(3.0 / 5), 1e-12));
  // 0, -1, -2 is a fall, which is what is claimed.
  const MethodComparison& rank = comparison_of(published, "effective_rank");
  CHECK(rank.claim == "lower");
  CHECK(std::array{rank.wins, rank.ties, rank.losses} == std::array<Index, 3>{2, 1, 0});
  CHECK_THAT(*rank.p_one_sided, WithinRel((1 - std::sqrt(3.0 / 5)) / 2, 1e-12));
  // No difference anywhere.
  CHECK(comparison_of(published, "attack_success_eps1").ties == 3);
  CHECK_FALSE(comparison_of(published, "attack_success_eps1").test);
}

TEST_CASE("tabular summary: the attack is told, and is the same under both protocols") {
  std::vector<TabularLog> logs = three_sets();
  CHECK(contains(as_text(tables(summarise(logs))), "Attacks: pgd, 20 steps of 0.1 radii."));
  logs.push_back(tabular_log("a", 1, {80}));
  logs.back().config.protocol = "nested";
  logs.back().config.attack = "apgd";
  CHECK(contains(message_of<InputError>([&] { summarise(logs); }),
                 "found another attack than under the protocol published, expected the same"));
  logs.back().config = logs.front().config;
  logs.back().config.attack_clamp = {0, 1.5};
  CHECK(
      contains(message_of<InputError>([&] { summarise(logs); }), "pgd, 20 steps of 0.1 radii, features from 0 to 1.5"));
}

TEST_CASE("tabular summary: tables of targets and of classes have each its own figures, under any protocols") {
  TabularLog numbers = tabular_log("houses", 1, {90, 80});
  numbers.table.classes = 0;
  numbers.table.targets = {"price"};
  numbers.config.attack_radii = {};
  for (TabularFold& fold : numbers.result.folds) {
    fold.robust_acc = {};
    fold.test_rmse = 7;
  }
  for (const bool numbers_first : {false, true}) {
    TabularLog classes = tabular_log("pets", 1, {60});
    (numbers_first ? classes : numbers).config.protocol = "nested";
    (numbers_first ? numbers : classes).config.protocol = "published";
    for (TabularLog* log : {&classes, &numbers}) log->run_name = run_name(log->config);
    const TabularSummary summary = summarise({classes, numbers});
    REQUIRE(summary.protocols.size() == 2);
    for (const ProtocolSummary& protocol : summary.protocols) {
      const bool is_numbers = protocol.rows.rows.front().dataset == "houses";
      REQUIRE(protocol.methods.front().metrics.size() == summary.metrics.size());
      for (std::size_t i = 0; i < summary.metrics.size(); ++i) {
        const std::optional<double> mean = protocol.methods.front().metrics[i].mean;
        CAPTURE(numbers_first, is_numbers, summary.metrics[i].name);
        if (summary.metrics[i].name == "test_acc") CHECK(mean == (is_numbers ? 85 : 60));
        if (summary.metrics[i].name == "test_rmse") CHECK(mean == (is_numbers ? std::optional(7.0) : std::nullopt));
        if (summary.metrics[i].name == "normal_alignment") CHECK(mean == 0.5);
        if (summary.metrics[i].name == "robust_acc_eps1")
          CHECK(mean == (is_numbers ? std::nullopt : std::optional(30.0)));
      }
    }
    CHECK(contains(as_text(tables(summary)), "test_rmse"));
  }
  TabularLog others = numbers;
  others.table.targets = {"rent"};
  others.config.seed = 1;
  others.run_name = run_name(others.config);
  CHECK(contains(message_of<InputError>([&] { summarise({numbers, others}); }), "300 x 5 to predict rent, expected"));
  CHECK_FALSE(contains(as_text(tables(summarise(std::vector<TabularLog>{}))), "R2"));
}

TEST_CASE("tabular summary: protocols stand side by side, what is not finished is named") {
  std::vector<TabularLog> logs = three_sets();
  for (TabularLog log : three_sets()) {
    log.config.protocol = "nested";
    log.run_name = run_name(log.config);
    logs.push_back(log);
  }
  logs.push_back(tabular_log("d", 0.1, {50}));
  logs.push_back(tabular_log("e", 1, {50}));
  logs.back().status = RunStatus::failed;
  const TabularSummary summary = summarise(logs);
  REQUIRE(summary.protocols.size() == 2);
  CHECK(summary.protocols[0].protocol == "published");
  CHECK(summary.protocols[0].methods.size() == 3);
  const std::string words = as_text(tables(summary));
  const std::string head = lines(words).front();
  CHECK(head.find("published RFM") < head.find("published RFAM"));
  CHECK(head.find("published alpha 0.1") < head.find("nested RFM"));
  CHECK(contains(words, "1 run failed: e_rfm_published_seed0"));
  const auto json = as_json(summary);
  CHECK(json["protocols"][1]["methods"][0]["figures"]["test_acc"]["datasets"] == 3);
  CHECK(json["protocols"][0]["comparisons"][1]["claim"] == "higher");
  CHECK(lines(as_csv(summary)).size() == 1 + (3 + 2) * summary.metrics.size());
  CHECK(contains(as_latex(summary), "\\multicolumn{4}{c}{nested}"));
  CHECK(as_text(tables(summarise(std::vector<TabularLog>{}))).size() > 0);
}

TEST_CASE("tabular summary: the published rows of 60 data sets have the statistics that another program gives") {
  const auto folder = reference_folder();
  if (!folder || !std::filesystem::exists(*folder / "rfm_vs_rfam.tsv"))
    return skip("rfm_vs_rfam.tsv: not in the reference folder");
  const ProtocolSummary published = summarise(read_tsv(*folder / "rfm_vs_rfam.tsv"), "published");
  // Computed by a Python script from the same file: t and tails by Simpson's rule on the density, ranks by their
  // definition. The p and correlations in the paper's published summary are of twice as many data sets.
  struct Row {
    const char* metric;
    double difference, t, p_one_sided, p_two_sided;
  };
  const Row rows[] = {
      {"normal_alignment", 0.0586, 4.608400912136, 1.110039088e-05, 2.220078176e-05},
      {"effective_rank", -0.309531666667, -2.782214770506, 0.003619581, 0.007239162},
      {"normalised_rank", -0.034543529626, -3.182958826201, 0.001163527732, 0.002327055465},
      {"attack_success_eps0.1", 0.086847688572, 0.091486038317, 1 - 0.463708156175, 0.927416312349},
      {"attack_success_eps1", -4.066140396658, -2.485501766309, 0.007895182634, 0.015790365268},
      {"attack_success_eps2", -3.425497048372, -1.971687170104, 0.026669978870, 0.053339957740},
  };
  for (const Row& row : rows) {
    CAPTURE(row.metric);
    const MethodComparison& found = comparison_of(published, row.metric);
    CHECK(found.pairs == 60);
    CHECK_THAT(*found.mean_difference, WithinRel(row.difference, 1e-9));
    CHECK_THAT(found.test->t, WithinRel(row.t, 1e-9));
    CHECK_THAT(*found.p_one_sided, WithinRel(row.p_one_sided, 1e-7));
    CHECK_THAT(found.test->p_two_sided, WithinRel(row.p_two_sided, 1e-7));
  }
  const MethodComparison& accuracy = comparison_of(published, "test_acc");
  CHECK_THAT(*accuracy.mean_difference, WithinRel(-1.545666666667, 1e-9));
  CHECK_THAT(accuracy.test->p_two_sided, WithinRel(0.000142868885576, 1e-7));
  const double correlations[2][3] = {{-0.335741678486, -0.511156315634, -0.467414106937},
                                     {-0.261737041517, -0.197577038636, -0.449983328471}};
  for (std::size_t method : {0, 1}) {
    const MethodSummary& m = published.methods[method];
    CHECK_THAT(*m.alignment_with_samples, WithinRel(correlations[method][0], 1e-9));
    CHECK_THAT(*m.alignment_with_features, WithinRel(correlations[method][1], 1e-9));
    CHECK_THAT(*m.alignment_with_success, WithinRel(correlations[method][2], 1e-9));
  }
  // 84.17 / 82.63, .322 / .381, 2.320 / 2.010 and 78.6 / 75.1 are the means that paper.md gives.
  const std::pair<std::size_t, std::array<double, 2>> expected[] = {
      {0, {84.17, 82.63}}, {1, {.322, .381}}, {2, {2.320, 2.010}}, {9, {78.6, 75.1}}};
  for (const auto& [metric, means] : expected)
    for (std::size_t method : {0, 1})
      CHECK_THAT(*published.methods[method].metrics[metric].mean,
                 WithinAbs(means[method], means[method] > 50 ? 0.051 : 0.00051));
}

TEST_CASE("tabular summary: against other rows, means differ and near sets are counted") {
  const TabularSummary here = summarise(three_sets());
  std::vector<TabularLog> others = {tabular_log("a", 1, {86}), tabular_log("b", 1, {73.5}), tabular_log("z", 1, {1})};
  std::vector<const TabularLog*> pointers;
  for (const TabularLog& log : others) pointers.push_back(&log);
  const TableSet table = against(here, rows_of(pointers));
  const nlohmann::ordered_json metrics = as_json(table);
  REQUIRE(metrics.size() == here.metrics.size());  // RFM alone
  CHECK(metrics[0]["figure"] == "test_acc");
  CHECK(metrics[0]["datasets"] == 2);
  CHECK_THAT(metrics[0]["difference"].get<double>(), WithinRel(-2.25, 1e-12));
  CHECK(metrics[0]["large"] == 2);
  CHECK(metrics[0]["near"] == 1);
  CHECK(metrics[1]["near"].is_null());
  CHECK(contains(as_text(table), "1/2"));
}

}  // namespace
}  // namespace normalign::tests
