#include "experiments/tabular/protocol.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/clock.hpp"
#include "base/number_text.hpp"
#include "data/folds.hpp"
#include "data/regression_scores.hpp"
#include "experiments/runs/table_encoding_json.hpp"
#include "geometry/local_geometry.hpp"
#include "linalg/safetensors.hpp"
#include "rfm/machine_in_span.hpp"
#include "robustness/class_attack.hpp"
#include "robustness/pgd.hpp"

namespace normalign {
namespace {

constexpr const char *published_protocol = "published", *nested_protocol = "nested";

// Some rows of the table in the precision of the run.
template <class T>
struct Rows {
  // Targets are scaled as those of `train` are, or, where these are the training rows, to mean 0 and deviation 1.
  Rows(const Dataset<double>& all, std::span<const Index> rows, const Rows* train = nullptr)
      : numbers(rows.begin(), rows.end()) {
    Dataset<double> taken = rows_at(all, rows);
    x = converted<T>(taken.inputs.view());
    labels = std::move(taken.labels);
    if (!all.is_regression()) {
      y = one_hot<T>(labels, all.classes);
      return;
    }
    scales = train ? train->scales : column_scales(taken.targets);
    scale_columns(taken.targets, scales);
    y = converted<T>(taken.targets.view());
  }
  std::vector<Index> numbers;  // in the table
  Matrix<T> x, y;              // n x d, n x outputs
  std::vector<std::int32_t> labels;
  ColumnScales scales;  // of the targets
};

// The mean over rows where the measure is defined, each counted as often as it was drawn.
class WeightedMean {
 public:
  void add(std::optional<double> value, Index times) {
    if (!value) return;
    sum_ += *value * static_cast<double>(times);
    count_ += times;
  }
  std::optional<double> value() const {
    return count_ == 0 ? std::nullopt : std::optional(sum_ / static_cast<double>(count_));
  }

 private:
  double sum_ = 0;
  Index count_ = 0;
};

std::vector<double> bandwidths_of(const TabularConfig& config) {
  return config.bandwidths.empty() ? std::vector<double>{config.bandwidth} : config.bandwidths;
}

// The number of fits of one selection.
Index selection_steps(const TabularConfig& config) {
  return static_cast<Index>(bandwidths_of(config).size() * config.regularisations.size()) * (config.updates + 1);
}

// A run on its way.
template <class T>
class Run {
 public:
  Run(const TabularConfig& config, const TabularData& data, const RidgeOptions& ridge, const TabularProgress& progress)
      : config_(config), data_(data), ridge_(ridge), progress_(progress) {
    if (!is_wide()) return;
    const ThreadLimit limit(ridge.threads);
    span_ = SpanCoordinates<T>(converted<T>(data.samples.inputs.view()));
    coordinates_ = {converted<double>(span_.rows()), data.samples.labels, data.samples.classes, data.samples.targets};
  }

  TabularResult result() {
    steps_ = tabular_steps(config_, data_);
    if (config_.protocol == published_protocol) select(data_.selection, 0);
    for (std::size_t i = 0; i < data_.folds.size(); ++i) {
      const Fold& fold = data_.folds[i];
      place_ = text("fold ", i + 1, " of ", data_.folds.size(), ": ");
      if (config_.protocol == nested_protocol) select(halves(fold.train, i), i);
      result_.folds.push_back(metrics(fold, i));
    }
    return std::move(result_);
  }

  TensorFile model() {
    steps_ = selection_steps(config_) + 1;
    place_ = "the model of all rows: ";
    std::vector<Index> all(static_cast<std::size_t>(data_.samples.inputs.rows()));
    std::iota(all.begin(), all.end(), Index{0});
    select(halves(all, data_.folds.size()), data_.folds.size());
    const Rows<T> train(samples(), all);
    TensorFile file = tensor_file(refitted(train));
    advance();
    if (is_wide()) add_directions(file, span_);
    TableEncoding encoding = data_.encoding;
    if (data_.samples.is_regression()) encoding.target_scales = train.scales;
    file.metadata["table"] = table_encoding_json(encoding).dump();
    return file;
  }

 private:
  // A table whose span has fewer coordinates than the table has columns.
  bool is_wide() const { return data_.samples.inputs.cols() > data_.samples.inputs.rows() + 1; }
  // The samples as the machines see them; attacks see those of the data.
  const Dataset<double>& samples() const { return is_wide() ? coordinates_ : data_.samples; }

  // At points of the table's own columns.
  Matrix<T> outputs_at(const KernelMachine<T>& machine, ConstView<T> x) const {
    return is_wide() ? normalign::outputs_at(span_, machine, x, ridge_.threads) : machine.outputs_at(x, ridge_.threads);
  }
  void pull_back(const KernelMachine<T>& machine, ConstView<T> x, const OutputCotangents<T>& cotangents,
                 MatrixView<T> gradients) const {
    if (is_wide())
      normalign::pull_back(span_, machine, x, cotangents, gradients, ridge_.threads);
    else
      machine.pull_back(x, cotangents, gradients, ridge_.threads);
  }

  // Seeded apart for each fold: the fold is the high word of the seed's key.
  Fold halves(const std::vector<Index>& train, std::size_t fold) const {
    const Dataset<double> taken = rows_at(data_.samples, std::span<const Index>(train));
    return fold_of_rows(
        train, stratified_halves(taken, static_cast<std::uint64_t>(config_.seed) + (std::uint64_t{fold} << 32)));
  }

  Kernel kernel(double bandwidth) const {
    return {.shape = kernel_shape(config_.kernel), .bandwidth = bandwidth, .exponent = config_.exponent};
  }

  // Per cent of the rows that are right or, of targets, of their variance that is explained.
  double score(const Matrix<T>& outputs, const Rows<T>& rows) const {
    if (!data_.samples.is_regression()) return accuracy<T>(outputs, rows.labels);
    return 100 * regression_scores<T>(outputs, rows.y).mean_r_squared();
  }

  void select(const Fold& rows, std::size_t number) {
    const auto start = Clock::now();
    const Rows<T> train(samples(), rows.train), validation(samples(), rows.test, &train);
    selection_ = {.validation_acc = -infinity};
    const std::vector<double> bandwidths = bandwidths_of(config_);
    auto fit = static_cast<std::uint32_t>(number * bandwidths.size() * config_.regularisations.size());
    for (const double bandwidth : bandwidths)
      for (const double regularisation : config_.regularisations) {
        enter(text("choosing with regularisation ", number_text(regularisation),
                   bandwidths.size() > 1 ? " and bandwidth " + number_text(bandwidth) : ""));
        RidgeOptions ridge = ridge_;
        ridge.regularisation = regularisation;
        Rfm<T> rfm({.kernel = kernel(bandwidth),
                    .ridge = ridge,
                    .identity_share = config_.alpha,
                    .updates = config_.updates,
                    .agop_samples = config_.agop_samples,
                    .seed = static_cast<std::uint64_t>(config_.seed),
                    .fit = fit++,
                    .inputs = data_.samples.inputs.cols()});
        rfm.fit(train.x, train.y, [&](Index updates, const KernelMachine<T>& machine, const RidgeReport& report) {
          take_note(report);
          const double found = score(machine.outputs_at(validation.x, ridge_.threads), validation);
          if (found > selection_.validation_acc) {
            selection_ = {regularisation, bandwidth, updates, found};
            metric_ = machine.metric();
          }
          advance();
          return true;
        });
      }
    result_.cost.selection += seconds_since(start);
  }

  TabularFold metrics(const Fold& rows, std::size_t number) {
    const Rows<T> train(samples(), rows.train), test(data_.samples, rows.test, &train);
    TabularFold fold{.selection = selection_};
    const KernelMachine<T> machine = refitted(train);
    fold.train_acc = score(machine.outputs_at(train.x, ridge_.threads), train);
    const Matrix<T> outputs = outputs_at(machine, test.x);
    fold.test_acc = score(outputs, test);
    if (data_.samples.is_regression())
      fold.test_rmse = joint_rmse(regression_scores<T>(outputs, test.y).rmse, test.scales.deviations);
    advance();
    add_robustness(machine, test, number, fold);
    add_geometry(machine, train, number, fold);
    advance();
    return fold;
  }

  KernelMachine<T> refitted(const Rows<T>& train) {
    const auto start = Clock::now();
    enter("fitting");
    RidgeOptions ridge = ridge_;
    ridge.regularisation = selection_.regularisation;
    const MahalanobisPoints<T> points(train.x, mahalanobis_factor<T>(metric_));
    RidgeSolution<T> solution = normalign::ridge<T>(kernel(selection_.bandwidth), points, train.y, ridge, workspace_);
    take_note(solution.report);
    result_.cost.refit += seconds_since(start);
    return {kernel(selection_.bandwidth), train.x, metric_, std::move(solution.coefficients)};
  }

  void add_robustness(const KernelMachine<T>& machine, const Rows<T>& test, std::size_t number, TabularFold& fold) {
    const auto start = Clock::now();
    const std::size_t radii = config_.attack_radii.size();
    if (radii > 0) enter("attacks");
    if (config_.attack == "apgd") {
      fold.robust_acc = strongly_attacked_accuracies(machine, test, number);
      for (std::size_t i = 0; i < radii; ++i) advance();
    } else {
      for (std::size_t i = 0; i < radii; ++i) {
        fold.robust_acc.push_back(attacked_accuracy(machine, test, i, number));
        advance();
      }
    }
    result_.cost.attack += seconds_since(start);
  }

  std::optional<InputRange> clamp() const {
    const std::vector<double>& ends = config_.attack_clamp;
    return ends.empty() ? std::nullopt : std::optional(InputRange{.low = ends[0], .high = ends[1]});
  }

  double attacked_accuracy(const KernelMachine<T>& machine, const Rows<T>& test, std::size_t radius,
                           std::size_t number) const {
    const double eps = config_.attack_radii[radius];
    const PgdOptions options{.norm = Norm::linf,
                             .radius = eps,
                             .step = config_.attack_step * eps,
                             .steps = static_cast<int>(config_.attack_steps),
                             .seed = static_cast<std::uint64_t>(config_.seed),
                             .draw = static_cast<std::uint32_t>(number * config_.attack_radii.size() + radius),
                             .clamp = clamp()};
    // The gradient of the mean over outputs of (f - y)²: 2 / c (f - y) is pulled back.
    const T scale = T(2) / static_cast<T>(machine.outputs());
    const auto residuals = [&](Index first, MatrixView<T> outputs) {
      const std::span<const T> y = test.y.view().row_block(first, outputs.rows()).span();
      for (std::size_t i = 0; i < y.size(); ++i) outputs.span()[i] = scale * (outputs.span()[i] - y[i]);
    };
    const Matrix<T> points = pgd<T>(
        test.x, options, [&](ConstView<T> x, MatrixView<T> gradients) { pull_back(machine, x, residuals, gradients); },
        test.numbers);
    return accuracy<T>(outputs_at(machine, points), test.labels);
  }

  std::vector<double> strongly_attacked_accuracies(const KernelMachine<T>& machine, const Rows<T>& test,
                                                   std::size_t number) const {
    // One class is never mistaken.
    if (machine.outputs() == 1) return std::vector<double>(config_.attack_radii.size(), 100);
    ClassAttackOptions options{.kind = AttackKind::apgd,
                               .norm = Norm::linf,
                               .steps = static_cast<int>(config_.attack_steps),
                               .restarts = static_cast<int>(config_.attack_restarts),
                               .seed = static_cast<std::uint64_t>(config_.seed),
                               .clamp = clamp()};
    options.draw = static_cast<std::uint32_t>(number) *
                   static_cast<std::uint32_t>((1 + options.targets) * config_.attack_restarts);
    const auto classifier = [&](ConstView<T> x, const OutputCotangents<T>& cotangents, MatrixView<T> gradients) {
      pull_back(machine, x, cotangents, gradients);
    };
    std::vector<double> result;
    for (const auto& found :
         class_attacks<T>(test.x, test.labels, config_.attack_radii, options, classifier, test.numbers))
      result.push_back(found.accuracy());
    return result;
  }

  void add_geometry(const KernelMachine<T>& machine, const Rows<T>& train, std::size_t number, TabularFold& fold) {
    const auto start = Clock::now();
    enter("alignment and rank");
    const Index n = train.x.rows(), d = machine.inputs(), c = machine.outputs();
    // Beside the draws of the updates, whose steps are their numbers.
    const std::vector<Index> drawn =
        bootstrap_counts(n, std::min(n, config_.geometry_samples),
                         {static_cast<std::uint64_t>(config_.seed), Stream::bootstrap,
                          static_cast<std::uint32_t>(config_.updates), static_cast<std::uint32_t>(number)});
    std::vector<Index> rows;
    for (Index i = 0; i < n; ++i)
      if (drawn[static_cast<std::size_t>(i)] > 0) rows.push_back(i);
    const auto count = static_cast<Index>(rows.size());
    Matrix<T> taken(count, d);
    for (Index i = 0; i < count; ++i)
      std::ranges::copy(train.x.row(rows[static_cast<std::size_t>(i)]), taken.row(i).begin());

    std::vector<SingularGeometry> found(rows.size());
    machine.visit_jacobians(
        taken,
        [&](Index i, ConstView<T> jacobian) {
          found[static_cast<std::size_t>(i)] =
              singular_geometry(converted<double>(jacobian), converted<double>(taken.view().row_block(i, 1)));
        },
        ridge_.threads);
    WeightedMean rank, alignment;
    for (std::size_t i = 0; i < found.size(); ++i) {
      const Index times = drawn[static_cast<std::size_t>(rows[i])];
      rank.add(found[i].effective_rank, times);
      alignment.add(found[i].normal_alignment, times);
    }
    fold.effective_rank = rank.value();
    if (fold.effective_rank)
      fold.normalised_rank = *fold.effective_rank / static_cast<double>(std::min(c, data_.samples.inputs.cols()));
    fold.normal_alignment = alignment.value();
    result_.cost.geometry += seconds_since(start);
  }

  void take_note(const RidgeReport& report) {
    ++result_.cost.fits;
    result_.cost.in_double += report.in_double;
    result_.cost.by_iteration += report.method == RidgeMethod::conjugate_gradients;
    result_.cost.unconverged += !report.converged;
    result_.cost.residual = std::max(result_.cost.residual, report.residual);
  }
  void enter(const std::string& stage) {
    stage_ = place_ + stage;
    if (progress_) progress_(done_, steps_, stage_);
  }
  void advance() {
    ++done_;
    if (progress_) progress_(done_, steps_, stage_);
  }

  const TabularConfig& config_;
  const TabularData& data_;
  const RidgeOptions ridge_;
  const TabularProgress& progress_;
  SpanCoordinates<T> span_;      // of a wide table
  Dataset<double> coordinates_;  // its samples there
  Index steps_ = 0, done_ = 0;
  std::string place_, stage_;  // of what is being done
  TabularSelection selection_;
  Matrix<T> metric_;             // the one selected
  RidgeWorkspace<T> workspace_;  // of the refits
  TabularResult result_;
};

}  // namespace

Index tabular_steps(const TabularConfig& config, const TabularData& data) {
  const auto folds = static_cast<Index>(data.folds.size());
  const Index selections = config.protocol == nested_protocol ? folds : 1;
  return selections * selection_steps(config) + folds * (2 + static_cast<Index>(config.attack_radii.size()));
}

TabularResult tabular_run(const TabularConfig& config, const TabularData& data, const RidgeOptions& ridge,
                          const TabularProgress& progress) {
  check(config);
  if (data.samples.is_regression() && !config.attack_radii.empty())
    throw InputError(text(data.name,
                          ": attack_radii: found some for a table of targets, expected none, as attacks "
                          "change classes"));
  const auto check_fold = [&](const Fold& fold, const char* name) {
    if (fold.train.empty() || fold.test.empty())
      throw InputError(text(data.name, ": found ", fold.train.size(), " and ", fold.test.size(), " rows in a ", name,
                            ", expected some in both parts"));
  };
  if (config.protocol == published_protocol) check_fold(data.selection, "selection");
  for (const Fold& fold : data.folds) check_fold(fold, "fold");
  if (config.precision == "float32") return Run<float>(config, data, ridge, progress).result();
  return Run<double>(config, data, ridge, progress).result();
}

TensorFile tabular_model(const TabularConfig& config, const TabularData& data, const RidgeOptions& ridge,
                         const TabularProgress& progress) {
  check(config);
  if (config.precision == "float32") return Run<float>(config, data, ridge, progress).model();
  return Run<double>(config, data, ridge, progress).model();
}

}  // namespace normalign
