#include "data/mnist.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "support/catch.hpp"
#include "support/idx_files.hpp"
#include "support/message_of.hpp"
#include "support/reference.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

namespace fs = std::filesystem;

// Six training and four test images of 2 x 3 pixels.
struct SmallMnist {
  TemporaryFolder folder;
  SmallMnist() {
    write_file(folder / "train-images-idx3-ubyte", idx_images_bytes(6, 2, 3));
    write_file(folder / "train-labels-idx1-ubyte", idx_labels_bytes({0, 1, 2, 9, 4, 5}));
    write_file(folder / "t10k-images-idx3-ubyte", idx_images_bytes(4, 2, 3, 11));
    write_file(folder / "t10k-labels-idx1-ubyte", idx_labels_bytes({9, 8, 7, 6}));
  }
  std::string message(MnistOptions options = {}) const {
    options.folder = folder.path();
    const std::string found = message_of([&] { mnist<double>(options); });
    CHECK(found.find('\n') == found.npos);
    return found;
  }
};

}  // namespace

TEST_CASE("MNIST's files become normalised rows and labels, compressed or not", "[data]") {
  const SmallMnist small;
  for (const bool compressed : {false, true}) {
    CAPTURE(compressed);
    if (compressed) {
      for (const char* name : {"train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
        write_file(small.folder / (std::string(name) + ".gz"), gzipped(read_file(small.folder / name)));
        fs::remove(small.folder / name);
      }
    }
    const auto split = mnist<double>({.folder = small.folder.path()});
    REQUIRE(split.train.inputs.shape() == Shape{6, 6});
    REQUIRE(split.test.inputs.shape() == Shape{4, 6});
    CHECK(split.train.labels == std::vector<std::int32_t>{0, 1, 2, 9, 4, 5});
    CHECK(split.test.labels == std::vector<std::int32_t>{9, 8, 7, 6});
    CHECK(split.train.classes == 10);
    CHECK(split.test.classes == 10);
    for (int j = 0; j < 36; ++j)
      CHECK_THAT(split.train.inputs.span()[static_cast<std::size_t>(j)] * 0.3081 + 0.1307,
                 WithinAbs(7 * j % 256 / 255.0, 1e-15));
    for (int j = 0; j < 24; ++j)
      CHECK_THAT(split.test.inputs.span()[static_cast<std::size_t>(j)] * 0.3081 + 0.1307,
                 WithinAbs(11 * j % 256 / 255.0, 1e-15));
    const auto rounded = mnist<float>({.folder = small.folder.path()});
    for (std::size_t j = 0; j < 36; ++j)
      CHECK(rounded.train.inputs.span()[j] == static_cast<float>(split.train.inputs.span()[j]));
  }
}

TEST_CASE("there are as many classes as the labels of either side need", "[data]") {
  const SmallMnist small;
  const auto split = [&] { return mnist<double>({.folder = small.folder.path(), .train_samples = 1}); };
  write_file(small.folder / "t10k-labels-idx1-ubyte", idx_labels_bytes({26, 1, 2, 3}));
  CHECK(split().train.classes == 27);
  CHECK(split().test.classes == 27);
  CHECK(split().test.labels == std::vector<std::int32_t>{26, 1, 2, 3});
  write_file(small.folder / "train-labels-idx1-ubyte", idx_labels_bytes({1, 1, 1, 1, 1, -1}));
  CHECK(split().train.classes == 256);
  write_file(small.folder / "t10k-labels-idx1-ubyte", idx_labels_bytes({1, 0, 1, 0}));
  write_file(small.folder / "train-labels-idx1-ubyte", idx_labels_bytes({1, 0, 0, 1, 0, 1}));
  CHECK(split().train.classes == 2);
  write_file(small.folder / "t10k-labels-idx1-ubyte", idx_labels_bytes({0, 0, 0, 0}));
  write_file(small.folder / "train-labels-idx1-ubyte", idx_labels_bytes({0, 0, 0, 0, 0, 0}));
  CHECK(small.message() ==
        (small.folder / "train-labels-idx1-ubyte").string() + ": found label 0 alone, expected two classes");
}

TEST_CASE("files are found under the names of EMNIST, and with a point before idx", "[data]") {
  const std::pair<const char*, const char*> renamed[] = {
      {"train-images-idx3-ubyte", "emnist-letters-train-images-idx3-ubyte"},
      {"train-labels-idx1-ubyte", "emnist-letters-train-labels-idx1-ubyte"},
      {"t10k-images-idx3-ubyte", "emnist-letters-test-images-idx3-ubyte"},
      {"t10k-labels-idx1-ubyte", "emnist-letters-test-labels-idx1-ubyte"}};
  const SmallMnist small;
  const auto expected = mnist<double>({.folder = small.folder.path()});
  for (const auto& [from, to] : renamed) {
    write_file(small.folder / (std::string(to) + ".gz"), gzipped(read_file(small.folder / from)));
    fs::remove(small.folder / from);
  }
  const auto found = mnist<double>({.folder = small.folder.path()});
  CHECK(found.train.inputs == expected.train.inputs);
  CHECK(found.train.labels == expected.train.labels);
  CHECK(found.test.inputs == expected.test.inputs);
  CHECK(found.test.labels == expected.test.labels);

  write_file(small.folder / "emnist-digits-train-images-idx3-ubyte", idx_images_bytes(6, 2, 3));
  CHECK(small.message() == small.folder.path().string() +
                               ": found the files of several data sets, such as "
                               "emnist-digits- and emnist-letters-, expected those of one");
  fs::remove(small.folder / "emnist-digits-train-images-idx3-ubyte");
  fs::remove(small.folder / "emnist-letters-test-labels-idx1-ubyte.gz");
  CHECK(contains(small.message(), ": found neither emnist-letters-t10k-labels-idx1-ubyte nor "));

  const SmallMnist points;
  for (const char* name : {"train-images", "train-labels", "t10k-images", "t10k-labels"}) {
    const std::string ending = std::string(name).ends_with("images") ? "idx3-ubyte" : "idx1-ubyte";
    fs::rename(points.folder / text(name, '-', ending), points.folder / text(name, '.', ending));
  }
  CHECK(points.message() == "nothing was thrown");
}

TEST_CASE("where a file is there both ways the plain one is read", "[data]") {
  const SmallMnist small;
  write_file(small.folder / "t10k-labels-idx1-ubyte.gz", "not read");
  CHECK(small.message() == "nothing was thrown");
}

TEST_CASE("the first so many images of each side are taken", "[data]") {
  const SmallMnist small;
  const auto all = mnist<double>({.folder = small.folder.path()});
  const auto some = mnist<double>({.folder = small.folder.path(), .train_samples = 2, .test_samples = 4});
  CHECK(some.train.inputs == Matrix<double>(all.train.inputs.view().row_block(0, 2)));
  CHECK(some.train.labels == std::vector<std::int32_t>{0, 1});
  CHECK(some.test.inputs == all.test.inputs);
  const std::string train_file = (small.folder / "train-images-idx3-ubyte").string();
  CHECK(small.message({.train_samples = 7}) ==
        "train_samples: found 7, expected at most 6, as many as " + train_file + " holds (0: all of them)");
  CHECK(small.message({.test_samples = 5}).starts_with("test_samples: found 5, expected at most 4"));
  CHECK(small.message({.test_samples = -1}).starts_with("test_samples: found -1"));
}

TEST_CASE("a missing folder or file is refused with a hint at make data", "[data]") {
  const std::string hint = "(pass --data DIR; `make data` downloads MNIST to data/mnist)";
  CHECK(message_of([] { mnist<float>({}); }) == "data: found '', expected a folder with the files of MNIST " + hint);
  const SmallMnist small;
  const std::string file = (small.folder / "train-images-idx3-ubyte").string();
  for (const std::string& folder : {std::string("/no/such/folder"), file}) {
    const std::string message = message_of([&] { mnist<float>({.folder = folder}); });
    CHECK(message == "data: found '" + folder + "', expected a folder with the files of MNIST " + hint);
  }
  for (const char* name :
       {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
    CAPTURE(name);
    const std::string content = read_file(small.folder / name);
    fs::remove(small.folder / name);
    CHECK(small.message() == text(small.folder.path().string(), ": found neither ", name, " nor ", name, ".gz ", hint));
    write_file(small.folder / name, "nonsense");
    CHECK(small.message().starts_with((small.folder / name).string() + ": found magic number "));
    write_file(small.folder / name, content);
  }
}

TEST_CASE("images and labels that do not belong together are refused", "[data]") {
  const SmallMnist small;
  write_file(small.folder / "t10k-labels-idx1-ubyte", idx_labels_bytes({1, 2, 3}));
  CHECK(small.message() == (small.folder / "t10k-labels-idx1-ubyte").string() +
                               ": found 3 labels, expected 4, the number of images in t10k-images-idx3-ubyte");
  write_file(small.folder / "t10k-labels-idx1-ubyte", idx_labels_bytes({1, 2, 3, 4}));
  write_file(small.folder / "t10k-images-idx3-ubyte", idx_images_bytes(4, 3, 2));
  CHECK(contains(small.message(), "t10k-images-idx3-ubyte: found images of 3x2 pixels, expected 2x3"));
}

TEST_CASE("the real digits have the documented counts and MNIST's mean", "[data]") {
  const auto reference = reference_folder();
  const fs::path folder = reference ? reference->parent_path() / "mnist" : fs::path();
  if (!reference || !fs::is_directory(folder)) return skip("the real digits: ../shared/data/mnist is absent");
  const auto split = mnist<double>({.folder = folder});
  CHECK(split.train.inputs.shape() == Shape{8976, 784});
  CHECK(split.test.inputs.shape() == Shape{1024, 784});
  const auto counts = [](const Dataset<double>& data) {
    std::array<int, 10> result{};
    for (const auto label : data.labels) ++result[static_cast<std::size_t>(label)];
    return result;
  };
  CHECK(counts(split.test) == std::array<int, 10>{87, 130, 118, 108, 113, 89, 89, 102, 91, 97});
  CHECK(counts(split.train) == std::array<int, 10>{893, 1005, 914, 902, 869, 803, 869, 926, 883, 912});
  double sum = 0, squares = 0;
  for (const double value : split.train.inputs.span()) {
    sum += value;
    squares += value * value;
  }
  const double size = static_cast<double>(split.train.inputs.size());
  CHECK_THAT(sum / size, WithinAbs(0, 0.02));
  CHECK_THAT(squares / size, WithinAbs(1, 0.03));
}

}  // namespace normalign::tests
