#include "geometry/certificates/certificate.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>

#include "geometry/certificates/boundary_search.hpp"
#include "geometry/certificates/row_space.hpp"
#include "linalg/row_blocks.hpp"

namespace normalign {
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
  const StopPoll stop("certificates", options.stop);
  std::optional<RowSpaceNetwork> reduced;
  if (options.norm == Norm::l2) reduced = row_space_network(network);
  if (reduced && reduced->basis.rows() == network.inputs()) reduced.reset();
  std::vector<Certificate> result(static_cast<std::size_t>(x.rows()));
  std::vector<std::exception_ptr> failures;
  const auto certify = [&](Index i) {
    stop.check();
    const detail::CentredMargins margins(network, reduced ? &*reduced : nullptr, x.row_block(i, 1));
    detail::BoundarySearch search(margins, x.row_block(i, 1), options.norm, options.seconds, stop);
    if (given.size() > 0 && !search.start_from(given.row_block(i, 1)))
      throw InputError(text("certificates: row ", i, " of adversarial is classified as that of x is"));
    search.attack();
    result[static_cast<std::size_t>(i)] = search.run(options.parts);
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
