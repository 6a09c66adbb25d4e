#include "geometry/slice.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "linalg/blas.hpp"
#include "linalg/reduce.hpp"
#include "nn/row_blocks.hpp"

namespace normalign {
namespace {

using Word = std::uint64_t;
constexpr Index word_bits = 64;
// Regions whose maps are computed together: enough rows for a fast product, few enough for the cache.
constexpr Index regions_per_block = 512;

Index words_for(Index units) { return (units + word_bits - 1) / word_bits; }

double norm(std::span<const double> a) { return std::sqrt(dot(a, a)); }

std::vector<double> row_norms(ConstView<double> a, int threads) {
  std::vector<double> result(static_cast<std::size_t>(a.rows()));
#pragma omp parallel for num_threads(threads) schedule(static)
  for (Index i = 0; i < a.rows(); ++i) result[static_cast<std::size_t>(i)] = norm(a.row(i));
  return result;
}

// z Wᵀ + b, for z as rows. There is room for the vertices that are to come: `subdivision` appends theirs, and memory
// that is never touched costs nothing.
Matrix<double> pre_activations(ConstView<double> z, const PiecewiseAffineLayer& layer) {
  const Index n = layer.weight.rows();
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(4 * z.rows() * n));
  for (Index i = 0; i < z.rows(); ++i) values.insert(values.end(), layer.bias.span().begin(), layer.bias.span().end());
  Matrix<double> t(z.rows(), n, std::move(values));
  // V x n = (V x m) (n x m)ᵀ, on top of the bias
  gemm<double>(z, layer.weight, t, {.b = true}, 1.0, 1.0);
  return t;
}

// When a pre-activation of this layer counts as zero at vertices with the activations z before it.
ZeroTest zero_test(const PiecewiseAffineLayer& layer, ConstView<double> z, int threads) {
  ZeroTest result{.slopes = row_norms(layer.weight, 1), .offsets = {}, .sizes = row_norms(z, threads)};
  for (const double b : layer.bias.span()) result.offsets.push_back(std::abs(b));
  return result;
}

// Three rows for each group of regions that have the layers so far in common: slopes along u, along v, and offsets.
class GroupedMaps {
 public:
  GroupedMaps(const PiecewiseAffineNetwork& network, const Slice& slice, Index begin, Index end)
      : network_(network), slice_(slice), begin_(begin), groups_(static_cast<std::size_t>(end - begin)) {
    Matrix<double> frame(3, network.inputs());
    std::ranges::copy(slice.plane.u.span(), frame.row(0).begin());
    std::ranges::copy(slice.plane.v.span(), frame.row(1).begin());
    std::ranges::copy(slice.plane.origin.span(), frame.row(2).begin());
    follow(frame, network.layers().front());
  }

  // The maps of f, one row of 3k for each region.
  void write(MatrixView<double> maps) {
    Index word = 0;
    for (Index l = 0; l < network_.hidden_layers(); ++l) {
      follow(gated(l, word), network_.layers()[static_cast<std::size_t>(l) + 1]);
      word += words_for(network_.units(l));
    }
    const auto row_length = static_cast<std::size_t>(maps.cols());
    for (std::size_t i = 0; i < groups_.size(); ++i)
      std::copy_n(rows_.data() + groups_[i] * row_length, row_length, maps.row(static_cast<Index>(i)).begin());
  }

 private:
  // rows_ <- rows Wᵀ, with the bias on each third row.
  void follow(ConstView<double> rows, const PiecewiseAffineLayer& layer) {
    rows_.resize(rows.rows(), layer.weight.rows());
    // 3G x n = (3G x m) (n x m)ᵀ
    gemm<double>(rows, layer.weight, rows_, {.b = true});
    for (Index i = 2; i < rows_.rows(); i += 3)
      for (Index j = 0; j < rows_.cols(); ++j) rows_(i, j) += layer.bias(0, j);
  }

  // The maps after the activation of layer l, whose codes start at that word, with a group for each code.
  Matrix<double> gated(Index l, Index word) {
    const Index units = network_.units(l), words = words_for(units);
    const double slope = network_.layers()[static_cast<std::size_t>(l)].slope;
    const auto code = [&](std::size_t i) {
      return std::span(slice_.codes)
          .subspan(static_cast<std::size_t>((begin_ + static_cast<Index>(i)) * slice_.code_words() + word),
                   static_cast<std::size_t>(words));
    };
    std::vector<std::size_t> first_members, group_of(groups_.size());
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      if (i == 0 || groups_[i] != groups_[i - 1] || !std::ranges::equal(code(i), code(i - 1)))
        first_members.push_back(i);
      group_of[i] = first_members.size() - 1;
    }
    Matrix<double> result(3 * static_cast<Index>(first_members.size()), units);
    std::vector<double> gains(static_cast<std::size_t>(units));
    for (std::size_t g = 0; g < first_members.size(); ++g) {
      const auto bits = code(first_members[g]);
      for (Index k = 0; k < units; ++k)
        gains[static_cast<std::size_t>(k)] =
            bits[static_cast<std::size_t>(k / word_bits)] >> (k % word_bits) & 1 ? 1 : slope;
      const auto from = static_cast<Index>(groups_[first_members[g]]), to = static_cast<Index>(g);
      for (Index row = 0; row < 3; ++row) {
        const double* in = rows_.row(3 * from + row).data();
        double* out = result.row(3 * to + row).data();
        for (Index k = 0; k < units; ++k) out[k] = gains[static_cast<std::size_t>(k)] * in[k];
      }
    }
    groups_ = std::move(group_of);
    return result;
  }

  const PiecewiseAffineNetwork& network_;
  const Slice& slice_;
  Index begin_;
  std::vector<std::size_t> groups_;  // of each region of the block; consecutive regions share one
  Matrix<double> rows_;
};

Matrix<double> region_maps(const PiecewiseAffineNetwork& network, const Slice& slice, int threads) {
  const Index regions = slice.regions(), blocks = (regions + regions_per_block - 1) / regions_per_block;
  Matrix<double> maps(regions, 3 * network.outputs());
  std::vector<std::exception_ptr> failures;
  parallel_for(threads, blocks, failures, [&](Index block) {
    const Index begin = block * regions_per_block, end = std::min(regions, begin + regions_per_block);
    GroupedMaps(network, slice, begin, end).write(maps.view().row_block(begin, end - begin));
  });
  return maps;
}

// What a layer without activation does to the regions: nothing, with all its units on.
Subdivision uncut(Index regions, Index words) {
  Subdivision result;
  result.parents.resize(static_cast<std::size_t>(regions));
  std::iota(result.parents.begin(), result.parents.end(), 0);
  result.signs.assign(static_cast<std::size_t>(regions * words), ~Word{0});
  return result;
}

// The codes of the cut regions: their parents' and the words of one layer more.
std::vector<Word> longer_codes(const std::vector<Word>& codes, Index words, const Subdivision& cut, Index new_words) {
  std::vector<Word> result;
  result.reserve(cut.parents.size() * static_cast<std::size_t>(words + new_words));
  for (std::size_t i = 0; i < cut.parents.size(); ++i) {
    const auto parent = codes.begin() + cut.parents[i] * words;
    result.insert(result.end(), parent, parent + words);
    const auto own = cut.signs.begin() + static_cast<Index>(i) * new_words;
    result.insert(result.end(), own, own + new_words);
  }
  return result;
}

}  // namespace

bool Slice::is_on(Index region, Index layer, Index unit) const {
  Index word = region * code_words();
  for (Index l = 0; l < layer; ++l) word += words_for(units[static_cast<std::size_t>(l)]);
  return codes[static_cast<std::size_t>(word + unit / word_bits)] >> (unit % word_bits) & 1;
}

ActivationCode Slice::code(Index region) const {
  ActivationCode result;
  for (std::size_t l = 0; l < units.size(); ++l)
    for (Index k = 0; k < units[l]; ++k) result.push_back(is_on(region, static_cast<Index>(l), k));
  return result;
}

AffineMap Slice::map(Index region) const {
  const Index k = outputs.cols();
  AffineMap result{Matrix<double>(k, 2), Matrix<double>(1, k)};
  for (Index i = 0; i < k; ++i) {
    result.slope(i, 0) = maps(region, i);
    result.slope(i, 1) = maps(region, k + i);
    result.offset(0, i) = maps(region, 2 * k + i);
  }
  return result;
}

double Slice::slope_norm(Index region) const {
  return norm(maps.row(region).first(static_cast<std::size_t>(2 * outputs.cols())));
}

Index Slice::code_words() const {
  Index words = 0;
  for (const Index n : units) words += words_for(n);
  return words;
}

Slice slice(const PiecewiseAffineNetwork& network, const Plane& plane, const SliceOptions& options) {
  const Shape row{1, network.inputs()};
  if (plane.origin.shape() != row || plane.u.shape() != row || plane.v.shape() != row)
    throw InputError(text("slice: the plane's origin, u and v are ", plane.origin.shape(), ", ", plane.u.shape(),
                          " and ", plane.v.shape(), "; they must be ", row));
  if (options.threads < 1) throw InputError(text("slice: threads is ", options.threads, "; it must be at least 1"));
  const ThreadLimit limit(options.threads);
  Slice result{.plane = plane, .complex = one_cell(options.window)};
  Matrix<double> z = points_on(plane, result.complex.vertices);
  for (Index l = 0; l < network.hidden_layers(); ++l) {
    const PiecewiseAffineLayer& layer = network.layers()[static_cast<std::size_t>(l)];
    const Index words = result.code_words(), new_words = words_for(network.units(l));
    Matrix<double> t = pre_activations(z, layer);
    if (layer.slope == 1) {
      result.codes = longer_codes(result.codes, words, uncut(result.regions(), new_words), new_words);
      z = std::move(t);
    } else {
      Subdivision cut = subdivision(
          result.complex, std::move(t), zero_test(layer, z, options.threads),
          {.layer = static_cast<std::int32_t>(l), .max_cells = options.max_regions, .threads = options.threads});
      result.codes = longer_codes(result.codes, words, cut, new_words);
      result.complex = std::move(cut.complex);
      z = std::move(cut.values);
    }
    result.units.push_back(network.units(l));
    result.regions_after_layer.push_back(result.regions());
    activate(z, layer.slope);
    if (options.progress)
      options.progress({.layers_done = l + 1, .layers = network.hidden_layers(), .regions = result.regions()});
  }
  const PiecewiseAffineLayer& last = network.layers().back();
  result.outputs = pre_activations(z, last);
  const ZeroTest zero = zero_test(last, z, options.threads);
  const double slope = *std::ranges::max_element(zero.slopes), offset = *std::ranges::max_element(zero.offsets);
  for (const double size : zero.sizes) result.rounding.push_back(1e-12 * (slope * size + offset));
  result.maps = region_maps(network, result, options.threads);
  return result;
}

}  // namespace normalign
