#include "geometry/planar/vertex_signs.hpp"

#include <algorithm>

namespace normalign::detail {

std::int32_t Vertices::crossing(std::int32_t a, std::int32_t b, std::size_t k) {
  const std::size_t at = own_.values.size();
  own_.values.resize(at + n_);
  const double *t0 = data(a, &VertexSet::values, n_), *t1 = data(b, &VertexSet::values, n_);
  double* t = own_.values.data() + at;
  const double share = zero_share(t0[k], t1[k]);
  // What is zero at both ends stays exactly zero.
  for (std::size_t j = 0; j < n_; ++j) t[j] = t0[j] + share * (t1[j] - t0[j]);
  t[k] = 0;
  const Point p = *data(a, &VertexSet::points, 1), q = *data(b, &VertexSet::points, 1);
  own_.points.push_back(between(p, q, share));
  own_.sizes.push_back(std::max(*data(a, &VertexSet::sizes, 1), *data(b, &VertexSet::sizes, 1)));
  own_.positive.resize(own_.positive.size() + words_);
  own_.negative.resize(own_.negative.size() + words_);
  classify(own_, own_.count() - 1, n_, zero_);
  return static_cast<std::int32_t>(shared_.count() + own_.count() - 1);
}

void Vertices::classify(VertexSet& set, std::size_t v, std::size_t functions, const ZeroTest& zero) {
  const std::size_t n = functions;
  const std::size_t words = sign_words(n);
  double* t = set.values.data() + v * n;
  const double size = set.sizes[v];
  for (std::size_t w = 0; w < words; ++w) {
    std::uint64_t positive = 0, negative = 0;
    const std::size_t begin = w * bits_per_word, end = std::min(n, begin + bits_per_word);
    for (std::size_t k = begin; k < end; ++k) {
      const double bound = zero.bound(size, k);
      const bool above = t[k] > bound, below = t[k] < -bound;
      positive |= static_cast<std::uint64_t>(above) << (k - begin);
      negative |= static_cast<std::uint64_t>(below) << (k - begin);
      t[k] = above || below ? t[k] : 0;
    }
    set.positive[v * words + w] = positive;
    set.negative[v * words + w] = negative;
  }
}

std::vector<std::size_t> append(VertexSet& to, std::vector<VertexSet>& blocks) {
  std::vector<std::size_t> before;
  for (VertexSet& block : blocks) {
    before.push_back(to.count());
    const auto move_to = [&](auto member) {
      (to.*member).insert((to.*member).end(), (block.*member).begin(), (block.*member).end());
      (block.*member) = {};
    };
    move_to(&VertexSet::points);
    move_to(&VertexSet::values);
    move_to(&VertexSet::sizes);
    move_to(&VertexSet::positive);
    move_to(&VertexSet::negative);
  }
  return before;
}

}  // namespace normalign::detail
