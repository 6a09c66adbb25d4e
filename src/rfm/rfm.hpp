// Recursive Feature Machines: kernel ridge regression whose metric is learned from its own gradients (Radhakrishnan,
// Beaglehole, Pandit, Belkin, Science 383, 2024), started from the identity (RFM) or from the covariance of the data
// (RFAM, arXiv:2605.08464).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "linalg/random.hpp"
#include "rfm/kernel_machine.hpp"
#include "rfm/ridge.hpp"

namespace normalign {

/// How a machine is fitted.
struct RfmOptions {
  Kernel kernel = {};
  RidgeOptions ridge = {};  ///< its threads and its `stop` are those of everything else too
  /// Share of the identity in the first metric, from 0 to 1; the rest is the covariance. 1: RFM, 0: RFAM.
  double identity_share = 1;
  Index updates = 4;  ///< of the metric; there is one fit more than updates
  /// Training rows drawn with replacement for an update: at most n of them. 0: every row once.
  Index agop_samples = 20000;
  bool centres_gradients = false;  ///< whether an update is made of `centred_agop` in place of `agop`
  double power = 1;                ///< of that matrix, positive; 1/2 takes its square root
  std::uint64_t seed = 0;          ///< of these draws
  std::uint32_t fit = 0;           ///< the number of the fit: fits with one seed draw different rows
  /// How many inputs there are where the columns of x are fewer coordinates of them (span_coordinates.hpp): the
  /// identity has so many ones, a metric that trace. 0: as many as columns.
  Index inputs = 0;
};

/// Throws InputError naming the first option out of range.
void check(const RfmOptions& options);

/// The metric M (d x d) scaled so that its trace is `inputs`, 0 standing for d; as it is where its trace is at most
/// 1e-10.
template <class T>
Matrix<T> trace_normalised(Matrix<T> metric, Index inputs = 0);

/// (1 - identity_share) cov + identity_share I, then with trace `inputs`: cov is the covariance of the rows of x (n x
/// d, n - 1 in the denominator; 0 for a single row). The identity is that of `inputs` directions, 0 standing for d, of
/// which those beyond d are in the trace alone.
template <class T>
Matrix<T> initial_metric(ConstView<T> x, double identity_share, Index inputs = 0);

/// m to the power p: m (d x d, symmetric; its lower triangle is read) with each eigenvalue raised to p > 0. Negative
/// eigenvalues count as 0. Throws InputError unless m is square and finite, and p positive and finite.
template <class T>
Matrix<T> semidefinite_power(ConstView<T> m, double p);

/// How often each of n rows is drawn in `draws` draws with replacement.
std::vector<Index> bootstrap_counts(Index n, Index draws, RandomIntegers integers);

/// Labelled rows that decide which machine of a fit is kept.
template <class T>
struct Validation {
  ConstView<T> x;                        ///< n x d
  std::span<const std::int32_t> labels;  ///< n output numbers
};

/// A kernel machine with a metric of its own making.
template <class T>
class Rfm {
 public:
  /// Sees each machine of a fit in turn, with the number of metric updates before it and what its solution took;
  /// returns whether the fit goes on.
  using Visit = std::function<bool(Index updates, const KernelMachine<T>& machine, const RidgeReport& report)>;

  /// Throws InputError on options that `check` refuses.
  explicit Rfm(const RfmOptions& options = {});

  /// Fits to x (n x d) and y (n x c): with the initial metric, then after each of `updates` updates of it, M <-
  /// AGOP^power at the training rows drawn, with trace d. The machine of the last fit is kept.
  ///
  /// Rows may repeat, columns may be constant, d may exceed n: the metric then has a lower rank. Where the AGOP is 0,
  /// as for a constant predictor, so is the metric, and all points have distance 0. Throws InputError on a misfit, no
  /// rows, values that are not finite, or more columns than `inputs` where that is not 0; RunError and Stopped as
  /// `ridge` does.
  void fit(ConstView<T> x, ConstView<T> y, const Visit& visit = {});
  /// The same, but the machine with the best accuracy on the validation rows is kept, of equal ones the first.
  void fit(ConstView<T> x, ConstView<T> y, const Validation<T>& validation);

  /// The outputs at the rows of x (m x d): m x c. Throws InputError on a misfit.
  Matrix<T> predict(ConstView<T> x) const { return machine_.outputs_at(x, options_.ridge.threads); }
  /// The Jacobian of the outputs at x (1 x d): c x d. Throws InputError on a misfit.
  Matrix<T> jacobian(ConstView<T> x) const { return machine_.jacobian(x); }
  /// What was kept, and how many updates of the metric it had. Without outputs before a fit.
  const KernelMachine<T>& machine() const { return machine_; }
  Index updates() const { return updates_; }

 private:
  void fit(ConstView<T> x, ConstView<T> y, const Visit& visit, const StopPoll& stop);
  // The AGOP, as the options have it, of the machine at hand.
  Matrix<T> updated_metric(ConstView<T> x, const StopPoll& stop) const;

  RfmOptions options_;
  KernelMachine<T> machine_;
  Index updates_ = 0;
};

/// Per cent of the rows whose largest output (m x c, the first of equal ones) is that of their label. Throws InputError
/// on a misfit or no rows.
template <class T>
double accuracy(ConstView<T> outputs, std::span<const std::int32_t> labels);

}  // namespace normalign
