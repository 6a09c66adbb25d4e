#include "data/mnist.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "data/idx.hpp"

namespace normalign {
namespace {

namespace fs = std::filesystem;

constexpr const char* hint = "pass --data DIR; `make data` downloads MNIST to data/mnist";

constexpr const char* images_ending = "-images-idx3-ubyte";
constexpr const char* labels_ending = "-labels-idx1-ubyte";

// What the sides of a data set are called in the names of its files; of the test side EMNIST has another than MNIST.
using Names = std::span<const char* const>;
constexpr const char* train_side[] = {"train"};
constexpr const char* test_side[] = {"t10k", "test"};

// The file of that standard name in one of its spellings, plain or compressed; an empty path where there is none.
fs::path find_file(const fs::path& folder, std::string name) {
  const std::size_t before_idx = name.rfind("-idx");
  for (const char separator : {'-', '.'}) {
    name[before_idx] = separator;
    for (const char* ending : {"", ".gz"})
      if (fs::path path = folder / (name + ending); fs::exists(path)) return path;
  }
  return {};
}

// What stands in front of the names of the four files, such as "emnist-letters-".
std::string prefix_in(const fs::path& folder) {
  if (!find_file(folder, text("train", images_ending)).empty()) return "";
  std::set<std::string> found;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const std::size_t length = name.rfind("train-images");
    if (length == name.npos || find_file(folder, text(name.substr(0, length), "train", images_ending)).empty())
      continue;
    found.insert(name.substr(0, length));
  }
  if (error) throw InputError(text(folder.string(), ": cannot be read: ", error.message()));
  if (found.size() > 1)
    throw InputError(text(folder.string(), ": found the files of several data sets, such as ", *found.begin(), " and ",
                          *found.rbegin(), ", expected those of one"));
  return found.empty() ? "" : *found.begin();
}

// The file whose name is the prefix, one of the sides' names, and the ending.
fs::path file_in(const fs::path& folder, const std::string& prefix, Names sides, const char* ending) {
  for (const char* side : sides)
    if (fs::path path = find_file(folder, prefix + side + ending); !path.empty()) return path;
  const std::string standard = prefix + sides.front() + ending;
  throw InputError(text(folder.string(), ": found neither ", standard, " nor ", standard, ".gz (", hint, ")"));
}

void check_folder(const fs::path& folder) {
  if (folder.empty() || !fs::is_directory(folder))
    throw InputError(
        text("data: found '", folder.string(), "', expected a folder with the files of MNIST (", hint, ")"));
}

// One side of the data as its two files have it.
struct Side {
  fs::path images_path, labels_path;
  IdxImages images;
  std::vector<std::uint8_t> labels;

  Side(const fs::path& folder, const std::string& prefix, Names sides)
      : images_path(file_in(folder, prefix, sides, images_ending)),
        labels_path(file_in(folder, prefix, sides, labels_ending)),
        images(idx_images(images_path)),
        labels(idx_labels(labels_path)) {
    const auto label_count = static_cast<Index>(labels.size());
    if (label_count != images.count)
      throw InputError(text(labels_path.string(), ": found ", label_count, " labels, expected ", images.count,
                            ", the number of images in ", images_path.filename().string()));
  }
};

template <class T>
Dataset<T> normalised(const Side& side, Index classes, Index samples, const char* field) {
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
  const std::string prefix = prefix_in(folder);
  std::vector<fs::path> files;
  for (const Names side : {Names(train_side), Names(test_side)})
    for (const char* ending : {images_ending, labels_ending}) files.push_back(file_in(folder, prefix, side, ending));
  return files;
}

template <class T>
Split<T> mnist(const MnistOptions& options) {
  check_folder(options.folder);
  const std::string prefix = prefix_in(options.folder);
  const Side train(options.folder, prefix, train_side), test(options.folder, prefix, test_side);
  if (train.images.height != test.images.height || train.images.width != test.images.width)
    throw InputError(text(test.images_path.string(), ": found images of ", test.images.height, "x", test.images.width,
                          " pixels, expected ", train.images.height, "x", train.images.width, " as in ",
                          train.images_path.filename().string()));
  const Index classes = 1 + std::max(*std::ranges::max_element(train.labels), *std::ranges::max_element(test.labels));
  if (classes < 2) throw InputError(text(train.labels_path.string(), ": found label 0 alone, expected two classes"));
  return {normalised<T>(train, classes, options.train_samples, "train_samples"),
          normalised<T>(test, classes, options.test_samples, "test_samples")};
}

template Split<float> mnist(const MnistOptions&);
template Split<double> mnist(const MnistOptions&);

}  // namespace normalign
