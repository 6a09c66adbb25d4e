// MNIST and the data sets in its form: Fashion-MNIST and KMNIST under the same file names.
#pragma once

#include <filesystem>
#include <vector>

#include "data/dataset.hpp"

namespace normalign {

/// Where the files are and how many of their images are taken.
struct MnistOptions {
  /// Holds train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, each
  /// plain or with .gz behind its name; where both are there the plain one is read.
  std::filesystem::path folder = {};
  Index train_samples = 0;  ///< the first so many of the training images; 0: all
  Index test_samples = 0;   ///< the first so many of the test images; 0: all
};

/// The images as rows of pixels, n x (height width), normalised as (x/255 - 0.1307)/0.3081, MNIST's mean and standard
/// deviation, computed in double and rounded once; the labels are the digits, of 10 classes. Throws InputError when
/// the folder or a file of it is missing, when fewer images are there than are asked for, when images and labels
/// differ in number or the two sides in image size, on a label above 9, and as idx_images and idx_labels do.
template <class T>
Split<T> mnist(const MnistOptions& options);

/// The four files that `mnist` reads in that folder. Throws InputError when the folder or a file is missing.
std::vector<std::filesystem::path> mnist_files(const std::filesystem::path& folder);

}  // namespace normalign
