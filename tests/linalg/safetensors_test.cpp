#include "linalg/safetensors.hpp"

#include <unistd.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <numeric>

#include "base/atomic_file.hpp"
#include "support/catch.hpp"
#include "support/file_size_limit.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

namespace fs = std::filesystem;

// A folder of this test's own, removed at its end.
struct Folder {
  fs::path path = fs::temp_directory_path() / text("normalign_safetensors_", ::getpid());
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
};

template <class Number>
std::string bytes_of(std::initializer_list<Number> numbers) {
  return {reinterpret_cast<const char*>(numbers.begin()), numbers.size() * sizeof(Number)};
}

std::string file_bytes(const std::string& header, const std::string& data) {
  return bytes_of<std::uint64_t>({header.size()}) + header + data;
}

void put(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// What reading refuses with; empty when it does not.
std::string refusal(const fs::path& path) {
  try {
    read_safetensors(path);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

const std::string good_header =
    R"({"__metadata__":{"made":"by hand"},"w":{"dtype":"F64","shape":[1,2],"data_offsets":[0,16]},)"
    R"("b":{"dtype":"F32","shape":[3],"data_offsets":[16,28]}})";
const std::string good_data = bytes_of<double>({0.5, -2}) + bytes_of<float>({1, 2, 3});

}  // namespace

TEST_CASE("a file comes back as it was written", "[safetensors]") {
  const Folder folder;
  const fs::path path = folder.path / "model.safetensors";
  const float infinity = std::numeric_limits<float>::infinity();
  TensorFile file;
  file.tensors["0.weight"] = {Matrix<float>{{1, -2.5f, 3}, {-0.0f, infinity, 1e-40f}}};
  file.tensors["0.bias"] = {Matrix<float>{{7, 8, 9}}, true};
  file.tensors["1.weight"] = {Matrix<double>{{1.0 / 3}, {1e300}, {-1e-310}}};
  file.tensors["row, not vector"] = {Matrix<double>{{1, 2}}};
  file.tensors["no rows"] = {Matrix<float>(0, 5)};
  file.tensors["no columns"] = {Matrix<double>(4, 0)};
  file.tensors["no values"] = {Matrix<double>(1, 0), true};
  file.tensors["quote \" and \n and \u00e9"] = {Matrix<float>{{1}}};
  file.metadata = {{"format", "pt"}, {"a \"key\"", "a\nvalue"}, {"empty", ""}};
  write_safetensors(path, file);

  const TensorFile back = read_safetensors(path);
  CHECK(back.metadata == file.metadata);
  REQUIRE(back.tensors.size() == file.tensors.size());
  for (const auto& [name, tensor] : file.tensors) {
    CAPTURE(name);
    REQUIRE(back.tensors.count(name) == 1);
    CHECK(back.tensors.at(name).is_vector == tensor.is_vector);
    CHECK(back.tensors.at(name).values == tensor.values);
  }
  CHECK(std::signbit(std::get<Matrix<float>>(back.tensors.at("0.weight").values)(1, 0)));
}

TEST_CASE("a file without tensors comes back", "[safetensors]") {
  const Folder folder;
  write_safetensors(folder.path / "none", {});
  CHECK(contents(folder.path / "none") == file_bytes("{}      ", ""));
  const TensorFile back = read_safetensors(folder.path / "none");
  CHECK(back.tensors.empty());
  CHECK(back.metadata.empty());
}

TEST_CASE("the bytes written are those of the format", "[safetensors]") {
  const Folder folder;
  const fs::path path = folder.path / "bytes";
  TensorFile file;
  file.tensors["b"] = {Matrix<float>{{1, 2, 3}}, true};
  file.tensors["w"] = {Matrix<double>{{0.5, -2}}};
  file.metadata["made"] = "by hand";
  write_safetensors(path, file);
  std::string header = good_header;
  while (header.size() % 8 != 0) header += ' ';
  CHECK(contents(path) == file_bytes(header, good_data));
}

TEST_CASE("a hand-made file is read, unaligned data and unknown keys included", "[safetensors]") {
  const Folder folder;
  const fs::path path = folder.path / "hand";
  put(path, file_bytes(R"({"b":{"shape":[1],"dtype":"F32","data_offsets":[0,4]},"w":{"data_offsets":[4,20],)"
                       R"("dtype":"F64","shape":[2,1],"more":null}} )",
                       bytes_of<float>({1.5f}) + bytes_of<double>({0.25, -3})));
  const TensorFile file = read_safetensors(path);
  REQUIRE(file.tensors.size() == 2);
  CHECK(file.tensors.at("b").is_vector);
  CHECK(std::get<Matrix<float>>(file.tensors.at("b").values) == Matrix<float>{{1.5f}});
  CHECK_FALSE(file.tensors.at("w").is_vector);
  CHECK(std::get<Matrix<double>>(file.tensors.at("w").values) == Matrix<double>{{0.25}, {-3}});
}

TEST_CASE("values_as converts between the two types", "[safetensors]") {
  const Tensor doubles{Matrix<double>{{0.1, 2}}};
  const Tensor floats{Matrix<float>{{0.1f, 2}}};
  CHECK(values_as<double>(doubles) == Matrix<double>{{0.1, 2}});
  CHECK(values_as<float>(doubles) == Matrix<float>{{0.1f, 2}});
  CHECK(values_as<double>(floats) == Matrix<double>{{double{0.1f}, 2}});
  CHECK(values_as<float>(floats) == Matrix<float>{{0.1f, 2}});
}

// The float of each number of two bytes, as a file of one tensor of this type has it.
Matrix<float> halves(const fs::path& path, const char* dtype, const std::vector<std::uint16_t>& bits) {
  put(path, file_bytes(text(R"({"t":{"dtype":")", dtype, R"(","shape":[)", bits.size(), R"(],"data_offsets":[0,)",
                            2 * bits.size(), "]}}"),
                       {reinterpret_cast<const char*>(bits.data()), 2 * bits.size()}));
  return std::get<Matrix<float>>(read_safetensors(path).tensors.at("t").values);
}

TEST_CASE("every F16 is read exactly: sign, powers of two, steps between them", "[safetensors]") {
  const Folder folder;
  std::vector<std::uint16_t> bits(65536);
  std::iota(bits.begin(), bits.end(), std::uint16_t{0});
  const Matrix<float> values = halves(folder.path / "halves", "F16", bits);
  const auto at = [&](int i) { return values(0, i); };
  CHECK((at(0) == 0 && !std::signbit(at(0))));
  CHECK((at(0x8000) == 0 && std::signbit(at(0x8000))));
  CHECK(at(1) == std::ldexp(1.0f, -24));          // the least
  CHECK(at(0x03ff) == std::ldexp(1023.0f, -24));  // the largest subnormal
  CHECK(at(0x0400) == std::ldexp(1.0f, -14));     // the least normal
  CHECK((at(0x3c00) == 1 && at(0x3555) == 0.333251953125f && at(0xc000) == -2));
  CHECK(at(0x7bff) == 65504);  // the largest
  CHECK(at(0x7c00) == std::numeric_limits<float>::infinity());
  for (int i = 0; i < 0x7c00; ++i) {
    // Numbers of one sign ascend with their bits, and no float of 11 bits lies between two of them.
    if (i > 0) REQUIRE(at(i) - at(i - 1) == std::ldexp(1.0f, std::max(i - 1, 0x400) / 0x400 - 25));
    REQUIRE(at(0x8000 + i) == -at(i));
  }
  for (int i = 0x7c01; i < 0x8000; ++i) REQUIRE((std::isnan(at(i)) && std::isnan(at(0x8000 + i))));
  CHECK(at(0xfc00) == -std::numeric_limits<float>::infinity());
}

TEST_CASE("every BF16 is the float whose upper half it is", "[safetensors]") {
  const Folder folder;
  std::vector<std::uint16_t> bits(65536);
  std::iota(bits.begin(), bits.end(), std::uint16_t{0});
  const Matrix<float> values = halves(folder.path / "halves", "BF16", bits);
  for (std::uint32_t i = 0; i < 65536; ++i) {
    std::uint32_t found = 0;
    std::memcpy(&found, &values.span()[i], 4);
    REQUIRE(found == i << 16);
  }
  CHECK(values(0, 0x3f80) == 1);
  CHECK(values(0, 0x4049) == 3.140625f);
  CHECK(values(0, 1) == std::ldexp(1.0f, -133));  // a subnormal float
}

TEST_CASE("tensors of two bytes a value lie among others, and may be empty", "[safetensors]") {
  const Folder folder;
  const fs::path path = folder.path / "mixed";
  put(path, file_bytes(R"({"h":{"dtype":"F16","shape":[3,1],"data_offsets":[0,6]},)"
                       R"("none":{"dtype":"BF16","shape":[4000000000000000000,0],"data_offsets":[6,6]},)"
                       R"("w":{"dtype":"F64","shape":[1],"data_offsets":[6,14]}})",
                       bytes_of<std::uint16_t>({0x3c00, 0x4000, 0xb800}) + bytes_of<double>({0.1})));
  const TensorFile file = read_safetensors(path);
  CHECK(std::get<Matrix<float>>(file.tensors.at("h").values) == Matrix<float>{{1}, {2}, {-0.5f}});
  CHECK(values_as<double>(file.tensors.at("none")).shape() == Shape{4'000'000'000'000'000'000, 0});
  CHECK(values_as<double>(file.tensors.at("w")) == Matrix<double>{{0.1}});
  CHECK(file.tensors.at("w").is_vector);
}

TEST_CASE("a file of torch.save is refused with how to save it", "[safetensors]") {
  const Folder folder;
  const auto is_told = [&](const char* name, const std::string& bytes) {
    put(folder.path / name, bytes);
    const std::string message = refusal(folder.path / name);
    CHECK_FALSE(contains(message, "\n"));
    return contains(message, std::string(name) + ": found a file of torch.save or pickle, expected safetensors") &&
           contains(message, "save_file(model.state_dict(), \"net.safetensors\")");
  };
  const std::string zip = std::string("PK\x03\x04\0\0\x08\x08\0\0\0\0\0\0\0\0", 16) + "archive/data.pkl";
  const std::string legacy = std::string("\x80\x02\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.", 22);
  const std::string pickle = std::string("\x80\x04\x95\x1a\0\0\0\0\0\0\0}\x94.", 14);
  for (const std::string& bytes : {zip, legacy, pickle})
    for (const char* name : {"net.pt", "net.safetensors", "net"}) CHECK(is_told(name, bytes));
  for (const char* name : {"a.pt", "a.pth", "a.ckpt"})
    for (const std::string& bytes : {std::string(), std::string("what"), std::string(100, 'x'), std::string(100, '\0')})
      CHECK(is_told(name, bytes));
  CHECK_FALSE(is_told("a.safetensors", std::string(100, 'x')));
  // By any name a file of the format is one.
  put(folder.path / "good.pt", file_bytes(good_header, good_data));
  CHECK(refusal(folder.path / "good.pt").empty());
}

TEST_CASE("a tensor that is none of ours is refused with those that the file holds", "[safetensors]") {
  const Folder folder;
  const fs::path path = folder.path / "net";
  const auto names = [](int layers) {
    std::string header = R"({"__metadata__":{"format":"pt"},"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]})";
    for (int i = 0; i < layers; ++i)
      header += text(R"(,"l)", i, R"(":{"dtype":"F32","shape":[0],"data_offsets":[8,8]})");
    return file_bytes(header + "}", std::string(8, '\0'));
  };
  put(path, names(2));
  CHECK(refusal(path) == path.string() +
                             ": tensor \"n\": found dtype \"I64\" and shape [], expected F64, F32, F16 or BF16 and "
                             "one or two dimensions; the file holds l0, l1, n");
  put(path, names(12));
  CHECK(contains(refusal(path), "; the file holds l0, l1, l2, l3, l4, l5, l6, l7 and 5 more"));
}

TEST_CASE("malformed files are refused by name and reason", "[safetensors]") {
  const Folder folder;
  const fs::path path = folder.path / "malformed.safetensors";
  struct Case {
    std::string bytes;
    std::string word;
  };
  // One tensor "t" of the given description with `size` bytes of data.
  const auto tensor = [](const std::string& description, std::size_t size) {
    return file_bytes(R"({"t":)" + description + "}", std::string(size, '\0'));
  };
  const std::string two_to_64 = "18446744073709551616";
  const Case cases[] = {
      {"", "0 bytes"},
      {"1234567", "7 bytes"},
      {bytes_of<std::uint64_t>({100'000'001}) + "{}", "at most 100000000"},
      {bytes_of<std::uint64_t>({~std::uint64_t{0}}) + "{}", "at most 100000000"},
      {bytes_of<std::uint64_t>({3}) + "{}", "only 2 follow"},
      {file_bytes("", ""), "starts with '{'"},
      {file_bytes("[]", ""), "starts with '{'"},
      {file_bytes(" {}", ""), "starts with '{'"},
      {file_bytes("{", ""), "not JSON"},
      {file_bytes("{}}", ""), "not JSON"},
      {file_bytes("{\"\xff\":1}", ""), "not JSON"},
      {file_bytes("{\"t\":" + std::string(1'000'000, '['), ""), "nested"},
      {file_bytes("{\"t\":" + std::string(1'000'000, '[') + std::string(1'000'000, ']') + "}", ""), "nested"},
      {file_bytes("{\"t\":[[[[[[[[[[]]]]]]]]]]}", ""), "tensor \"t\": the description is [[[[[[[[[["},
      {file_bytes(R"({"t":1,"t":1})", ""), "\"t\": found twice"},
      {file_bytes(R"({"__metadata__":[]})", ""), "__metadata__ is []"},
      {file_bytes(R"({"__metadata__":{"k":1}})", ""), "\"k\" is 1"},
      {file_bytes("{}", "x"), "trailing"},
      {tensor("[]", 0), "expected a JSON object"},
      {tensor(R"({"shape":[1],"data_offsets":[0,4]})", 4), "dtype is missing"},
      {tensor(R"({"dtype":"F32","data_offsets":[0,4]})", 4), "shape is missing"},
      {tensor(R"({"dtype":"F32","shape":[1]})", 4), "data_offsets is missing"},
      {tensor(R"({"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]})", 4), "\"dtype\": found twice"},
      {tensor(R"({"dtype":"I64","shape":[1],"data_offsets":[0,8]})", 8), "found dtype \"I64\" and shape [1], expected"},
      {tensor(R"({"dtype":32,"shape":[1],"data_offsets":[0,4]})", 4), "found dtype 32 and"},
      {tensor(R"({"dtype":"F32","shape":[],"data_offsets":[0,4]})", 4), "one or two dimensions"},
      {tensor(R"({"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]})", 4), "found dtype \"F8_E4M3\" and shape [4]"},
      {tensor(R"({"dtype":"F16","shape":[3],"data_offsets":[0,4]})", 4), "takes 6"},
      {tensor(R"({"dtype":"BF16","shape":[1],"data_offsets":[0,4]})", 4), "takes 2"},
      {tensor(R"({"dtype":"F16","shape":[4611686018427387905],"data_offsets":[0,2]})", 2), "overflows"},
      {tensor(R"({"dtype":"F32","shape":[1,1,1],"data_offsets":[0,4]})", 4), "one or two dimensions"},
      {tensor(R"({"dtype":"F32","shape":1,"data_offsets":[0,4]})", 4), "shape is 1;"},
      {tensor(R"({"dtype":"F32","shape":{"a":1},"data_offsets":[0,4]})", 4), "array of whole numbers"},
      {tensor(R"({"dtype":"F32","shape":["1"],"data_offsets":[0,4]})", 4), "array of whole numbers"},
      {tensor(R"({"dtype":"F32","shape":[-1],"data_offsets":[0,4]})", 4), "array of whole numbers"},
      {tensor(R"({"dtype":"F32","shape":[1.0],"data_offsets":[0,4]})", 4), "array of whole numbers"},
      {tensor(R"({"dtype":"F32","shape":[)" + two_to_64 + R"(],"data_offsets":[0,4]})", 4), "whole numbers"},
      {tensor(R"({"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]})", 4), "overflows"},
      {tensor(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]})", 0), "overflows"},
      {tensor(R"({"dtype":"F64","shape":[0,18446744073709551615],"data_offsets":[0,0]})", 0), "overflows"},
      {tensor(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4,4]})", 4), "[begin, end]"},
      {tensor(R"({"dtype":"F32","shape":[1],"data_offsets":[4]})", 4), "[begin, end]"},
      {tensor(R"({"dtype":"F32","shape":[1],"data_offsets":[4,0]})", 4), "begin <= end"},
      {tensor(R"({"dtype":"F32","shape":[1],"data_offsets":[0,null]})", 4), "array of whole numbers"},
      {tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})", 7), "holds 7 bytes"},
      {tensor(R"({"dtype":"F32","shape":[1],"data_offsets":[18446744073709551615,18446744073709551615]})", 4),
       "holds 4 bytes"},
      {tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})", 4), "takes 8"},
      {tensor(R"({"dtype":"F64","shape":[1,1],"data_offsets":[0,4]})", 4), "takes 8"},
      {tensor(R"({"dtype":"F32","shape":[0],"data_offsets":[0,4]})", 4), "takes 0"},
      {tensor(R"({"dtype":"F32","shape":[1],"data_offsets":[4,8]})", 8), "gap"},
      {tensor(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})", 8), "trailing"},
      {file_bytes(R"({"s":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                  R"("t":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
                  std::string(12, '\0')),
       "tensor \"t\": its data begin at byte 4 but those before end at 8 (they overlap)"},
      {file_bytes(R"({"s":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                  R"("t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                  std::string(4, '\0')),
       "overlap"},
  };
  for (const auto& [bytes, word] : cases) {
    put(path, bytes);
    CAPTURE(bytes.substr(0, 200), word);
    const std::string message = refusal(path);
    CAPTURE(message);
    CHECK(contains(message, path.string()));
    CHECK(contains(message, word));
    CHECK_FALSE(contains(message, "\n"));
    CHECK(message.size() < 600);
  }
}

TEST_CASE("a path that is no readable file is refused by name", "[safetensors]") {
  const Folder folder;
  CHECK(contains(refusal(folder.path / "absent.safetensors"), "absent.safetensors: No such file"));
  CHECK(contains(refusal(folder.path), folder.path.string() + ": Not a regular file"));
}

TEST_CASE("a file truncated at any length is refused", "[safetensors]") {
  const Folder folder;
  const fs::path path = folder.path / "truncated";
  const std::string good = file_bytes(good_header, good_data);
  put(path, good);
  REQUIRE(refusal(path).empty());
  for (std::size_t length = 0; length < good.size(); ++length) {
    CAPTURE(length);
    put(path, good.substr(0, length));
    CHECK(contains(refusal(path), path.string()));
  }
}

TEST_CASE("a file with any one byte of its header changed loads or is refused", "[safetensors]") {
  const Folder folder;
  const fs::path path = folder.path / "flipped";
  const std::string good = file_bytes(good_header, good_data);
  int refused = 0;
  for (std::size_t i = 0; i < 8 + good_header.size(); ++i) {
    for (const int flip : {0x01, 0x02, 0x10, 0x20, 0x80, 0xff}) {
      CAPTURE(i, flip);
      std::string bytes = good;
      bytes[i] = static_cast<char>(bytes[i] ^ flip);
      put(path, bytes);
      const std::string message = refusal(path);  // anything but an InputError fails the test
      refused += !message.empty();
      CHECK((message.empty() || contains(message, path.string())));
    }
  }
  CHECK(refused > 400);
}

TEST_CASE("what the format cannot hold is not written", "[safetensors]") {
  const Folder folder;
  const fs::path path = folder.path / "kept";
  put(path, "old");
  TensorFile file;
  SECTION("a reserved name") { file.tensors["__metadata__"] = {Matrix<float>{{1}}}; }
  SECTION("a vector of two rows") { file.tensors["v"] = {Matrix<float>{{1}, {2}}, true}; }
  SECTION("a name that is not UTF-8") { file.tensors["\xff"] = {Matrix<float>{{1}}}; }
  SECTION("a text that is not UTF-8") { file.metadata["key"] = "\xc3"; }
  CHECK_THROWS_AS(write_safetensors(path, file), InputError);
  CHECK(contents(path) == "old");
  CHECK(std::distance(fs::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("writing replaces a file and leaves nothing else behind", "[safetensors]") {
  const Folder folder;
  const fs::path path = folder.path / "replaced";
  put(path, "old");
  write_safetensors(path, {});
  CHECK(refusal(path).empty());
  CHECK(std::distance(fs::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("on a full disk the former file stays, and it is no mistake of the user's", "[safetensors]") {
  const Folder folder;
  const fs::path path = folder.path / "file";
  put(path, "old");
  TensorFile file;
  file.tensors["t"] = {.values = Matrix<double>(100, 10)};
  {
    const FileSizeLimit full(1000);
    CHECK_THROWS_AS(write_safetensors(path, file), StorageError);
  }
  CHECK(contents(path) == "old");
  CHECK(std::distance(fs::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("a place that cannot be written is refused by name", "[safetensors]") {
  const Folder folder;
  const auto failure = [](const fs::path& path) -> std::string {
    try {
      write_safetensors(path, {});
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  const fs::path missing = folder.path / "absent" / "file";
  CHECK(contains(failure(missing), missing.string() + ": cannot be written"));
  const fs::path occupied = folder.path / "occupied";
  fs::create_directories(occupied / "inside");
  CHECK(contains(failure(occupied), occupied.string() + ": cannot be written"));
  CHECK(std::distance(fs::directory_iterator(folder.path), {}) == 1);
}

}  // namespace normalign::tests
