#include "experiments/studies/inspection.hpp"

#include <nlohmann/json.hpp>

#include "experiments/studies/samples.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

Dataset<double> points(Index rows, Index cols, std::int32_t classes) {
  Dataset<double> data{random_matrix({rows, cols}, 7), {}, classes};
  for (Index i = 0; i < rows; ++i) data.labels.push_back(static_cast<std::int32_t>(i * i) % classes);
  return data;
}

TEST_CASE("an inspection has every sample, every class that occurs, and all of them together") {
  const Mlp<double> mlp({.widths = {3, 8, 7, 4}, .seed = 2});
  const Dataset<double> data = points(20, 3, 4);  // of i^2 mod 4 there are 0 and 1
  const Inspection found = inspection(mlp, data, {.certificates = 6, .threads = 2});
  REQUIRE(found.samples.size() == 20);
  const auto classes = nlohmann::json::parse(as_json(found).dump()).at("classes");
  REQUIRE(classes.size() == 3);
  CHECK(classes[0].at("class") == 0);
  CHECK(classes[1].at("class") == 1);
  CHECK(classes[2].at("class") == "all");
  CHECK(classes[0].at("samples") == 10);
  CHECK(classes[1].at("samples") == 10);
  CHECK(classes[2].at("samples") == 20);
  // All is the mean of its classes, which are as large.
  for (const char* measure : {"accuracy", "jacobian_norm"})
    CHECK_THAT(classes[2].at(measure).get<double>(),
               WithinRel((classes[0].at(measure).get<double>() + classes[1].at(measure).get<double>()) / 2, 1e-12));
  for (std::size_t i = 0; i < 20; ++i) {
    CHECK(found.samples[i].label == data.labels[i]);
    CHECK(found.samples[i].certificate.has_value() == (i < 6));
    REQUIRE(found.samples[i].wall);
    CHECK(found.samples[i].wall->distance > 0);
    if (i < 6) CHECK(found.samples[i].certificate->exact);
  }
  CHECK_FALSE(found.smooth_activation);
  const Matrix<double> f = piecewise_affine(mlp)(data.inputs);
  for (Index i = 0; i < 20; ++i) {
    const bool is_largest =
        std::ranges::max_element(f.row(i)) - f.row(i).begin() == data.labels[static_cast<std::size_t>(i)];
    CHECK(found.samples[static_cast<std::size_t>(i)].is_correct == is_largest);
  }
}

TEST_CASE("a network without regions is inspected for what it has") {
  const Mlp<double> mlp({.widths = {3, 8, 2}, .activation = Activation::tanh});
  const Inspection found = inspection(mlp, points(10, 3, 2), {});
  CHECK(found.smooth_activation == "tanh");
  const auto all = nlohmann::json::parse(as_json(found).dump()).at("classes").back();
  CHECK(all.at("normal_alignment").is_number());
  CHECK(all.at("wall_distance").is_null());
  CHECK_FALSE(found.samples[0].certificate);
  CHECK(contains(as_text(tables(found)), "A network of tanh has no regions"));
  CHECK_FALSE(contains(as_text(tables(found)), "Certificates"));
}

TEST_CASE("the table and the JSON of an inspection say the same") {
  const Mlp<double> mlp({.widths = {2, 6, 1}, .seed = 5});
  const Inspection found = inspection(mlp, points(12, 2, 2), {.certificates = 12, .certificate = {.norm = Norm::linf}});
  const auto json = nlohmann::json::parse(as_json(found).dump());
  CHECK(json.at("classes").size() == 3);
  CHECK(json.at("classes").back().at("class") == "all");
  CHECK(json.at("samples").size() == 12);
  CHECK(json.at("certificates").at("points") == 12);
  CHECK(json.at("certificates").at("norm") == "linf");
  Index exact = 0;
  std::vector<double> bounds;
  for (const auto& sample : json.at("samples")) {
    bounds.push_back(sample.at("certificate").at("lower"));
    const auto& certificate = sample.at("certificate");
    exact += certificate.at("exact").get<bool>();
    if (!certificate.at("upper").is_null()) CHECK(certificate.at("upper") >= certificate.at("lower"));
    CHECK(sample.contains("class_alignment"));
    CHECK(sample.at("local_complexity").is_number_integer());
  }
  CHECK(json.at("certificates").at("exact") == exact);
  std::ranges::sort(bounds);
  CHECK(json.at("certificates").at("median") == (bounds[5] + bounds[6]) / 2);
  const std::string text = as_text(tables(found));
  CHECK(contains(text, "Certificates (linf, first 12 samples): " + std::to_string(exact) + " exact"));
  CHECK(contains(text, "class alignment"));
}

TEST_CASE("an inspection attacks every sample, and the accuracy under attack is of those that no radius sufficed for") {
  const Dataset<double> data = points(30, 3, 4);
  for (const Activation activation : {Activation::relu, Activation::tanh}) {
    const Mlp<double> mlp({.widths = {3, 8, 7, 4}, .activation = activation, .init_scale = 3, .seed = 2});
    for (const Norm norm : {Norm::l2, Norm::linf}) {
      const Inspection found = inspection(
          mlp, data,
          {.certificates = 30, .certificate = {.norm = norm}, .attack_radii = {0, 0.1, 2}, .attack = {.norm = norm}});
      const auto json = nlohmann::json::parse(as_json(found).dump());
      CHECK(json.at("attacks").at("kind") == "apgd");
      CHECK(json.at("attacks").at("norm") == name_of(norm));
      CHECK(json.at("attacks").at("clamp").is_null());
      const auto& radii = json.at("attacks").at("radii");
      REQUIRE(radii.size() == 3);
      // Before an attack it is the accuracy itself, and more is never easier.
      CHECK(radii[0].at("accuracy") == json.at("classes").back().at("accuracy"));
      CHECK(radii[1].at("accuracy") <= radii[0].at("accuracy"));
      CHECK(radii[2].at("accuracy") < radii[1].at("accuracy"));
      for (std::size_t r = 0; r < 3; ++r) {
        double robust = 0;
        for (const auto& sample : json.at("samples"))
          robust += sample.at("fooled_within").is_null() || sample.at("fooled_within") > radii[r].at("radius");
        CHECK_THAT(radii[r].at("accuracy").get<double>(), WithinRel(100 * robust / 30, 1e-12));
      }
      for (const SampleInspection& sample : found.samples) {
        CHECK((sample.fooled_within == 0.0) == !sample.is_correct);
        if (sample.is_correct && sample.certificate && sample.fooled_within)
          CHECK(*sample.fooled_within >= sample.certificate->lower);
      }
      const std::string shown = as_text(tables(found));
      CHECK(contains(shown, "attacked within"));
      CHECK(contains(shown, text("Attacks: apgd in ", name_of(norm), ", 100 steps, 1 start for each loss;")));
    }
  }
  const Mlp<double> mlp({.widths = {3, 8, 4}});
  CHECK_FALSE(contains(as_text(tables(inspection(mlp, data, {}))), "attack"));
  CHECK_FALSE(as_json(inspection(mlp, data, {})).contains("attacks"));
  const Inspection boxed =
      inspection(mlp, data,
                 {.attack_radii = {0.5},
                  .attack = {.kind = AttackKind::pgd, .steps = 5, .restarts = 2, .clamp = InputRange{-1, 1}}});
  CHECK(
      contains(as_text(tables(boxed)), "Attacks: pgd in linf, 5 steps, 2 starts for each loss, inputs from -1 to 1;"));
  CHECK(as_json(boxed).at("attacks").at("clamp") == nlohmann::ordered_json{-1.0, 1.0});
  CHECK(contains(message_of<InputError>([&] { inspection(mlp, data, {.attack_radii = {0.5, 0.5}}); }), "do not rise"));
}

TEST_CASE("an inspection of nothing, or of samples that do not fit, is refused") {
  const Mlp<double> mlp({.widths = {2, 6, 2}});
  CHECK(message_of<InputError>([&] { inspection(mlp, points(0, 2, 2), {}); }) ==
        "inspection: there are no samples; there must be at least one");
  CHECK(contains(message_of<InputError>([&] { inspection(mlp, points(3, 4, 2), {}); }), "model and samples"));
}

}  // namespace
}  // namespace normalign::tests
