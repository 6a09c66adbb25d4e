#include "experiments/studies/importances.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "linalg/blas.hpp"
#include "linalg/span_coordinates.hpp"
#include "rfm/kernel_machine.hpp"
#include "support/catch.hpp"
#include "support/kernel_machines.hpp"
#include "support/message_of.hpp"
#include "support/system_files.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {

TEST_CASE("importances: shares and directions are those of the outer products of the machine's slopes") {
  const KernelMachine<double> machine = random_machine({.shape = KernelShape::gaussian, .bandwidth = 2}, 9, 4, 3, 4);
  const Importances found = importances(tensor_file(machine), 2);
  CHECK(found.features == std::vector<std::string>{"feature 1", "feature 2", "feature 3", "feature 4"});
  Matrix<double> products(4, 4);
  for (Index i = 0; i < 9; ++i)
    syrk<double>(machine.jacobian(machine.centres().view().row_block(i, 1)), products, 1, 1);
  double trace = 0, sum = 0;
  for (Index j = 0; j < 4; ++j) trace += products(j, j);
  for (std::size_t j = 0; j < 4; ++j) {
    const auto at = static_cast<Index>(j);
    CHECK(found.shares[j] == Approx(products(at, at) / trace));
    sum += found.shares[j];
  }
  CHECK(sum == Approx(1));
  REQUIRE(found.directions.size() == 2);
  CHECK(found.directions[0].share >= found.directions[1].share);
  for (const ImportantDirection& direction : found.directions)
    for (Index i = 0; i < 4; ++i) {
      double product = 0;
      for (Index j = 0; j < 4; ++j) product += products(i, j) * direction.weights[static_cast<std::size_t>(j)];
      CHECK(product / trace == Approx(direction.share * direction.weights[static_cast<std::size_t>(i)]).margin(1e-12));
    }
  CHECK(importances(tensor_file(machine), 100).directions.size() == 4);
}

TEST_CASE("importances: those of a machine of more columns than rows are of the columns") {
  const Matrix<double> rows = random_matrix({5, 11}, 4);
  const SpanCoordinates<double> span(rows);
  const KernelMachine<double> in_span({.shape = KernelShape::gaussian, .bandwidth = 3}, Matrix<double>(span.rows()),
                                      random_metric(6, 6, 2), random_matrix({5, 2}, 3));
  Matrix<double> metric = in_span.metric();
  for (Index i = 0; i < 5; ++i) metric(i, 5) = metric(5, i) = 0;
  const KernelMachine<double> machine(in_span.kernel(), in_span.centres(), metric, in_span.coefficients());
  TensorFile file = tensor_file(machine);
  file.tensors["directions"] = {.values = Matrix<double>(span.directions())};
  const KernelMachine<double> in_columns(machine.kernel(), rows, span.metric_in_inputs(metric), machine.coefficients());
  const Importances found = importances(file, 3), expected = importances(tensor_file(in_columns), 3);
  REQUIRE(found.shares.size() == 11);
  for (std::size_t j = 0; j < 11; ++j) {
    CHECK(found.shares[j] == Approx(expected.shares[j]).margin(1e-10));
    for (std::size_t i = 0; i < 3; ++i)
      CHECK(found.directions[i].weights[j] == Approx(expected.directions[i].weights[j]).margin(1e-8));
  }
}

TEST_CASE("importances: the table has the largest first, and the picture names them") {
  const Importances some{.features = {"a", "long <name>", "c"},
                         .shares = {0.25, 0.5, 0.25},
                         .directions = {{.share = 0.9, .weights = {0.6, 0.8, 0}}}};
  CHECK(most_important(some, 2) == std::vector<std::size_t>{1, 0});
  const std::string shown = as_text(tables(some, 2));
  CHECK(contains(shown,
                 "long <name>  ████████████████████████  50.00  0.80\n"
                 "a            ████████████              25.00  0.60\n"));
  CHECK(contains(shown, "1 other feature has 25.00 % together"));
  CHECK(contains(shown, "v1 90.0 %"));
  const auto json = as_json(some);
  CHECK(json["features"][1] == nlohmann::ordered_json{{"name", "long <name>"}, {"share", 0.5}});
  CHECK(json["directions"][0]["weights"].size() == 3);
  const TemporaryFolder folder;
  draw_importances(folder / "bars.svg", some, 3, "bars");
  CHECK(read_file(folder / "bars.svg").size() > 1000);
  CHECK(contains(message_of<InputError>([&] { draw_importances(folder / "bars.gif", some, 3, "bars"); }), "bars.gif"));
}

TEST_CASE("importances: a file without a machine, a flat one and wrong directions are refused") {
  const auto refusal = [](const TensorFile& file) { return message_of<InputError>([&] { importances(file, 1); }); };
  CHECK(contains(refusal({}), "tensor centres: found none"));
  const KernelMachine<double> flat({}, random_matrix({3, 2}, 1), random_metric(2, 2, 2), Matrix<double>(3, 1));
  CHECK(contains(refusal(tensor_file(flat)), "found slopes of 0 at all its rows"));
  TensorFile file = tensor_file(random_machine({}, 4, 3, 1, 3));
  file.tensors["directions"] = {.values = Matrix<double>(5, 9)};
  CHECK(contains(refusal(file), "tensor directions: found 5 rows, expected 2"));
}

}  // namespace normalign::tests
