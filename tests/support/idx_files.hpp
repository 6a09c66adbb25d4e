// IDX files put together byte by byte, plain and compressed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>

#include "support/deflated.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {

/// The header of an IDX file: magic number and extents, each 32 bits, big-endian.
inline std::string idx_header(std::initializer_list<std::uint32_t> words) {
  std::string bytes;
  for (const std::uint32_t word : words)
    for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(word >> shift & 255);
  return bytes;
}

/// An IDX file of `count` images of height x width; pixel j of the file is (factor j) mod 256.
inline std::string idx_images_bytes(std::uint32_t count, std::uint32_t height, std::uint32_t width, int factor = 7) {
  std::string bytes = idx_header({2051, count, height, width});
  for (std::uint32_t j = 0; j < count * height * width; ++j)
    bytes += static_cast<char>(j * static_cast<unsigned>(factor));
  return bytes;
}

/// An IDX file of these labels.
inline std::string idx_labels_bytes(const std::string& labels) {
  return idx_header({2049, static_cast<std::uint32_t>(labels.size())}) + labels;
}

/// The bytes as a gzip file has them.
inline std::string gzipped(const std::string& bytes) { return deflated(bytes, 9, 15 + 16); }

/// Writes the four files of a data set in MNIST's form: on either side the images and labels 0, 1, 0, 1, ... of `count`
/// digits of extent x extent pixels. The folder is made where it is missing; `factor` as in `idx_images_bytes`.
inline void write_digits(const std::filesystem::path& folder, std::uint32_t count, std::uint32_t extent,
                         int factor = 7) {
  std::filesystem::create_directories(folder);
  std::string labels;
  for (std::uint32_t i = 0; i < count; ++i) labels += static_cast<char>(i % 2);
  for (const std::string side : {"train", "t10k"}) {
    write_file(folder / (side + "-images-idx3-ubyte"), idx_images_bytes(count, extent, extent, factor));
    write_file(folder / (side + "-labels-idx1-ubyte"), idx_labels_bytes(labels));
  }
}

}  // namespace normalign::tests
