// Proved distances to the nearest input that is classified otherwise, and attacks that look for one.
#include <limits>

#include "geometry/certificates/certificate.hpp"
#include "nn/attack.hpp"
#include "python/bindings/bindings.hpp"
#include "python/bindings/models/network.hpp"
#include "python/bindings/support/computation.hpp"
#include "python/bindings/support/printed.hpp"

namespace normalign::python {
namespace {

using namespace py::literals;

// ---- certificates ----------------------------------------------------------------------------------------------

// What is proved about n inputs, as arrays.
struct Certificates {
  py::array_t<bool> exact;
  py::array lower, upper, adversarial, parts;
};

Certificates as_arrays(const std::vector<Certificate>& found, Index inputs) {
  Matrix<double> adversarial(static_cast<Index>(found.size()), inputs);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto row = adversarial.row(static_cast<Index>(i));
    if (found[i].adversarial.empty())
      std::ranges::fill(row, std::numeric_limits<double>::quiet_NaN());
    else
      std::ranges::copy(found[i].adversarial.span(), row.begin());
  }
  return {array_from_each(found, &Certificate::exact), array_from_each(found, &Certificate::lower),
          array_from_each(found, &Certificate::upper), array_from(std::move(adversarial)),
          array_from_each(found, &Certificate::parts)};
}

Certificates certificates_of(const Network& network, const ArrayLike& x, const std::string& norm, Index parts,
                             double seconds, const std::optional<ArrayLike>& adversarial, std::optional<int> threads,
                             const py::object& progress) {
  const MatrixArgument<double> rows("X", x);
  std::optional<MatrixArgument<double>> near;
  if (adversarial) near.emplace("adversarial", *adversarial);
  CertificateOptions options{.norm = norm_of("norm", norm), .parts = parts, .seconds = seconds};
  if (near) options.adversarial = *near;
  const Index n = rows.view().rows();
  Progress shown(progress, "certificate", n);
  if (shown) options.progress = [&](Index done) { shown(done, n); };
  const int count = thread_count(threads);
  const auto found = interruptible(
      [&](const std::function<bool()>& stop) {
        options.stop = stop;
        return certificates(*network.pieces(), rows, options, count);
      },
      &shown);
  return as_arrays(found, rows.view().cols());
}

void bind_certificates(py::module_& module) {
  using C = Certificates;
  py::class_<C>(module, "Certificates", printed(), R"(
What is proved about n inputs: no point nearer than `lower` is classified otherwise, one at distance `upper` is, or ties.)")
      .def_readonly("exact", &C::exact, "Whether lower and upper agree to 1e-9 of the distance: (n,).")
      .def_readonly("lower", &C::lower, "The proved distances: (n,), in the units of the inputs.")
      .def_readonly("upper", &C::upper, "The distances of `adversarial`: (n,); infinite where no such point is known.")
      .def_readonly("adversarial", &C::adversarial, "The nearest such points known: (n, d); nan where there is none.")
      .def_readonly("parts", &C::parts, "How many parts of the input space were visited: (n,).")
      .def("__len__", [](const C& found) { return found.exact.size(); })
      .def(py::pickle(
          [](const C& found) {
            return py::make_tuple(found.exact, found.lower, found.upper, found.adversarial, found.parts);
          },
          [](const py::tuple& state) {
            return C{state[0].cast<py::array_t<bool>>(), state[1], state[2], state[3], state[4]};
          }))
      .def(printed_method, [](const C& found) {
        const auto exact = py::cast<Index>(found.exact.attr("sum")());
        return text("Certificates of ", found.exact.size(), " inputs, ", exact, " exact");
      });
  module.def("certificates", &certificates_of, "net"_a, "X"_a, py::kw_only(), "norm"_a = "l2",
             "parts"_a = CertificateOptions{}.parts, "seconds"_a = infinity, "adversarial"_a = py::none(),
             "threads"_a = py::none(), "progress"_a = py::none(), R"(
How far each row of X (n, d) is from the nearest input that the network classifies otherwise: exactly, or between bounds.

norm: 'l2' or 'linf'. parts, seconds: the most to visit and to take for one row before its bounds are given as they are;
results near a limit of seconds depend on the machine. adversarial: points (n, d) known to be classified otherwise; near
ones make the search shorter. progress: True for a bar by tqdm where it is there, or a function of (done, all).

All is proved of the numbers as stored, rounding included. The class is the first largest output; of one output its
sign. Practical for up to some tens of units that change their sign within the distance.)");
}

// ---- attacks ---------------------------------------------------------------------------------------------------

struct AttackArrays {
  py::array points;
  py::array_t<bool> is_fooled;
  py::object accuracy;
};

AttackKind kind_of(const std::string& kind) { return attack_kind("kind", kind); }

std::optional<InputRange> range_of(const std::optional<std::pair<double, double>>& clamp) {
  if (!clamp) return std::nullopt;
  return InputRange{.low = clamp->first, .high = clamp->second};
}

std::vector<double> radii_of(const py::array& radius) {
  const Matrix<double> row =
      row_argument("radius", {radius.ndim() == 0 ? radius.attr("reshape")(1) : py::object(radius)});
  return {row.span().begin(), row.span().end()};
}

// The results within several radii, one behind the other.
template <class T>
AttackArrays as_arrays(std::vector<ClassAttackResult<T>> results, Index n, Index d, bool is_one) {
  const auto radii = static_cast<Index>(results.size());
  py::list accuracies;
  for (const auto& result : results) accuracies.append(result.accuracy());
  std::vector<Index> shape = {radii, n};
  if (is_one) shape = {n};
  py::array_t<bool> is_fooled(shape);
  bool* next = is_fooled.mutable_data();
  for (const auto& result : results)
    for (const std::uint8_t fooled : result.is_fooled) *next++ = fooled != 0;
  if (is_one) return {array_from(std::move(results.front().points)), is_fooled, accuracies[0]};
  LargeVector<T> points;
  for (const auto& result : results)
    points.insert(points.end(), result.points.span().begin(), result.points.span().end());
  return {owning_array(std::move(points), {radii, n, d}), is_fooled,
          py::module_::import("numpy").attr("array")(accuracies)};
}

AttackArrays attack(const Network& network, const ArrayLike& x, const std::optional<ArrayLike>& y,
                    const ArrayLike& radius, ClassAttackOptions options, std::optional<int> threads) {
  const py::array within = array_of("radius", radius);
  const std::vector<double> radii = radii_of(within);
  const bool is_one = within.ndim() == 0;
  return network.at("X", x, [&]<class T>(const Mlp<T>& mlp, const MatrixArgument<T>& rows) {
    const ConstView<T> view = rows;
    const int count = thread_count(threads);
    std::vector<std::int32_t> labels;
    if (y) labels = labels_argument("y", *y, view.rows());
    auto results = interruptible([&](const std::function<bool()>& stop) {
      options.stop = stop;
      if (!y) labels = classes_at<T>(mlp, view, count);
      return class_attacks<T>(mlp, Batch<T>{.inputs = view, .labels = labels}, radii, options, count);
    });
    return as_arrays<T>(std::move(results), view.rows(), view.cols(), is_one);
  });
}

void bind_attacks(py::module_& module) {
  py::class_<AttackArrays>(module, "Attack", printed(), "What an attack found for n inputs.")
      .def_readonly("points", &AttackArrays::points, R"(
(n, d), or (radii, n, d): a point that is classified otherwise than its label says, else one where the loss is large.)")
      .def_readonly("is_fooled", &AttackArrays::is_fooled, "(n,), or (radii, n): whether it is classified otherwise.")
      .def_readonly("accuracy", &AttackArrays::accuracy, "Per cent of the inputs that are not fooled; or (radii,).")
      .def(py::pickle(
          [](const AttackArrays& found) { return py::make_tuple(found.points, found.is_fooled, found.accuracy); },
          [](const py::tuple& state) {
            return AttackArrays{state[0], state[1].cast<py::array_t<bool>>(), state[2]};
          }))
      .def(printed_method, [](const AttackArrays& found) {
        return text("Attack(accuracy=", std::string(py::str(found.accuracy)), ")");
      });
  module.def(
      "attack",
      [](const Network& network, const ArrayLike& x, const std::optional<ArrayLike>& y, const ArrayLike& radius,
         const std::string& kind, const std::string& norm, int steps, int restarts, Index targets, std::uint64_t seed,
         const std::optional<std::pair<double, double>>& clamp, std::optional<int> threads) {
        return attack(network, x, y, radius,
                      {.kind = kind_of(kind),
                       .norm = norm_of("norm", norm),
                       .steps = steps,
                       .restarts = restarts,
                       .targets = targets,
                       .seed = seed,
                       .clamp = range_of(clamp)},
                      threads);
      },
      "net"_a, "X"_a, "y"_a = py::none(), py::kw_only(), "radius"_a, "kind"_a = "apgd", "norm"_a = "linf",
      "steps"_a = ClassAttackOptions{}.steps, "restarts"_a = ClassAttackOptions{}.restarts,
      "targets"_a = ClassAttackOptions{}.targets, "seed"_a = 0, "clamp"_a = py::none(), "threads"_a = py::none(), R"(
Attacks the class of each row of X (n, d) within a radius, or within each of several radii (radii,).

y: class numbers (n,); unless given, the classes that the network itself decides on. kind: 'apgd' (on cross entropy, then
on targets), 'apgd_ce', 'apgd_targeted' or 'pgd'. norm: 'linf' or 'l2'. steps: of each start. restarts: random starts of
each row and loss. targets: the most of a row. clamp: (low, high) that every point stays in. A row that is fooled within
a radius is fooled within a larger one. The same seed finds the same points at any number of threads.)");
}

}  // namespace

void bind_robustness(py::module_& module) {
  bind_certificates(module);
  bind_attacks(module);
}

}  // namespace normalign::python
