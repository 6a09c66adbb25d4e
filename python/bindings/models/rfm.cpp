// The fit of a Recursive Feature Machine.
#include "rfm/rfm.hpp"

#include "base/error.hpp"
#include "base/memory.hpp"
#include "data/regression_scores.hpp"
#include "linalg/thread_limit.hpp"
#include "python/bindings/bindings.hpp"
#include "python/bindings/models/kernel_machine.hpp"
#include "python/bindings/support/computation.hpp"
#include "python/bindings/support/printed.hpp"

namespace normalign::python {
namespace {

using namespace py::literals;

constexpr double gibibyte = 1024.0 * 1024 * 1024;

// What a fit gives: the machine, and what its systems took.
struct RfmFit {
  std::unique_ptr<Machine> machine;
  Index updates = 0;              // before the machine
  std::vector<double> scores;     // on the validation rows, of each machine of the fit
  std::vector<double> residuals;  // of each machine of the fit
  bool converged = true;
};

// Rows that choose among the machines of a fit.
struct ValidationArguments {
  py::array x, y;
};

double identity_share(const py::object& initial) {
  if (py::isinstance<py::str>(initial)) {
    const auto name = initial.cast<std::string>();
    if (name == "identity") return 1;
    if (name == "covariance") return 0;
  } else if (PyNumber_Check(initial.ptr())) {
    const auto share = py::float_(initial).cast<double>();
    if (share >= 0 && share <= 1) return share;
  }
  throw InputError(text("initial: found ", std::string(py::repr(initial)),
                        ", expected 'identity', 'covariance' or the identity's share, from 0 to 1"));
}

// Whether the machine is to be fitted in coordinates of the rows' span.
bool is_in_span(const std::optional<std::string>& coordinates, const py::array& x) {
  if (!coordinates) return x.ndim() == 2 && x.shape(1) > x.shape(0) + 1;
  if (*coordinates != "inputs" && *coordinates != "span")
    throw InputError(text("coordinates: found '", *coordinates, "', expected 'inputs', 'span' or None"));
  if (*coordinates == "inputs") return false;
  if (x.ndim() == 2 && x.shape(1) <= x.shape(0))
    throw InputError(text("coordinates: found 'span' for X of shape ", shape_text(x),
                          ", expected it where there are more columns than rows"));
  return true;
}

// The validation rows in the precision of the fit, and how good outputs at them are.
template <class T>
class Scorer {
 public:
  Scorer(const ValidationArguments& rows, Index columns, Index outputs)
      : x_("validation", rows.x), is_of_classes_(outputs > 1 && rows.y.ndim() == 1) {
    if (x_.view().cols() != columns)
      throw InputError(text("validation: found ", x_.view().cols(), " columns, expected ", columns, " as in X"));
    if (!is_of_classes_) {
      targets_.emplace("validation", as_column(rows.y));
      return;
    }
    labels_ = labels_argument("validation", ArrayLike{rows.y}, x_.view().rows(), outputs);
  }
  // The rows as the machines see them.
  ConstView<T> x() const { return x_; }
  // Per cent of the rows that are right or, of targets, 100 R².
  double score(const Matrix<T>& outputs) const {
    if (is_of_classes_) return accuracy<T>(outputs, labels_);
    return 100 * regression_scores<T>(outputs, targets_->view()).mean_r_squared();
  }

 private:
  MatrixArgument<T> x_;
  bool is_of_classes_;
  std::vector<std::int32_t> labels_;
  std::optional<MatrixArgument<T>> targets_;
};

template <class T>
RfmFit fitted(RfmOptions options, ConstView<T> x, ConstView<T> y, bool in_span, const Scorer<T>* scorer,
              Progress& progress, const std::function<bool()>& stop) {
  const ThreadLimit limit(options.ridge.threads);
  RfmFit fit;
  PlacedMachine<T> best;
  double best_score = -infinity;
  if (in_span) {
    best.span = SpanCoordinates<T>(x);
    options.inputs = x.cols();
  }
  const Matrix<T> validation = scorer && in_span ? best.span->of(scorer->x()) : Matrix<T>();
  const StopPoll poll("fit_rfm", stop);
  options.ridge.stop = poll.inner();
  Rfm<T> rfm(options);
  rfm.fit(in_span ? best.span->rows() : x, y,
          [&](Index updates, const KernelMachine<T>& machine, const RidgeReport& report) {
            progress(updates + 1, options.updates + 1);
            poll.check();
            fit.residuals.push_back(report.residual);
            fit.converged &= report.converged;
            if (!scorer) return true;
            fit.scores.push_back(
                scorer->score(machine.outputs_at(in_span ? validation : scorer->x(), options.ridge.threads)));
            if (fit.scores.back() > best_score) {
              best_score = fit.scores.back();
              best.machine = machine;
              fit.updates = updates;
            }
            return true;
          });
  if (!scorer || best.machine.outputs() == 0) {
    best.machine = rfm.machine();
    fit.updates = rfm.updates();
  }
  if (in_span) best.span = SpanCoordinates<T>::along(Matrix<T>(best.span->directions()));
  fit.machine = std::make_unique<Machine>(std::move(best));
  return fit;
}

template <class T>
RfmFit fitted(const RfmOptions& options, const py::array& x, const py::array& y, bool in_span,
              const std::optional<ValidationArguments>& validation, Progress& progress) {
  const MatrixArgument<T> rows("X", x), targets("y", as_column(y));
  if (targets.view().rows() != rows.view().rows())
    throw InputError(
        text("y: found ", targets.view().rows(), " rows, expected ", rows.view().rows(), ", as many as X has"));
  std::optional<Scorer<T>> scorer;
  if (validation) scorer.emplace(*validation, rows.view().cols(), targets.view().cols());
  return interruptible(
      [&](const std::function<bool()>& stop) {
        return fitted<T>(options, rows, targets, in_span, scorer ? &*scorer : nullptr, progress, stop);
      },
      &progress);
}

// Of the kernel matrix and its factorisation.
double solution_flops(const py::array& rows) {
  if (rows.ndim() != 2) return 0;
  const auto n = static_cast<double>(rows.shape(0)), d = static_cast<double>(rows.shape(1));
  return n * n * (2 * d + n / 3);
}

RfmFit fit_rfm(const ArrayLike& x, const ArrayLike& y, const std::string& kernel, double bandwidth, double exponent,
               double regularisation, Index updates, const py::object& initial, Index agop_samples,
               bool centre_gradients, double power, std::uint64_t seed,
               const std::optional<std::pair<ArrayLike, ArrayLike>>& validation,
               const std::optional<std::string>& coordinates, std::optional<double> memory, std::optional<int> threads,
               const py::object& progress) {
  if (memory && !(*memory > 0)) throw InputError(text("memory: found ", *memory, ", expected GiB, more than 0"));
  const py::array rows = array_of("X", x), targets = array_of("y", y);
  const RfmOptions options{.kernel = kernel_of(kernel, bandwidth, exponent),
                           .ridge = {.regularisation = regularisation,
                                     .memory = memory ? *memory * gibibyte : 0.8 * available_memory(),
                                     .threads = thread_count(threads, solution_flops(rows))},
                           .identity_share = identity_share(initial),
                           .updates = updates,
                           .agop_samples = agop_samples,
                           .centres_gradients = centre_gradients,
                           .power = power,
                           .seed = seed};
  check(options);
  std::optional<ValidationArguments> chosen_by;
  if (validation) chosen_by = {array_of("validation", validation->first), array_of("validation", validation->second)};
  Progress shown(progress, "fit", updates + 1);
  const bool in_span = is_in_span(coordinates, rows);
  return is_float32(rows) && !is_float64(targets) ? fitted<float>(options, rows, targets, in_span, chosen_by, shown)
                                                  : fitted<double>(options, rows, targets, in_span, chosen_by, shown);
}

}  // namespace

void bind_rfm(py::module_& module) {
  py::class_<RfmFit>(module, "RfmFit", printed(), "What `fit_rfm` found: the machine, and how it was chosen.")
      .def_property_readonly(
          "machine", [](const RfmFit& fit) -> const Machine& { return *fit.machine; },
          "The KernelMachine that was kept.")
      .def_readonly("updates", &RfmFit::updates, "How often its metric was updated.")
      .def_property_readonly(
          "scores", [](const RfmFit& fit) { return array_from(std::vector<double>(fit.scores)); }, R"(
Of the machine after each number of updates on the validation rows: per cent that are right, or 100 R^2; else empty.)")
      .def_property_readonly(
          "residuals", [](const RfmFit& fit) { return array_from(std::vector<double>(fit.residuals)); }, R"(
Of each machine's linear system: the norm of the residual over that of y, of the worst column. 0 of a factorisation.)")
      .def_readonly("converged", &RfmFit::converged, "Whether all these are within the tolerance of 1e-4.")
      .def(printed_method, [](const RfmFit& fit) {
        return text("RfmFit(", std::string(py::repr(py::cast(*fit.machine, py::return_value_policy::reference))),
                    ", updates=", fit.updates, ")");
      });
  const RfmOptions defaults;
  module.def("fit_rfm", &fit_rfm, "X"_a, "y"_a, py::kw_only(), "kernel"_a = name_of(defaults.kernel.shape),
             "bandwidth"_a = defaults.kernel.bandwidth, "exponent"_a = defaults.kernel.exponent,
             "regularisation"_a = defaults.ridge.regularisation, "updates"_a = defaults.updates,
             "initial"_a = "identity", "agop_samples"_a = defaults.agop_samples,
             "centre_gradients"_a = defaults.centres_gradients, "power"_a = defaults.power, "seed"_a = 0,
             "validation"_a = py::none(), "coordinates"_a = py::none(), "memory"_a = py::none(),
             "threads"_a = py::none(), "progress"_a = py::none(), R"(
Fits a Recursive Feature Machine: kernel ridge regression whose metric M becomes the average gradient outer product of
its own predictor, `updates` times. Returns an RfmFit with the `machine`.

X (n, d): features, on one scale. y (n, c), or (n,) for one output: numbers; of classes one-hot rows. Both float32, or y
whole numbers: fitted in float32, else in float64.
kernel, bandwidth, exponent: as KernelMachine has them; M has trace d, so that distances are about those of X.
regularisation: lambda >= 0 in (K + lambda I) a = y.
initial: the first M: 'identity' (RFM), 'covariance' of X (RFAM), or the identity's share, from 0 to 1.
agop_samples: rows drawn with replacement for an update, at most n; 0: every row once. seed: of these draws.
centre_gradients: whether the mean gradient is subtracted. power: of the update, positive.
validation: (X, labels) of class numbers, or (X, y) of numbers: the machine with the best accuracy, or R^2, on them is
kept, of equal ones the first; None: the last.
coordinates: 'inputs', or 'span': those of the rows' span, which gives the same machine up to rounding and is fast where
there are more columns than rows, as there must be; None: whichever is faster.
memory: GiB for the kernel matrix; where it does not fit, systems are solved by iteration. None: 80 % of what is free.
progress: True for a bar (tqdm), or a function of (fits done, all). Ctrl-C ends a fit.)");
}

}  // namespace normalign::python
