#include "experiments/tabular/rows.hpp"

#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/reference.hpp"
#include "support/tabular_logs.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

TableRows rows_from(const std::vector<TabularLog>& logs) {
  std::vector<const TabularLog*> pointers;
  for (const TabularLog& log : logs) pointers.push_back(&log);
  return rows_of(pointers);
}

TEST_CASE("table rows: a data set has one row with the mean over its seeds, in byte order") {
  std::vector<TabularLog> logs = {tabular_log("b", 1, {80}), tabular_log("a", 0, {50}), tabular_log("b", 1, {90})};
  logs[2].config.seed = 1;
  logs.push_back(tabular_log("c", 1, {10}));
  logs.back().status = RunStatus::failed;
  const TableRows rows = rows_from(logs);
  REQUIRE(rows.rows.size() == 2);
  CHECK(rows.rows[0].dataset == "a");
  CHECK(rows.rows[1].methods.at("RFM").test_acc == 85);
  CHECK(rows.rows[1].methods.at("RFM").attack_success == std::vector<std::optional<double>>{50, 75});
  logs[0].table.samples = 301;
  CHECK(contains(message_of([&] { rows_from(logs); }), "301 x 5 in 4 classes"));
  logs[0] = tabular_log("b", 1, {80});
  logs[1].config.attack_radii = {1, 3};
  CHECK(contains(message_of([&] { rows_from(logs); }), "attack_radii"));
  logs[1].config = logs[0].config;
  logs[1].config.attack = "apgd";
  CHECK(contains(
      message_of([&] { rows_from(logs); }),
      "found the attacks apgd, 20 steps, 1 start for each loss, and pgd, 20 steps of 0.1 radii; expected the same"));
}

TEST_CASE("table rows: as a file they are read again") {
  const TemporaryFolder folder;
  const TableRows rows =
      rows_from({tabular_log("b", 1, {80}), tabular_log("b", 0, {60.5}, 0.25, 1.5), tabular_log("a-set", 1, {40}),
                 tabular_log("a-set", 0, {20}), tabular_log("alone", 1, {40})});
  const std::string tsv = as_tsv(rows);
  CHECK(tsv ==
        "dataset\tn\td\tclasses\trfm_test_acc\trfm_robust_acc_eps1.0\trfm_robust_acc_eps2.0\trfm_effective_rank\t"
        "rfm_normal_alignment\trfam_test_acc\trfam_robust_acc_eps1.0\trfam_robust_acc_eps2.0\trfam_effective_rank\t"
        "rfam_normal_alignment\n"
        "a-set\t300\t5\t4\t40.00\t20.00\t10.00\t2.0000\t0.5000\t20.00\t10.00\t5.00\t2.0000\t0.5000\n"
        "b\t300\t5\t4\t80.00\t40.00\t20.00\t2.0000\t0.5000\t60.50\t30.25\t15.12\t1.5000\t0.2500\n");
  write_file(folder / "t.tsv", tsv);
  const TableRows read = read_tsv(folder / "t.tsv");
  CHECK(as_tsv(read) == tsv);
  CHECK(read.radii == std::vector<double>{1, 2});
  CHECK(read.rows[1].methods.at("RFAM").normalised_rank == 1.5 / 4);
  CHECK_THAT(*read.rows[1].methods.at("RFM").attack_success[0], WithinRel(50.0, 1e-14));
}

TEST_CASE("table rows: a file with a fault is refused with file, line and column") {
  const TemporaryFolder folder;
  const std::string good = as_tsv(rows_from(
      {tabular_log("a", 1, {80}), tabular_log("a", 0, {60}), tabular_log("b", 1, {80}), tabular_log("b", 0, {60})}));
  const auto message = [&](const std::string& from, const std::string& to) {
    std::string changed = good;
    changed.replace(changed.find(from), from.size(), to);
    write_file(folder / "t.tsv", changed);
    const std::string found = message_of([&] { read_tsv(folder / "t.tsv"); });
    const std::string file = (folder / "t.tsv").string() + ": ";
    return found.starts_with(file) ? found.substr(file.size()) : found;
  };
  CHECK(message("dataset", "dataset") == "nothing was thrown");
  CHECK(message("rfm_test_acc", "test") == "line 1: column 5: found 'test', expected rfm_test_acc");
  CHECK(message("eps1.0", "epsx") ==
        "line 1: found the column 'rfm_robust_acc_epsx', expected a radius behind "
        "rfm_robust_acc_eps");
  CHECK(message("\na\t300", "\na\t3e2") == "line 2: n: found '3e2', expected a whole number from 1");
  CHECK(message("\na\t300", "\na") == "line 2: found 13 fields, expected 14");
  CHECK(message("80.00", "nan") == "line 2: rfm_test_acc: found 'nan', expected a number");
  CHECK(message("\nb", "\na") == "line 3: found 'a' after a, expected names in byte order");
  write_file(folder / "t.tsv", "");
  CHECK(contains(message_of([&] { read_tsv(folder / "t.tsv"); }), "line 1: found the end of the file"));
}

TEST_CASE("table rows: the published rows come back byte for byte") {
  const auto folder = reference_folder();
  if (!folder || !std::filesystem::exists(*folder / "rfm_vs_rfam.tsv"))
    return skip("rfm_vs_rfam.tsv: not in the reference folder");
  const TableRows rows = read_tsv(*folder / "rfm_vs_rfam.tsv");
  CHECK(rows.rows.size() == 60);
  CHECK(rows.radii == std::vector<double>{0.1, 1, 2});
  CHECK(as_tsv(rows) == read_file(*folder / "rfm_vs_rfam.tsv"));
}

}  // namespace
}  // namespace normalign::tests
