// Reader of IDX files, the format of MNIST and of data sets published in its form: plain or compressed by gzip.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"

namespace normalign {

/// Images of one size with one byte a pixel, as the file has them.
struct IdxImages {
  Index count = 0;
  Index height = 0;
  Index width = 0;
  std::vector<std::uint8_t> pixels;  ///< count x height x width, row by row

  /// The height * width pixels of image i.
  std::span<const std::uint8_t> image(Index i) const {
    const auto size = static_cast<std::size_t>(height * width);
    return std::span(pixels).subspan(static_cast<std::size_t>(i) * size, size);
  }
};

/// The images in an IDX file of unsigned bytes with three dimensions (magic number 2051), plain or gzip by its content,
/// whatever its name. Memory grows with what the file holds, not with what its header claims, up to 1 GiB of pixels.
/// Throws InputError, naming the file, when it cannot be read or is no regular file, on another magic number, an
/// extent of zero, more than 1 GiB, data that end early or go on behind the last pixel, and on gzip data that are
/// damaged, cut short or fail their checksum. Bytes behind a gzip stream are ignored, as gzip itself does.
IdxImages idx_images(const std::filesystem::path& path);

/// The labels in an IDX file of unsigned bytes with one dimension (magic number 2049). Otherwise as `idx_images`.
std::vector<std::uint8_t> idx_labels(const std::filesystem::path& path);

}  // namespace normalign
