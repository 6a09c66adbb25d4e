#include "geometry/certificates/certificate.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>

#include "geometry/certificates/boundary_search.hpp"
#include "geometry/certificates/row_space.hpp"
#include "linalg/row_blocks.hpp"

namespace normalign {
namespace {

// The network whose outputs are >= 0 just where the class is not that of x: every other output less that of the class;
// of one output, its negative where it is positive at x.
PiecewiseAffineNetwork margins(const PiecewiseAffineNetwork& network, ConstView<double> x) {
  const Matrix<double> f = network(x);
  const Index winner = std::ranges::max_element(f.span()) - f.span().begin(), k = network.outputs();
  std::vector<PiecewiseAffineLayer> layers = network.layers();
  auto& [weight, bias, slope] = layers.back();
  if (k == 1) {
    const double sign = f(0, 0) > 0 ? -1 : 1;
    for (double& value : weight.span()) value *= sign;
    bias(0, 0) *= sign;
    return PiecewiseAffineNetwork(std::move(layers));
  }
  Matrix<double> differences(k - 1, weight.cols()), offsets(1, k - 1);
  for (Index j = 0; j < k - 1; ++j) {
    const Index other = j < winner ? j : j + 1;
    for (Index i = 0; i < weight.cols(); ++i) differences(j, i) = weight(other, i) - weight(winner, i);
    offsets(0, j) = bias(0, other) - bias(0, winner);
  }
  weight = std::move(differences);
  bias = std::move(offsets);
  return PiecewiseAffineNetwork(std::move(layers));
}

}  // namespace

std::vector<Certificate> certificates(const PiecewiseAffineNetwork& network, ConstView<double> x,
                                      const CertificateOptions& options, int threads) {
  check_threads("certificates", threads);
  if (options.parts < 0 || !(options.seconds >= 0))
    throw InputError(text("certificates: parts is ", options.parts, " and seconds ", options.seconds,
                          "; they must not be negative"));
  const ConstView<double> given = options.adversarial;
  if (given.size() > 0 && given.shape() != x.shape())
    throw InputError(text("certificates: adversarial is ", given.shape(), " but x ", x.shape()));
  if (x.cols() != network.inputs())
    throw InputError(text("certificates: x is ", x.shape(), "; it must have ", network.inputs(), " columns"));
  std::optional<RowSpaceNetwork> reduced;
  if (options.norm == Norm::l2) reduced = row_space_network(network);
  std::vector<Certificate> result(static_cast<std::size_t>(x.rows()));
  std::vector<std::exception_ptr> failures;
  const auto certify = [&](Index i) {
    const Matrix<double> here(x.row_block(i, 1)), coordinates = reduced ? reduced->coordinates(here) : here;
    detail::BoundarySearch search(margins(reduced ? reduced->network : network, coordinates), coordinates,
                                  options.norm);
    if (given.size() > 0) {
      const Matrix<double> there(given.row_block(i, 1));
      if (!search.start_from(reduced ? reduced->coordinates(there) : there))
        throw InputError(text("certificates: row ", i, " of adversarial is classified as that of x is"));
    }
    search.attack();
    Certificate& found = result[static_cast<std::size_t>(i)];
    found = search.run(options.parts, options.seconds);
    if (reduced && !found.adversarial.empty()) found.adversarial = reduced->point(found.adversarial, here);
  };
  // Some take a thousand times as long as others: each thread takes the next one when it is free.
  std::atomic<Index> next = 0;
  Index done = 0;
  std::mutex one_at_a_time;
  parallel_for(threads, threads, failures, [&](Index) {
    for (Index i = next++; i < x.rows(); i = next++) {
      certify(i);
      if (!options.progress) continue;
      const std::scoped_lock lock(one_at_a_time);
      options.progress(++done);
    }
  });
  return result;
}

}  // namespace normalign
