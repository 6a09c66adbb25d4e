#include "experiments/tabular/source.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>

#include "base/error.hpp"
#include "data/uci.hpp"
#include "experiments/figures/text_file.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

namespace fs = std::filesystem;

TEST_CASE("tabular source: the synthetic table has four disjoint folds that follow the seed") {
  const TabularSource source;
  REQUIRE(tables(source).size() == 1);
  const TabularData data = table(source, tables(source)[0].name, 1), again = table(source, data.name, 1),
                    other = table(source, data.name, 2);
  REQUIRE(data.folds.size() == 4);
  std::vector<Index> tested;
  for (const Fold& fold : data.folds) tested.insert(tested.end(), fold.test.begin(), fold.test.end());
  std::ranges::sort(tested);
  std::vector<Index> all(static_cast<std::size_t>(data.samples.inputs.rows()));
  std::iota(all.begin(), all.end(), 0);
  CHECK(tested == all);
  CHECK(data.selection.train.size() + data.selection.test.size() == all.size());
  CHECK(data.folds[0].test == again.folds[0].test);
  CHECK(data.folds[0].test != other.folds[0].test);
  CHECK(std::ranges::equal(data.samples.inputs.span(), other.samples.inputs.span()));
}

TEST_CASE("tabular source: a file is read before anything starts, and must have two classes") {
  const TemporaryFolder folder;
  const TabularSource source{.path = folder / "own.csv", .table = {.label = "kind"}};
  write_text_file(source.path, "a,kind\n1,x\n2,y\n3,x\n");
  REQUIRE(tables(source).size() == 1);
  CHECK(tables(source)[0].samples == 3);
  CHECK(tables(source)[0].features == 1);
  CHECK(tables(source)[0].classes == 2);
  write_text_file(source.path, "a,kind\n1,x\n2,x\n");
  CHECK(message_of<InputError>([&] { tables(source); }) ==
        source.path.string() + ": found one class in column kind, expected two or more");
  write_text_file(source.path, "a,kind\n1,x\n,y\n");
  CHECK(message_of<InputError>([&] { tables(source); }).starts_with(source.path.string() + ": line 3: "));
}

TEST_CASE("tabular source: the options of a file go to its reader, and need a file") {
  const TemporaryFolder folder;
  TabularSource source{.path = folder / "own.csv", .table = {.label = "k"}};
  write_text_file(source.path, "\"\",a,k\n1,5,1.5\n2,6,2.5\n3,7,1.5\n");
  CHECK(contains(message_of<InputError>([&] { tables(source); }), "own.csv: column 1: found the numbers of the rows"));
  source.table.index_column = IndexColumn::drop;
  CHECK(contains(message_of<InputError>([&] { tables(source); }), "which looks like a regression target"));
  source.table.insist_on_classes = true;
  std::ostringstream notes;
  REQUIRE(tables(source, &notes).size() == 1);
  CHECK(tables(source)[0].features == 1);
  CHECK(notes.str() == "own.csv: 3 rows, 1 feature, label 'k' (2 classes); header yes, index column '' dropped\n");
  source.table.header = false;
  CHECK(contains(message_of<InputError>([&] { tables(source); }), "found 'k' but no header"));
  const auto without = [](const TabularSource& options) { return message_of<InputError>([&] { tables(options); }); };
  CHECK(without({.table = {.label = {}, .header = false}}) == "--header: found no without a CSV file, expected none");
  CHECK(without({.table = {.label = {}, .index_column = IndexColumn::keep}}) ==
        "--index-column: found keep without a CSV file, expected none");
  CHECK(without({.path = folder.path(), .table = {.label = {}, .insist_on_classes = true}}) ==
        "--classes: found it without a CSV file, expected none");
}

TEST_CASE("tabular source: features whose products overflow are refused by column, unless they are scaled") {
  const TemporaryFolder folder;
  const auto write = [&](const std::string& value) {
    write_text_file(folder / "own.csv",
                    "v,w,kind\n1,5,"
                    "x\n2," +
                        value + ",y\n2,4,x\n1,5,y\n");
  };
  TabularSource source{.path = folder / "own.csv", .table = {.label = "kind"}, .standardise = false};
  const auto message = [&] { return message_of<InputError>([&] { tables(source); }); };
  write("-1e308");
  const std::string file = source.path.string();
  CHECK(message() == file +
                         ": w: found -1e+308, expected at most 1e+140 in magnitude in float64, since "
                         "products are summed (--standardise scales the columns)");
  CHECK(message_of<InputError>([&] { table(source, "own", 0); }) == message());
  source.standardise = true;
  CHECK(message() == "nothing was thrown");
  const TabularData scaled = table(source, "own", 0);  // which outlives its values
  for (const double value : scaled.samples.inputs.span()) CHECK(std::abs(value) < 2);
  source.standardise = false;
  write("1e20");
  CHECK(message() == "nothing was thrown");
  source.precision = "float32";
  CHECK(contains(message(), ": w: found 1e+20, expected at most 1e+15 in magnitude in float32"));

  const fs::path set = folder / "sets" / "a";
  fs::create_directories(set);
  write_file(set / "a.txt",
             "n_entradas= 2\nn_clases= 2\nn_arquivos= 1\nfich1= d.dat\nn_patrons1= 2\nn_patrons_entrena= 1\n"
             "n_patrons_valida= 1\nn_conxuntos= 1\n");
  write_file(set / "d.dat", "\tf1\tf2\tclase\n1\t1\t2\t0\n2\t1\t1e300\t1\n");
  write_file(set / "conxuntos.dat", "0\n1\n");
  write_file(set / "conxuntos_kfold.dat", "0\n1\n0\n1\n0\n1\n0\n1\n");
  CHECK(message_of<InputError>([&] {
          table({.path = folder / "sets"}, "a", 0);
        }).starts_with(set.string() + ": feature 2: found 1e+300, expected at most 1e+140"));
  CHECK_NOTHROW(table({.path = folder / "sets", .standardise = true}, "a", 0));
}

TEST_CASE("tabular source: a set whose description is broken is listed without its size") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "a");
  std::filesystem::create_directory(folder / "b");
  write_file(folder / "a" / "a.txt", "n_entradas= 3\nn_clases= 2\nn_patrons1= 70\n");
  write_file(folder / "b" / "b.txt", "n_entradas= x\n");
  const auto found = tables({.path = folder.path(), .standardise = true});
  REQUIRE(found.size() == 2);
  CHECK(found[0].samples == 70);
  CHECK(found[0].features == 3);
  CHECK(found[0].classes == 2);
  CHECK(found[0].standardised);
  CHECK(found[1].name == "b");
  CHECK(found[1].samples == 0);
  CHECK(found[1].standardised);
  CHECK(contains(message_of([&] { uci_size(folder / "b"); }), "b.txt: "));
}

}  // namespace
}  // namespace normalign::tests
