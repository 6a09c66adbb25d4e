#include "experiments/studies/predictions.hpp"

#include <cmath>
#include <fstream>

#include "base/number_text.hpp"
#include "experiments/tabular/protocol.hpp"
#include "experiments/tabular/source.hpp"
#include "rfm/machine_in_span.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

std::filesystem::path written(const TemporaryFolder& folder, const std::string& name, const std::string& content) {
  std::ofstream(folder / name) << content;
  return folder / name;
}

// The machine of a table in a file.
std::filesystem::path machine_of(const TemporaryFolder& folder, const TabularSource& source,
                                 const TabularConfig& config) {
  const std::string name = tables(source).front().name;
  write_safetensors(folder / (name + ".safetensors"), tabular_model(config, table(source, name, 0)));
  return folder / (name + ".safetensors");
}

TabularConfig interpolating() { return {.regularisations = {1e-6}, .updates = 1, .attack_radii = {}}; }

std::string pets() {
  std::string csv = "weight,fur,kind\n";
  for (int i = 0; i < 30; ++i)
    csv += text(i % 10 + 20 * (i % 3), i % 2 ? ",long," : ",short,", "cat dog hen"[4 * (i % 3)], '\n');
  return csv;
}

}  // namespace

TEST_CASE("predictions: a machine names the classes of rows whose columns stand in any order") {
  const TemporaryFolder folder;
  const auto file = written(folder, "pets.csv", pets());
  const auto model = machine_of(folder, {.path = file, .table = {.label = "kind"}}, interpolating());
  const Predictions known = predictions(model, file, {});
  CHECK(known.outputs == std::vector<std::string>{"c", "d", "h"});
  CHECK(known.score == 100);
  CHECK(known.file_rows == 30);

  const auto rows = written(folder, "new.csv", "fur,weight,colour\nlong,5,red\nshort,45,blue\nlong,24,red\n");
  const Predictions found = predictions(model, rows, {});
  CHECK(found.classes == std::vector<std::string>{"c", "h", "d"});
  CHECK_FALSE(found.score);
  const std::string csv = as_csv(found);
  CHECK(csv.starts_with("predicted,c,d,h\nc,"));
  CHECK(std::ranges::count(csv, '\n') == 4);
  CHECK(contains(
      message_of<InputError>([&] { predictions(model, written(folder, "gap.csv", "fur,weight\nlong,\n"), {}); }),
      "line 2: column 2 (weight): found ''"));
  CHECK(
      contains(message_of<InputError>([&] { predictions(model, written(folder, "no.csv", "fur,size\nlong,3\n"), {}); }),
               "weight"));
}

TEST_CASE("predictions: targets come in their units, and rows with gaps are left empty") {
  const TemporaryFolder folder;
  std::string csv = "x,y,z\n";
  for (int i = 0; i < 24; ++i) csv += text(i % 8 * 3, ',', 1000 + i % 8 * 50, ',', -i % 8, '\n');
  csv += "NA,1,2\n";
  const auto file = written(folder, "t.csv", csv);
  TabularSource source{.path = file, .table = {.label = {}, .regression = true, .targets = {"y", "z"}}};
  source.table.features.missing = MissingValues::drop;
  const auto model = machine_of(folder, source, interpolating());
  const Predictions known = predictions(model, file, {});
  CHECK(known.outputs == std::vector<std::string>{"y", "z"});
  CHECK(known.classes.empty());
  CHECK(known.score.value() > 99.9);
  CHECK(known.rows.size() == 24);
  CHECK(known.values(3, 0) == Approx(1150).margin(1));
  CHECK(known.values(3, 1) == Approx(-3).margin(0.05));
  CHECK(as_csv(known).ends_with("\n,\n"));
}

TEST_CASE("predictions: answers that cannot be compared are said to be so, and gaps may be filled all the same") {
  const TemporaryFolder folder;
  const auto file = written(folder, "pets.csv", pets());
  const auto model = machine_of(folder, {.path = file, .table = {.label = "kind"}}, interpolating());
  const Predictions other = predictions(model, written(folder, "o.csv", "weight,fur,kind\n5,long,c\n5,long,x\n"), {});
  CHECK_FALSE(other.score);
  CHECK(contains(other.not_scored, "line 3: column 3 (kind): found 'x', expected one of c, d, h"));
  const auto gap = written(folder, "gap.csv", "fur,weight\nlong,\nshort,45\n");
  CHECK(predictions(model, gap, {.features = {.missing = MissingValues::drop}}).rows == std::vector<Index>{1});
  CHECK(predictions(model, gap, {.features = {.missing = MissingValues::impute}}).rows == std::vector<Index>{0, 1});
}

TEST_CASE("predictions: a machine of more columns than rows says the same as one in the columns themselves") {
  const TemporaryFolder folder;
  const Index n = 12, d = 40;
  const Matrix<double> x = random_matrix({n, d}, 1), others = random_matrix({5, d}, 2);
  const auto rows_of = [&](const Matrix<double>& points, bool labelled) {
    std::string csv;
    for (Index j = 0; j < d; ++j) csv += text('c', j, ',');
    csv += "k\n";
    for (Index i = 0; i < points.rows(); ++i) {
      for (const double value : points.row(i)) csv += number_text(value) + ',';
      csv += labelled ? text(i % 2 ? "a\n" : "b\n") : "a\n";
    }
    return csv;
  };
  const auto file = written(folder, "wide.csv", rows_of(x, true));
  const TabularSource source{.path = file, .table = {.label = "k"}, .standardise = false};
  for (const char* precision : {"float64", "float32"}) {
    TabularConfig config = interpolating();
    config.precision = precision;
    config.regularisations = {0.1};
    const auto model = machine_of(folder, source, config);
    const TensorFile tensors = read_safetensors(model);
    const auto in_span = kernel_machine_from<double>(tensors);
    const auto span = SpanCoordinates<double>::along(values_as<double>(tensors.tensors.at("directions")));
    const KernelMachine<double> in_columns(in_span.kernel(), span.in_inputs(in_span.centres()),
                                           span.metric_in_inputs(in_span.metric()), in_span.coefficients());
    const Predictions found = predictions(model, written(folder, "other.csv", rows_of(others, false)), {});
    const Matrix<double> expected = in_columns.outputs_at(others);
    for (Index i = 0; i < 5; ++i)
      for (Index j = 0; j < 2; ++j)
        CHECK(found.values(i, j) == Approx(expected(i, j)).margin(config.precision == "float64" ? 1e-9 : 1e-4));
  }
}

TEST_CASE("predictions: a network that says nothing of its table takes all columns and numbers its classes") {
  const TemporaryFolder folder;
  TensorFile file;
  file.tensors["0.weight"] = {.values = Matrix<double>{{1, -1}, {2, 0}}};
  file.tensors["2.weight"] = {.values = Matrix<double>{{1, 0}, {0, 1}, {-1, 0.25}}};
  file.tensors["2.bias"] = {.values = Matrix<double>{{0, 0, 1}}, .is_vector = true};
  write_safetensors(folder / "net.safetensors", file);
  const auto rows = written(folder, "x.csv", "a,b\n3,1\n-4,-1\n7,-9\n");
  const MlpFileOptions relu{.activation = Activation::relu};
  const Predictions found = predictions(folder / "net.safetensors", rows, {}, relu);
  CHECK(found.outputs == std::vector<std::string>{"output 0", "output 1", "output 2"});
  // The hidden layer is (2, 6), (0, 0), (16, 14).
  CHECK(found.values == Matrix<double>{{2, 6, 0.5}, {0, 0, 1}, {16, 14, -11.5}});
  CHECK(found.classes == std::vector<std::string>{"1", "2", "0"});
  const auto refusal = [&](const std::string& csv, const MlpFileOptions& known) {
    return message_of<InputError>(
        [&] { predictions(folder / "net.safetensors", written(folder, "r.csv", csv), {}, known); });
  };
  CHECK(contains(refusal("a\n7\n9\n", relu), "r.csv: found 1 features, expected 2, the inputs of the model"));
  CHECK(contains(refusal("a,b\n7,x\n9,y\n", relu), "column 2 (b): found texts, such as 'x', expected numbers"));
  CHECK(contains(refusal("a,b\n3,1\n", {}), "net.safetensors: "));
}

}  // namespace normalign::tests
