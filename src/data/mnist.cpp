#include "data/mnist.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "data/idx.hpp"
#include "linalg/error.hpp"
#include "linalg/memory.hpp"

namespace normalign {
namespace {

namespace fs = std::filesystem;

constexpr std::int32_t classes = 10;
constexpr const char* hint = "pass --data DIR; `make data` downloads MNIST to data/mnist";

// The file of that standard name, plain or compressed.
fs::path file_in(const fs::path& folder, const std::string& name) {
  for (const char* ending : {"", ".gz"})
    if (const fs::path path = folder / (name + ending); fs::exists(path)) return path;
  throw InputError(text(folder.string(), ": found neither ", name, " nor ", name, ".gz (", hint, ")"));
}

void check_folder(const fs::path& folder) {
  if (folder.empty() || !fs::is_directory(folder))
    throw InputError(
        text("data: found '", folder.string(), "', expected a folder with the files of MNIST (", hint, ")"));
}

constexpr const char* images_ending = "-images-idx3-ubyte";
constexpr const char* labels_ending = "-labels-idx1-ubyte";

// One side of the data as its two files have it.
struct Side {
  fs::path images_path, labels_path;
  IdxImages images;
  std::vector<std::uint8_t> labels;

  Side(const fs::path& folder, const std::string& prefix)
      : images_path(file_in(folder, prefix + images_ending)),
        labels_path(file_in(folder, prefix + labels_ending)),
        images(idx_images(images_path)),
        labels(idx_labels(labels_path)) {
    const auto label_count = static_cast<Index>(labels.size());
    if (label_count != images.count)
      throw InputError(text(labels_path.string(), ": found ", label_count, " labels, expected ", images.count,
                            ", the number of images in ", images_path.filename().string()));
    for (std::size_t i = 0; i < labels.size(); ++i)
      if (labels[i] >= classes)
        throw InputError(text(labels_path.string(), ": found ", int{labels[i]}, " as label ", i,
                              " (counted from 0), expected 0 to ", classes - 1));
  }
};

template <class T>
Dataset<T> normalised(const Side& side, Index samples, const char* field) {
  const IdxImages& images = side.images;
  if (samples < 0 || samples > images.count)
    throw InputError(text(field, ": found ", samples, ", expected at most ", images.count, ", as many as ",
                          side.images_path.string(), " holds (0: all of them)"));
  if (samples == 0) samples = images.count;
  std::array<T, 256> value{};
  for (std::size_t byte = 0; byte < value.size(); ++byte)
    value[byte] = static_cast<T>((static_cast<double>(byte) / 255 - 0.1307) / 0.3081);

  const Index pixels = images.height * images.width;
  require_memory(sizeof(T) * static_cast<double>(samples) * static_cast<double>(pixels),
                 text(field, ": ", samples, " images of ", pixels, " pixels"));
  Dataset<T> data{Matrix<T>(samples, pixels), {}, classes};
  data.labels.assign(side.labels.begin(), side.labels.begin() + samples);
  for (Index i = 0; i < samples; ++i)
    std::ranges::transform(images.image(i), data.inputs.row(i).begin(), [&](std::uint8_t byte) { return value[byte]; });
  return data;
}

}  // namespace

std::vector<fs::path> mnist_files(const fs::path& folder) {
  check_folder(folder);
  std::vector<fs::path> files;
  for (const char* prefix : {"train", "t10k"})
    for (const char* ending : {images_ending, labels_ending}) files.push_back(file_in(folder, text(prefix, ending)));
  return files;
}

template <class T>
Split<T> mnist(const MnistOptions& options) {
  check_folder(options.folder);
  const Side train(options.folder, "train"), test(options.folder, "t10k");
  if (train.images.height != test.images.height || train.images.width != test.images.width)
    throw InputError(text(test.images_path.string(), ": found images of ", test.images.height, "x", test.images.width,
                          " pixels, expected ", train.images.height, "x", train.images.width, " as in ",
                          train.images_path.filename().string()));
  return {normalised<T>(train, options.train_samples, "train_samples"),
          normalised<T>(test, options.test_samples, "test_samples")};
}

template Split<float> mnist(const MnistOptions&);
template Split<double> mnist(const MnistOptions&);

}  // namespace normalign
