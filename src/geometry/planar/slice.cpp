#include "geometry/planar/slice.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/memory.hpp"
#include "geometry/planar/subdivision.hpp"
#include "linalg/blas.hpp"
#include "linalg/norm.hpp"
#include "linalg/reduce.hpp"
#include "linalg/row_blocks.hpp"

namespace normalign {
namespace {

using Word = std::uint64_t;
constexpr auto word_bits = static_cast<Index>(detail::bits_per_word);
// Regions whose maps are computed together: enough rows for a fast product, few enough for the cache.
constexpr Index regions_per_block = 512;

Index words_for(Index units) { return static_cast<Index>(detail::sign_words(static_cast<std::size_t>(units))); }

std::vector<double> row_norms(ConstView<double> a, int threads) {
  std::vector<double> result(static_cast<std::size_t>(a.rows()));
#pragma omp parallel for num_threads(threads) schedule(static)
  for (Index i = 0; i < a.rows(); ++i) result[static_cast<std::size_t>(i)] = euclidean_length(a.row(i));
  return result;
}

// z Wᵀ + b, for z as rows. There is room for the vertices that are to come: `subdivision` appends theirs, and memory
// that is never touched costs nothing.
Matrix<double> pre_activations(ConstView<double> z, const PiecewiseAffineLayer& layer, const StopPoll& stop) {
  const Index n = layer.weight.rows();
  require_memory(sizeof(double) * static_cast<double>(z.rows()) * static_cast<double>(n),
                 text("slice: ", n, " values at each of ", z.rows(), " corners of regions"));
  LargeVector<double> values;
  values.reserve(static_cast<std::size_t>(4 * z.rows() * n));
  for (Index i = 0; i < z.rows(); ++i) values.insert(values.end(), layer.bias.span().begin(), layer.bias.span().end());
  Matrix<double> t(z.rows(), n, std::move(values));
  // So many rows at a time, whole tiles of a product, make a gigaflop or more.
  constexpr Index tile_rows = 512;
  const double tile_flops = 2.0 * tile_rows * static_cast<double>(layer.weight.size());
  const Index at_a_time = tile_rows * static_cast<Index>(std::ceil(1e9 / std::max(tile_flops, 1.0)));
  for (Index first = 0, count; first < z.rows(); first += count) {
    stop.check();
    count = z.rows() - first < 2 * at_a_time ? z.rows() - first : at_a_time;
    // V x n = (V x m) (n x m)ᵀ, on top of the bias
    gemm<double>(z.row_block(first, count), layer.weight, t.view().row_block(first, count), {.b = true}, 1.0, 1.0);
  }
  return t;
}

// Beyond what a double holds nothing can be cut.
void check_finite(ConstView<double> values, Index layer) {
  if (!std::isfinite(total(values.span())))
    throw InputError(text("slice: a value of layer ", layer, " is beyond what a double holds at a corner of a region; ",
                          "weights, biases and the plane must be smaller"));
}

// When a pre-activation of this layer counts as zero at vertices with the activations z before it.
ZeroTest zero_test(const PiecewiseAffineLayer& layer, ConstView<double> z, int threads) {
  ZeroTest result{.slopes = row_norms(layer.weight, 1), .offsets = {}, .sizes = row_norms(z, threads)};
  for (const double b : layer.bias.span()) result.offsets.push_back(std::abs(b));
  return result;
}

// The weights of the layers after the first, transposed: row k is what unit k of the layer before adds to the next.
std::vector<Matrix<double>> outgoing_weights(const PiecewiseAffineNetwork& network) {
  std::vector<Matrix<double>> result;
  for (std::size_t l = 1; l < network.layers().size(); ++l)
    result.push_back(transposed(network.layers()[l].weight.view()));
  return result;
}

// The maps of a block of regions, layer by layer: three rows (the slopes along u, those along v, the offsets) for each
// group of regions that have the same code so far.
//
// Regions are in the order in which they were cut, so those of one group follow one another, and differ by few units of
// the next layer. A full product is only taken for the first of them; then each unit that flips is one rank-one update.
class GroupedMaps {
 public:
  GroupedMaps(const PiecewiseAffineNetwork& network, const std::vector<Matrix<double>>& outgoing, const Slice& slice,
              Index begin, Index end)
      : network_(network),
        outgoing_(outgoing),
        slice_(slice),
        begin_(begin),
        groups_(static_cast<std::size_t>(end - begin)) {
    Matrix<double> frame(3, network.inputs());
    std::ranges::copy(slice.plane.u.span(), frame.row(0).begin());
    std::ranges::copy(slice.plane.v.span(), frame.row(1).begin());
    std::ranges::copy(slice.plane.origin.span(), frame.row(2).begin());
    rows_ = product(frame, network.layers().front());
  }

  // The maps of f, one row of 3k for each region.
  void write(MatrixView<double> maps) {
    Index word = 0;
    for (Index l = 0; l < network_.hidden_layers(); ++l) {
      pass(l, word);
      word += words_for(network_.units(l));
    }
    const auto row_length = static_cast<std::size_t>(maps.cols());
    for (std::size_t i = 0; i < groups_.size(); ++i)
      std::copy_n(rows_.data() + groups_[i] * row_length, row_length, maps.row(static_cast<Index>(i)).begin());
  }

 private:
  // rows Wᵀ, with the bias on each third row.
  static Matrix<double> product(ConstView<double> rows, const PiecewiseAffineLayer& layer) {
    Matrix<double> result(rows.rows(), layer.weight.rows());
    for (Index i = 2; i < result.rows(); i += 3) std::ranges::copy(layer.bias.span(), result.row(i).begin());
    // 3G x n = (3G x m) (n x m)ᵀ
    gemm<double>(rows, layer.weight, result, {.b = true}, 1.0, 1.0);
    return result;
  }

  // A region's code in the layer whose codes start at that word.
  std::span<const Word> code(std::size_t i, Index word, Index words) const {
    return std::span(slice_.codes)
        .subspan(static_cast<std::size_t>((begin_ + static_cast<Index>(i)) * slice_.code_words() + word),
                 static_cast<std::size_t>(words));
  }

  // From the pre-activations of layer l to those of the next, with a group for each code of l.
  void pass(Index l, Index word) {
    struct Group {
      std::size_t from;    // the group before that it is part of
      std::size_t member;  // a region of it
      bool leads;          // gets a full product
    };
    const Index units = network_.units(l), words = words_for(units);
    std::vector<Group> groups;
    std::vector<std::size_t> group_of(groups_.size());
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      Index flips = 0;
      for (Index w = 0; i > 0 && w < words; ++w)
        flips += std::popcount(code(i, word, words)[static_cast<std::size_t>(w)] ^
                               code(i - 1, word, words)[static_cast<std::size_t>(w)]);
      const bool is_first = i == 0 || groups_[i] != groups_[i - 1];
      if (is_first || flips > 0)
        groups.push_back({.from = groups_[i], .member = i, .leads = is_first || 8 * flips > units});
      group_of[i] = groups.size() - 1;
    }

    const double slope = network_.layers()[static_cast<std::size_t>(l)].slope;
    const auto leaders = std::ranges::count_if(groups, &Group::leads);
    Matrix<double> gated(3 * leaders, units);
    Index leader = 0;
    for (const Group& group : groups)
      if (group.leads)
        gate(group.from, code(group.member, word, words), slope, gated.view().row_block(3 * leader++, 3));
    const Matrix<double> led = product(gated, network_.layers()[static_cast<std::size_t>(l) + 1]);

    Matrix<double> next(3 * static_cast<Index>(groups.size()), led.cols());
    leader = 0;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const auto at = static_cast<Index>(g);
      const MatrixView<double> own = next.view().row_block(3 * at, 3);
      if (groups[g].leads) {
        std::ranges::copy(led.view().row_block(3 * leader++, 3).span(), own.data());
      } else {
        std::ranges::copy(next.view().row_block(3 * at - 3, 3).span(), own.data());
        flip(l, groups[g].from, code(groups[g].member, word, words), code(groups[g].member - 1, word, words), own);
      }
    }
    rows_ = std::move(next);
    groups_ = std::move(group_of);
  }

  // The three rows of a group, 3 x n, after the activation.
  void gate(std::size_t group, std::span<const Word> bits, double slope, MatrixView<double> out) const {
    const MatrixView<const double> in = rows_.view().row_block(3 * static_cast<Index>(group), 3);
    for (Index k = 0; k < in.cols(); ++k) {
      const double gain = bits[static_cast<std::size_t>(k / word_bits)] >> (k % word_bits) & 1 ? 1 : slope;
      for (Index row = 0; row < 3; ++row) out(row, k) = gain * in(row, k);
    }
  }

  // rows <- what they are after the units of layer l that differ between two codes went from one to the other.
  void flip(Index l, std::size_t group, std::span<const Word> to, std::span<const Word> from,
            MatrixView<double> rows) const {
    const MatrixView<const double> in = rows_.view().row_block(3 * static_cast<Index>(group), 3);
    const Matrix<double>& outgoing = outgoing_[static_cast<std::size_t>(l)];
    const double step = 1 - network_.layers()[static_cast<std::size_t>(l)].slope;
    for (std::size_t w = 0; w < to.size(); ++w)
      for (Word bits = to[w] ^ from[w]; bits; bits &= bits - 1) {
        const Index k = static_cast<Index>(w) * word_bits + std::countr_zero(bits);
        const double change = to[w] >> (k % word_bits) & 1 ? step : -step;
        const double* weights = outgoing.row(k).data();
        for (Index row = 0; row < 3; ++row) {
          const double factor = change * in(row, k);
          double* values = rows.row(row).data();
#pragma omp simd
          for (Index j = 0; j < rows.cols(); ++j) values[j] += factor * weights[j];
        }
      }
  }

  const PiecewiseAffineNetwork& network_;
  const std::vector<Matrix<double>>& outgoing_;
  const Slice& slice_;
  Index begin_;
  std::vector<std::size_t> groups_;  // of each region of the block
  Matrix<double> rows_;
};

Matrix<double> region_maps(const PiecewiseAffineNetwork& network, const Slice& slice, int threads,
                           const StopPoll& stop) {
  const Index regions = slice.regions(), blocks = (regions + regions_per_block - 1) / regions_per_block;
  Matrix<double> maps(regions, 3 * network.outputs());
  const std::vector<Matrix<double>> outgoing = outgoing_weights(network);
  std::vector<std::exception_ptr> failures;
  parallel_for(threads, blocks, failures, [&](Index block) {
    stop.check();
    const Index begin = block * regions_per_block, end = std::min(regions, begin + regions_per_block);
    GroupedMaps(network, outgoing, slice, begin, end).write(maps.view().row_block(begin, end - begin));
  });
  return maps;
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
  return euclidean_length(maps.row(region).first(static_cast<std::size_t>(2 * outputs.cols())));
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
  check_threads("slice", options.threads);
  const ThreadLimit limit(options.threads);
  const StopPoll stop("slice", options.stop);
  Slice result{.plane = plane, .complex = one_cell(options.window)};
  Matrix<double> z = points_on(plane, result.complex.vertices);
  for (Index l = 0; l < network.hidden_layers(); ++l) {
    const PiecewiseAffineLayer& layer = network.layers()[static_cast<std::size_t>(l)];
    const Index words = result.code_words(), new_words = words_for(network.units(l));
    Matrix<double> t = pre_activations(z, layer, stop);
    check_finite(t, l);
    Subdivision cut = subdivision(result.complex, std::move(t), zero_test(layer, z, options.threads),
                                  {.layer = static_cast<std::int32_t>(l),
                                   .max_cells = options.max_regions,
                                   .threads = options.threads,
                                   .stop = stop});
    result.codes = longer_codes(result.codes, words, cut, new_words);
    result.complex = std::move(cut.complex);
    z = std::move(cut.values);
    result.units.push_back(network.units(l));
    result.regions_after_layer.push_back(result.regions());
    detail::activate(z, layer.slope);
    if (options.progress)
      options.progress({.layers_done = l + 1, .layers = network.hidden_layers(), .regions = result.regions()});
  }
  const PiecewiseAffineLayer& last = network.layers().back();
  result.outputs = pre_activations(z, last, stop);
  check_finite(result.outputs, network.hidden_layers());
  const ZeroTest zero = zero_test(last, z, options.threads);
  const double slope = *std::ranges::max_element(zero.slopes), offset = *std::ranges::max_element(zero.offsets);
  for (const double size : zero.sizes) result.rounding.push_back(1e-12 * (slope * size + offset));
  result.maps = region_maps(network, result, options.threads, stop);
  check_finite(result.maps, network.hidden_layers());
  return result;
}

}  // namespace normalign
