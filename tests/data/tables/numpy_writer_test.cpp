#include "data/tables/numpy_writer.hpp"

#include <cmath>
#include <fstream>
#include <limits>
#include <numeric>

#include "base/infinity.hpp"
#include "data/tables/numpy.hpp"
#include "data/tables/zip.hpp"
#include "support/catch.hpp"
#include "support/file_size_limit.hpp"
#include "support/message_of.hpp"
#include "support/python.hpp"

namespace normalign::tests {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

template <class T>
void add(NpzWriter& file, const std::string& name, const std::vector<Index>& shape, const std::vector<T>& values) {
  file.add(name, shape, std::span<const T>(values));
}

// An archive with arrays of every type.
void write_all_types(const std::filesystem::path& path) {
  NpzWriter file(path);
  add<double>(file, "numbers", {2, 1, 3}, {0.1, -0.0, 1e-320, nan, infinity, -infinity});
  add<std::int32_t>(file, "a/small", {2}, {-2'147'483'647 - 1, 2'147'483'647});
  add<std::int64_t>(file, "large", {2, 1}, {-(std::int64_t{1} << 53), std::int64_t{1} << 60});
  add<std::uint8_t>(file, "true", {1, 3}, {1, 0, 1});
  add<std::string>(file, "texts", {4}, {"", "na\xC3\xAFve", "\xF0\x9F\x98\x80", "a\xFF"});
  add<double>(file, "single", {}, {2.5});
  add<double>(file, "\xC3\xA9 none", {0, 3}, {});
  add<std::string>(file, "no texts", {0}, {});
  file.finish();
}

TEST_CASE("arrays that are written are those that are read") {
  const TemporaryFolder folder;
  write_all_types(folder / "a.npz");
  const std::vector<NumpyArray> read = numpy_arrays(folder / "a.npz");
  REQUIRE(read.size() == 8);
  CHECK(read[0].name == "numbers");
  CHECK(read[0].shape == std::vector<Index>{2, 1, 3});
  const auto numbers = read[0].numbers.span();
  CHECK(numbers[0] == 0.1);
  CHECK(std::signbit(numbers[1]));
  CHECK(numbers[2] == 1e-320);
  CHECK(std::isnan(numbers[3]));
  CHECK(numbers[4] == infinity);
  CHECK(numbers[5] == -infinity);
  CHECK(read[1].name == "a/small");
  CHECK(read[1].numbers == Matrix<double>{{-2147483648.0}, {2147483647.0}});
  CHECK(read[2].numbers == Matrix<double>{{-0x1p53}, {0x1p60}});
  CHECK(read[3].numbers == Matrix<double>{{1, 0, 1}});
  CHECK(read[4].texts == std::vector<std::string>{"", "na\xC3\xAFve", "\xF0\x9F\x98\x80", "a\xEF\xBF\xBD"});
  CHECK(read[5].shape.empty());
  CHECK(read[5].numbers == Matrix<double>{{2.5}});
  CHECK(read[6].name == "\xC3\xA9 none");
  CHECK(read[6].shape == std::vector<Index>{0, 3});
  CHECK(read[7].shape == std::vector<Index>{0});
  // The same arrays, the same bytes.
  write_all_types(folder / "b.npz");
  CHECK(read_file(folder / "a.npz") == read_file(folder / "b.npz"));
}

TEST_CASE("NumPy reads what is written, and finds no damage") {
  if (without_numpy()) return;
  const TemporaryFolder folder;
  write_all_types(folder / "a.npz");
  CHECK(numpy_says(R"(
import zipfile
assert zipfile.ZipFile(sys.argv[1]).testzip() is None
with np.load(sys.argv[1]) as file:
  for name in file: print(name, file[name].dtype, file[name].shape, file[name].tolist())
)",
                   {(folder / "a.npz").string()}) ==
        "numbers float64 (2, 1, 3) [[[0.1, -0.0, 1e-320]], [[nan, inf, -inf]]]\n"
        "a/small int32 (2,) [-2147483648, 2147483647]\n"
        "large int64 (2, 1) [[-9007199254740992], [1152921504606846976]]\n"
        "true bool (1, 3) [[True, False, True]]\n"
        "texts <U5 (4,) ['', 'na\xC3\xAFve', '\xF0\x9F\x98\x80', 'a\xEF\xBF\xBD']\n"
        "single float64 () 2.5\n"
        "\xC3\xA9 none float64 (0, 3) []\n"
        "no texts <U1 (0,) []\n");
}

TEST_CASE("rows that are filled in by blocks are the array as it would be in one piece") {
  const TemporaryFolder folder;
  const Index n = 70, width = 128 * 1024;  // 1 MB a row
  std::vector<double> values(static_cast<std::size_t>(n * width));
  std::iota(values.begin(), values.end(), 0.5);
  {
    NpzWriter file(folder / "whole.npz");
    add<double>(file, "a", {n, 128, 1024}, values);
    add<double>(file, "none", {0, 5}, {});
    file.finish();
  }
  std::vector<Index> firsts;
  {
    NpzWriter file(folder / "rows.npz");
    const auto fill = [&](Index first, MatrixView<double> rows) {
      firsts.push_back(first);
      std::copy_n(values.begin() + first * width, rows.size(), rows.data());
    };
    file.add_rows("a", {n, 128, 1024}, fill);
    file.add_rows("none", {0, 5}, fill);
    file.finish();
  }
  CHECK(firsts == std::vector<Index>{0, 32, 64});
  const bool is_same = read_file(folder / "rows.npz") == read_file(folder / "whole.npz");
  CHECK(is_same);
  CHECK(numpy_arrays(folder / "rows.npz")[0].numbers.span().back() == values.back());
}

TEST_CASE("an archive that is not completed is not there, and the former one stays") {
  const TemporaryFolder folder;
  write_file(folder / "a.npz", "former");
  {
    NpzWriter file(folder / "a.npz");
    add<double>(file, "a", {1}, {1});
  }
  CHECK(read_file(folder / "a.npz") == "former");
  {
    const FileSizeLimit full(1000);
    NpzWriter file(folder / "a.npz");
    const std::string message =
        message_of<StorageError>([&] { add<double>(file, "a", {1000}, std::vector<double>(1000)); });
    CHECK(message.starts_with((folder / "a.npz").string() + ": cannot be written: "));
  }
  CHECK(read_file(folder / "a.npz") == "former");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("what cannot be an array, and a path that is no file's, are refused") {
  const TemporaryFolder folder;
  NpzWriter file(folder / "a.npz");
  add<double>(file, "a", {1}, {1});
  const auto refused = [&](const std::string& name, const std::vector<Index>& shape) {
    return message_of([&] { add<double>(file, name, shape, {1, 2, 3}); });
  };
  CHECK(refused("a", {3}) == "a: found a second array of that name, expected one");
  CHECK(refused("", {3}) == "array: found a name of 0 bytes, expected 1 to 65531");
  CHECK(refused("b", {2, 2}) == "b: found 3 values, expected 4 of shape (2, 2)");
  CHECK(refused("b", {}) == "b: found 3 values, expected 1 of shape ()");
  CHECK(refused("b", {-3}) == "b: found shape (-3,), expected no negative extent");
  CHECK(contains(refused("b", {Index{1} << 62, 4}), "b: found shape (4611686018427387904, 4), expected at most"));
  CHECK(message_of([&] { file.add_rows("b", {}, [](Index, MatrixView<double>) {}); }) ==
        "b: found shape (), expected a dimension that counts rows");
  add<double>(file, "b", {3}, {1, 2, 3});
  file.finish();
  CHECK(numpy_arrays(folder / "a.npz").size() == 2);
  CHECK(message_of([&] { NpzWriter(folder.path()); }) ==
        folder.path().string() + ": found a folder, a pipe or a device, expected a regular file");
  CHECK(message_of([] { NpzWriter("/dev/null"); }) ==
        "/dev/null: found a folder, a pipe or a device, expected a regular file");
  CHECK(message_of([&] { NpzWriter(folder / "none" / "a.npz"); }) ==
        (folder / "none" / "a.npz").string() + ": cannot be written: No such file or directory");
}

}  // namespace
}  // namespace normalign::tests
