// MNIST and the data sets in its form, such as Fashion-MNIST, KMNIST and EMNIST.
#pragma once

#include <filesystem>
#include <vector>

#include "data/dataset.hpp"

namespace normalign {

/// Where the files are and how many of their images are taken.
struct MnistOptions {
  /// Holds train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, each
  /// plain or with .gz behind its name; where both are there the plain one is read. There may be a '.' before idx,
  /// "test" for t10k and, as EMNIST has it, one prefix before all four, as in
  /// emnist-letters-train-images-idx3-ubyte.gz; files without a prefix go before others.
  std::filesystem::path folder = {};
  Index train_samples = 0;  ///< the first so many of the training images; 0: all
  Index test_samples = 0;   ///< the first so many of the test images; 0: all
};

/// The images as rows of pixels, n x (height width), normalised as (x/255 - 0.1307)/0.3081, MNIST's mean and standard
/// deviation, computed in double and rounded once. Labels are as the files have them, and the classes are 0 to the
/// largest label of either side: 10 of MNIST; 27 of EMNIST letters, which counts from 1, so that class 0 is empty.
/// Throws InputError when the folder or a file of it is missing or there are several prefixes, when fewer images are
/// there than are asked for, when images and labels differ in number or the two sides in image size, when all labels
/// are 0, and as idx_images and idx_labels do.
template <class T>
Split<T> mnist(const MnistOptions& options);

/// The four files that `mnist` reads in that folder. Throws InputError when the folder or a file is missing.
std::vector<std::filesystem::path> mnist_files(const std::filesystem::path& folder);

}  // namespace normalign
