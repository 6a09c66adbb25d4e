#include "rfm/rfm.hpp"

#include <cmath>
#include <numeric>

#include "linalg/lapack.hpp"
#include "rfm/agop.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/stopping.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

double trace(const M& m) {
  double sum = 0;
  for (Index i = 0; i < m.rows(); ++i) sum += m(i, i);
  return sum;
}

// One-hot rows of labels that the values of x decide.
struct Labelled {
  M x, y;
  std::vector<std::int32_t> labels;
};

// Two classes by the sign of a noisy sum of the first two of d coordinates.
Labelled noisy_halves(Index n, Index d, std::uint64_t seed) {
  Labelled data{random_matrix({n, d}, seed), M(n, 2), {}};
  const M noise = random_matrix({n, 1}, seed + 100);
  for (Index i = 0; i < n; ++i) {
    data.labels.push_back(data.x(i, 0) + data.x(i, 1) + 0.4 * noise(i, 0) > 0);
    data.y(i, data.labels.back()) = 1;
  }
  return data;
}

// The share of the leading two eigenvectors of m within the span of the orthonormal rows of `directions`, 0 to 1.
double share_within(const M& m, const M& directions) {
  const SymmetricEigen<double> eigen = symmetric_eigen<double>(m);
  double share = 0;
  for (Index i = 0; i < 2; ++i)
    for (Index j = 0; j < 2; ++j) {
      double product = 0;
      for (Index k = 0; k < m.cols(); ++k) product += eigen.vectors(m.rows() - 1 - i, k) * directions(j, k);
      share += product * product / 2;
    }
  return share;
}

}  // namespace

TEST_CASE("the relevant directions of a multi-index model are recovered", "[rfm]") {
  // y = tanh(2 u x) (v x) for orthonormal u and v that are no coordinate axes.
  const Index n = 600, d = 12;
  const M x = random_matrix({n, d}, 1, -2, 2);
  const Svd<double> basis = svd<double>(random_matrix({2, d}, 2));
  const M& directions = basis.right;
  const M projected = naive_product(x, directions, {.b = true});
  M y(n, 1);
  for (Index i = 0; i < n; ++i) y(i, 0) = std::tanh(2 * projected(i, 0)) * projected(i, 1);
  Rfm<double> rfm({.ridge = {.regularisation = 1e-3}, .seed = 3});
  std::vector<double> shares;
  rfm.fit(x, y, [&](Index, const KernelMachine<double>& machine, const RidgeReport&) {
    shares.push_back(share_within(machine.metric(), directions));
    return true;
  });
  REQUIRE(shares.size() == 5);
  CHECK(rfm.updates() == 4);
  CHECK(shares[4] > 0.98);
  CHECK(shares[4] > shares[1]);
  // Two of twelve directions hold nearly all of the trace.
  const SymmetricEigen<double> eigen = symmetric_eigen<double>(rfm.machine().metric());
  CHECK(eigen.values[10] + eigen.values[11] > 0.9 * trace(rfm.machine().metric()));
  // And the fit is better for it, at points that it has not seen.
  const M fresh = random_matrix({300, d}, 4, -2, 2);
  const M at = naive_product(fresh, directions, {.b = true});
  Rfm<double> plain({.ridge = {.regularisation = 1e-3}, .updates = 0});
  plain.fit(x, y);
  double learned_error = 0, plain_error = 0;
  const M learned = rfm.predict(fresh), unlearned = plain.predict(fresh);
  for (Index i = 0; i < 300; ++i) {
    const double truth = std::tanh(2 * at(i, 0)) * at(i, 1);
    learned_error += std::pow(learned(i, 0) - truth, 2);
    plain_error += std::pow(unlearned(i, 0) - truth, 2);
  }
  CHECK(learned_error < 0.3 * plain_error);
}

TEST_CASE("the first metric is the identity, the covariance or between them, with trace d", "[rfm]") {
  const M x{{1, 5, 0}, {3, 5, 1}, {5, 5, 5}};
  // Covariance with n - 1 = 2: var 4, 0, 7; cov(1, 3) = 5.
  CHECK(initial_metric<double>(x, 1) == M{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}});
  const M covariance = initial_metric<double>(x, 0);
  CHECK(relative_error(covariance, M{{12.0 / 11, 0, 15.0 / 11}, {0, 0, 0}, {15.0 / 11, 0, 21.0 / 11}}) < 1e-15);
  const M blend = initial_metric<double>(x, 0.25);
  const double scale = 3 / (0.75 * 11 + 0.25 * 3);
  CHECK(relative_error(
            blend, M{{3.25 * scale, 0, 3.75 * scale}, {0, 0.25 * scale, 0}, {3.75 * scale, 0, 5.5 * scale}}) < 1e-15);
  CHECK(all_zero(initial_metric<double>(x.view().row_block(0, 1), 0)));
  // Values far from 0 keep their covariance.
  M far = x;
  for (double& value : far.span()) value += 1e6;
  CHECK(relative_error(initial_metric<double>(far, 0), covariance) < 1e-9);
  Rfm<double> rfam({.identity_share = 0, .updates = 0});
  rfam.fit(x, M{{1}, {0}, {1}});
  CHECK(rfam.machine().metric() == covariance);
}

TEST_CASE("a metric is scaled to the trace d unless its trace is next to nothing", "[rfm]") {
  CHECK(trace_normalised(M{{3, 1}, {1, 1}}) == M{{1.5, 0.5}, {0.5, 0.5}});
  CHECK(trace_normalised(M{{1e-11, 0}, {0, 8e-11}}) == M{{1e-11, 0}, {0, 8e-11}});
  CHECK_THAT(trace(trace_normalised(M{{1e-10, 0}, {0, 1e-10}})), WithinRel(2, 1e-14));
  CHECK(all_zero(trace_normalised(M(3, 3))));
}

TEST_CASE("each update is the AGOP at the rows drawn, with trace d", "[rfm]") {
  const Labelled data = noisy_halves(50, 4, 1);
  for (const Index samples : {20000, 30}) {
    Rfm<double> rfm({.updates = 2, .agop_samples = samples, .seed = 9, .fit = 5});
    std::vector<KernelMachine<double>> machines;
    rfm.fit(data.x, data.y, [&](Index updates, const KernelMachine<double>& machine, const RidgeReport&) {
      CHECK(updates == static_cast<Index>(machines.size()));
      machines.push_back(machine);
      return true;
    });
    REQUIRE(machines.size() == 3);
    for (std::uint32_t i = 0; i < 2; ++i) {
      const std::vector<Index> drawn = bootstrap_counts(50, std::min<Index>(50, samples), {9, Stream::bootstrap, i, 5});
      CHECK(relative_error(machines[i + 1].metric(), trace_normalised(agop<double>(machines[i], data.x, drawn))) <
            1e-12);
      CHECK_THAT(trace(machines[i + 1].metric()), WithinRel(4, 1e-12));
    }
  }
}

TEST_CASE("an update may take every row once, centre the gradients and take a root", "[rfm]") {
  const Labelled data = noisy_halves(40, 4, 1);
  const std::vector<Index> ones(40, 1);
  for (const bool centres : {false, true})
    for (const double power : {0.5, 1.0, 2.0}) {
      CAPTURE(centres, power);
      Rfm<double> rfm({.updates = 2, .agop_samples = 0, .centres_gradients = centres, .power = power});
      M expected;
      rfm.fit(data.x, data.y, [&](Index updates, const KernelMachine<double>& machine, const RidgeReport&) {
        if (updates > 0) CHECK(relative_error(machine.metric(), expected) <= 1e-12);
        const M products = centres ? centred_agop<double>(machine, data.x, ones) : agop<double>(machine, data.x, ones);
        expected = trace_normalised(semidefinite_power<double>(products, power));
        return true;
      });
    }
}

TEST_CASE("powers of a semi-definite matrix are its products and roots", "[rfm]") {
  for (const Index rank : {1, 3, 5}) {
    CAPTURE(rank);
    const M a = random_matrix({rank, 5}, 7);
    M m(5, 5);
    syrk<double>(a, m);
    const M root = semidefinite_power<double>(m, 0.5);
    CHECK(relative_error(naive_product(root, root), m) <= 1e-7);  // eigenvalues of rounding have large roots
    CHECK(relative_error(semidefinite_power<double>(m, 1), m) <= 1e-13);
    CHECK(relative_error(semidefinite_power<double>(m, 2), naive_product(m, m)) <= 1e-13);
    CHECK(relative_error(semidefinite_power<double>(m, 3), naive_product(m, naive_product(m, m))) <= 1e-13);
  }
  const M clipped = semidefinite_power<double>(M{{4, 0}, {0, -9}}, 0.5);
  CHECK_THAT(clipped(0, 0), WithinRel(2.0, 1e-15));
  CHECK(clipped(1, 1) == 0);
  CHECK(contains(message_of([] { semidefinite_power<double>(M(2, 3), 1); }), "m is 2x3"));
  CHECK(contains(message_of([] { semidefinite_power<double>(M(2, 2), -1); }), "p is -1"));
}

TEST_CASE("draws with replacement: as many as asked, each row equally often in the mean, other fits other draws",
          "[rfm]") {
  std::vector<double> mean(10);
  for (std::uint32_t fit = 0; fit < 2000; ++fit) {
    const std::vector<Index> counts = bootstrap_counts(10, 10, {1, Stream::bootstrap, 0, fit});
    REQUIRE(std::accumulate(counts.begin(), counts.end(), Index{0}) == 10);
    for (std::size_t i = 0; i < 10; ++i) mean[i] += static_cast<double>(counts[i]) / 2000;
  }
  // The variance of a count is 0.9: five standard errors.
  for (const double value : mean) CHECK_THAT(value, WithinAbs(1, 5 * std::sqrt(0.9 / 2000)));
  CHECK(bootstrap_counts(100, 100, {1, Stream::bootstrap, 0, 0}) !=
        bootstrap_counts(100, 100, {1, Stream::bootstrap, 0, 1}));
  CHECK(bootstrap_counts(3, 0, {1, Stream::bootstrap}) == std::vector<Index>{0, 0, 0});
}

TEST_CASE("of the machines of a fit the first with the best validation accuracy is kept", "[rfm]") {
  bool ties = false, later = false;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    CAPTURE(seed);
    const Labelled train = noisy_halves(40, 6, seed), check = noisy_halves(20, 6, seed + 50);
    const RfmOptions options{.ridge = {.regularisation = 0.1}, .seed = seed};
    Rfm<double> all(options), kept(options);
    std::vector<double> accuracies;
    std::vector<M> metrics;
    all.fit(train.x, train.y, [&](Index, const KernelMachine<double>& machine, const RidgeReport&) {
      accuracies.push_back(accuracy<double>(machine.outputs_at(check.x), check.labels));
      metrics.push_back(machine.metric());
      return true;
    });
    const auto best = std::ranges::max_element(accuracies) - accuracies.begin();
    ties = ties || std::ranges::count(accuracies, accuracies[static_cast<std::size_t>(best)]) > 1;
    later = later || best > 0;
    kept.fit(train.x, train.y, {.x = check.x, .labels = check.labels});
    CHECK(kept.updates() == best);
    CHECK(kept.machine().metric() == metrics[static_cast<std::size_t>(best)]);
    CHECK(accuracy<double>(kept.predict(check.x), check.labels) == accuracies[static_cast<std::size_t>(best)]);
  }
  CHECK(ties);
  CHECK(later);
}

TEST_CASE("a fit ends where the visitor says so", "[rfm]") {
  const Labelled data = noisy_halves(20, 3, 1);
  Rfm<double> rfm;
  rfm.fit(data.x, data.y, [](Index updates, const KernelMachine<double>&, const RidgeReport&) { return updates < 1; });
  CHECK(rfm.updates() == 1);
}

TEST_CASE("a fit has the same bits at any number of threads; in float it is nearly the same", "[rfm]") {
  const Labelled data = noisy_halves(150, 5, 2);
  const auto fitted = [&](int threads, std::uint64_t seed) {
    Rfm<double> rfm({.ridge = {.regularisation = 0.1, .threads = threads}, .identity_share = 0, .seed = seed});
    rfm.fit(data.x, data.y);
    return rfm;
  };
  const Rfm<double> one = fitted(1, 4);
  for (int threads : {2, 3}) {
    CHECK(same_bits(fitted(threads, 4).machine().metric(), one.machine().metric()));
    CHECK(same_bits(fitted(threads, 4).machine().coefficients(), one.machine().coefficients()));
  }
  CHECK(fitted(1, 5).machine().metric() != one.machine().metric());
  Rfm<float> in_float({.ridge = {.regularisation = 0.1}, .identity_share = 0, .seed = 4});
  const auto single = [](const M& values) {
    Matrix<float> result(values.rows(), values.cols());
    std::ranges::transform(values.span(), result.span().begin(), [](double v) { return static_cast<float>(v); });
    return result;
  };
  in_float.fit(single(data.x), single(data.y));
  CHECK(relative_error(in_float.predict(single(data.x)), one.predict(data.x)) < 1e-4);
  const M at(data.x.view().row_block(3, 1));
  CHECK(relative_error(one.jacobian(at), one.machine().jacobian(at)) == 0);
}

template <class T>
void check_degenerate(const char* what, const Matrix<T>& x, const Matrix<T>& y) {
  for (const double share : {1.0, 0.5, 0.0})
    for (const Kernel& kernel : {Kernel{}, Kernel{.shape = KernelShape::gaussian},
                                 Kernel{.shape = KernelShape::generalised_laplace, .bandwidth = 3, .exponent = 0.7}}) {
      CAPTURE(what, share, name_of(kernel.shape), sizeof(T));
      RfmOptions plain{.kernel = kernel, .ridge = {.regularisation = 0.1}, .identity_share = share}, centred = plain;
      centred.centres_gradients = true;
      centred.power = 0.5;
      for (const RfmOptions& options : {plain, centred}) {
        Rfm<T> rfm(options);
        rfm.fit(x, y);
        CHECK(all_finite(rfm.machine().metric()));
        CHECK(all_finite(rfm.machine().coefficients()));
        CHECK(all_finite(rfm.predict(x)));
        CHECK(all_finite(rfm.jacobian(x.view().row_block(0, 1))));
      }
    }
}

template <class T>
void check_all_degenerate() {
  const Matrix<T> x = random_matrix<T>({20, 4}, 1), y = random_matrix<T>({20, 2}, 2);
  check_degenerate<T>("plain", x, y);
  Matrix<T> repeated = x;
  for (Index i = 0; i < 10; ++i) std::ranges::copy(repeated.row(i), repeated.row(19 - i).begin());
  check_degenerate<T>("duplicate rows", repeated, y);
  Matrix<T> same = x;
  for (Index i = 1; i < 20; ++i) std::ranges::copy(same.row(0), same.row(i).begin());
  check_degenerate<T>("equal rows", same, y);
  Matrix<T> constant = x;
  for (Index i = 0; i < 20; ++i) {
    constant(i, 1) = T(0.1);
    constant(i, 3) = T(-1000.3);
  }
  check_degenerate<T>("constant columns", constant, y);
  check_degenerate<T>("more columns than rows", random_matrix<T>({5, 40}, 3), random_matrix<T>({5, 3}, 4));
  check_degenerate<T>("a single row", random_matrix<T>({1, 3}, 5), Matrix<T>{{0, 1}});
  Matrix<T> single_class(20, 3);
  for (Index i = 0; i < 20; ++i) single_class(i, 1) = 1;
  check_degenerate<T>("a single class", x, single_class);
  check_degenerate<T>("targets of zero", x, Matrix<T>(20, 2));
  check_degenerate<T>("inputs of zero", Matrix<T>(20, 3), y);
  Matrix<T> scaled = x;
  for (Index i = 0; i < 20; ++i) scaled(i, 0) *= T(1e6);
  check_degenerate<T>("columns of other scales", scaled, y);
}

TEST_CASE("degenerate data give finite machines", "[rfm]") {
  check_all_degenerate<double>();
  check_all_degenerate<float>();
}

TEST_CASE("accuracy is per cent of the rows, the first of equal outputs counts", "[rfm]") {
  const M outputs{{1, 2, 0}, {3, 3, 1}, {0, -1, 0}, {1, 1, 5}};
  CHECK(accuracy<double>(outputs, std::vector<std::int32_t>{1, 0, 0, 2}) == 100);
  CHECK(accuracy<double>(outputs, std::vector<std::int32_t>{1, 1, 2, 2}) == 50);
  CHECK(message_of([&] { accuracy<double>(outputs, std::vector<std::int32_t>{1}); }) ==
        "accuracy: outputs are 4x3 and there are 1 labels; there must be a row and one label per row");
  CHECK(contains(message_of([] { accuracy<double>(M(0, 3), {}); }), "outputs are 0x3 and there are 0 labels"));
}

TEST_CASE("data and options that make no fit are refused", "[rfm]") {
  const auto refusal = [](const RfmOptions& options) { return message_of([&] { Rfm<double> rfm(options); }); };
  CHECK(refusal({}) == "nothing was thrown");
  CHECK(refusal({.identity_share = 1.5}) == "Rfm: identity_share is 1.5; it must be from 0 to 1");
  CHECK(contains(refusal({.identity_share = std::nan("")}), "identity_share is nan"));
  CHECK(refusal({.updates = -1}) == "Rfm: updates is -1; it must not be negative");
  CHECK(refusal({.agop_samples = -1}) == "Rfm: agop_samples is -1; it must not be negative");
  CHECK(refusal({.power = 0}) == "Rfm: power is 0; it must be positive and finite");
  CHECK(contains(refusal({.ridge = {.threads = 0}}), "threads is 0"));
  CHECK(contains(refusal({.kernel = {.bandwidth = 0}}), "bandwidth is 0"));
  Rfm<double> rfm;
  CHECK(message_of([&] { rfm.fit(M(3, 2), M(2, 1)); }) ==
        "Rfm: x is 3x2 and y is 2x1; both must have one row per sample");
  CHECK(contains(message_of([&] { rfm.fit(M(0, 2), M(0, 1)); }), "x is 0x2"));
  CHECK(message_of([&] { rfm.fit(M{{1}, {std::nan("")}}, M(2, 1)); }) == "Rfm: x holds nan; it must be finite");
  CHECK(message_of([&] { rfm.fit(M(2, 1), M{{1}, {INFINITY}}); }) == "Rfm: y holds inf; it must be finite");
  // Before a fit there are no outputs.
  CHECK(rfm.machine().outputs() == 0);
}

TEST_CASE("a fit ends when stopped, whatever it is at, and has the same bits when it is not", "[rfm]") {
  const M x = random_matrix({3000, 60}, 1), y = random_matrix({3000, 3}, 2);
  const std::vector<std::int32_t> labels(3000);
  for (const int threads : {1, 3}) {
    const auto fit = [&](const std::function<bool()>& stop, bool validates) {
      Rfm<double> rfm({.ridge = {.threads = threads, .stop = stop}, .updates = 1000});
      if (validates)
        rfm.fit(x, y, Validation<double>{.x = x, .labels = labels});
      else
        rfm.fit(x, y);
    };
    check_stops("Rfm", [&](const std::function<bool()>& stop) { fit(stop, false); });
    check_stops("Rfm", [&](const std::function<bool()>& stop) { fit(stop, true); });
  }
  const M few = random_matrix({200, 5}, 3), values = random_matrix({200, 2}, 4);
  Rfm<double> plain({.updates = 2}), asked({.ridge = {.stop = goes_on}, .updates = 2});
  plain.fit(few, values);
  asked.fit(few, values);
  CHECK(same_bits(plain.machine().coefficients(), asked.machine().coefficients()));
}

}  // namespace normalign::tests
