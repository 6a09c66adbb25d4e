#include "data/tables/numpy.hpp"

#include <immintrin.h>

#include <cmath>
#include <limits>
#include <random>

#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/numpy_files.hpp"
#include "support/peak_memory.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

// The arrays of a file of these bytes.
std::vector<NumpyArray> arrays_of(const std::string& bytes) {
  static const TemporaryFolder folder;  // one for thousands of files
  write_file(folder / "file", bytes);
  return numpy_arrays(folder / "file");
}

NumpyArray array_of(const std::string& bytes) {
  std::vector<NumpyArray> arrays = arrays_of(bytes);
  REQUIRE(arrays.size() == 1);
  CHECK(arrays[0].name.empty());
  return arrays[0];
}

// What is said to a file of these bytes, without the file's name; checks that the name came first.
std::string npy_refusal(const std::string& bytes) {
  static const TemporaryFolder folder;
  write_file(folder / "file", bytes);
  const std::string message = message_of([&] { numpy_arrays(folder / "file"); });
  const std::string prefix = (folder / "file").string() + ": ";
  if (!message.starts_with(prefix)) return message;
  CHECK(message.find('\n') == message.npos);
  return message.substr(prefix.size());
}

std::string npy_header_refusal(const std::string& header, const std::string& data = "") {
  return npy_refusal(npy_bytes(header, data));
}

// An array of one dimension with these values, in either order of bytes.
template <class T>
std::string vector_bytes(char kind, const std::vector<T>& values, bool is_swapped) {
  std::string data;
  for (const T value : values) data += bytes_of(value, is_swapped);
  const std::string type = text(sizeof(T) == 1 ? '|' : is_swapped ? '>' : '<', kind, sizeof(T));
  return npy_bytes(npy_header(type, text("(", values.size(), ",)")), data);
}

// The bits of a number, the same for all NaNs.
std::uint64_t number_bits(double value) {
  return std::isnan(value) ? ~std::uint64_t{0} : std::bit_cast<std::uint64_t>(value);
}

// Checks that values of a type are read as the same numbers, in either order of bytes.
template <class T>
void check_type(char kind, const std::vector<T>& values) {
  for (const bool is_swapped : {false, true}) {
    CAPTURE(kind, sizeof(T), is_swapped);
    const NumpyArray array = array_of(vector_bytes(kind, values, is_swapped));
    CHECK(array.texts.empty());
    REQUIRE(array.numbers.shape() == Shape{static_cast<Index>(values.size()), 1});
    for (std::size_t i = 0; i < values.size(); ++i) {
      CAPTURE(values[i]);
      CHECK(number_bits(array.numbers.span()[i]) == number_bits(static_cast<double>(values[i])));
    }
  }
}

template <class T>
std::vector<T> extremes() {
  using Limits = std::numeric_limits<T>;
  return {0, 1, 2, Limits::max(), Limits::min(), Limits::lowest(), static_cast<T>(Limits::max() / 3 + 1)};
}

const std::string saved_array(  // np.save(file, np.array([[True, False]])), NumPy 1.24
    "\223NUMPY\001\000v\000{'descr': '|b1', 'fortran_order': False, 'shape': (1, 2), }                   "
    "                                       \012\001\000",
    130);

const std::string saved_archive(  // np.savez(file, points=np.asfortranarray(...), names=np.array(["a", "é€"]))
    "PK\003\004\024\000\000\000\000\000\000\000!\000\036yO\340\230\000\000\000\230\000\000\000\012\000"
    "\024\000points.npy\001\000\020\000\230\000\000\000\000\000\000\000\230\000\000\000\000\000\000\000"
    "\223NUMPY\001\000v\000{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }                    "
    "                                       \012\000\000\300\077\000\000\200@\000\000\000\300\000\000\200"
    "\177\000\000@@o\022\203:PK\003\004\024\000\000\000\000\000\000\000!\000Lf_\216\220\000\000\000\220"
    "\000\000\000\011\000\024\000names.npy\001\000\020\000\220\000\000\000\000\000\000\000\220\000\000"
    "\000\000\000\000\000\223NUMPY\001\000v\000{'descr': '<U2', 'fortran_order': False, 'shape': (2,), } "
    "                                                           \012a\000\000\000\000\000\000\000\351\000"
    "\000\000\254 \000\000PK\001\002\024\003\024\000\000\000\000\000\000\000!\000\036yO\340\230\000\000"
    "\000\230\000\000\000\012\000\000\000\000\000\000\000\000\000\000\000\200\001\000\000\000\000points.n"
    "pyPK\001\002\024\003\024\000\000\000\000\000\000\000!\000Lf_\216\220\000\000\000\220\000\000\000\011"
    "\000\000\000\000\000\000\000\000\000\000\000\200\001\324\000\000\000names.npyPK\005\006\000\000\000"
    "\000\002\000\002\000o\000\000\000\237\001\000\000\000\000",
    548);

const std::string compressed_archive(  // np.savez_compressed(file, x=np.arange(12, dtype="i2").reshape(3, 4) - 3)
    "PK\003\004\024\000\000\000\010\000\000\000!\000\3428\1349_\000\000\000\230\000\000\000\005\000\024"
    "\000x.npy\001\000\020\000\230\000\000\000\000\000\000\000_\000\000\000\000\000\000\000\233\354\027"
    "\352\033\020\311\310P\306P\255\236\222Z\234\134\244n\245\240n\223i\244\256\243\240\236\226_TR\224"
    "\230\027\237_\224\222\012\022wK\314)N\005\212\027g$\026\244\002\371\032\306:\012&\232:\012\265\012d"
    "\003\256\277\377\377\375\377\377\237\201\201\221\201\211\201\231\201\205\201\225\201\215\201\235\201"
    "\203\001\000PK\001\002\024\003\024\000\000\000\010\000\000\000!\000\3428\1349_\000\000\000\230\000"
    "\000\000\005\000\000\000\000\000\000\000\000\000\000\000\200\001\000\000\000\000x.npyPK\005\006\000"
    "\000\000\000\001\000\001\0003\000\000\000\226\000\000\000\000\000",
    223);

}  // namespace

TEST_CASE("files that NumPy wrote are read", "[data]") {
  CHECK(array_of(saved_array).shape == std::vector<Index>{1, 2});
  CHECK(array_of(saved_array).numbers == Matrix<double>{{1, 0}});

  const std::vector<NumpyArray> arrays = arrays_of(saved_archive);
  REQUIRE(arrays.size() == 2);
  CHECK(arrays[0].name == "points");
  CHECK(arrays[0].shape == std::vector<Index>{2, 3});
  CHECK(arrays[0].numbers == Matrix<double>{{1.5, -2, 3}, {4, INFINITY, static_cast<double>(1e-3F)}});
  CHECK(arrays[0].texts.empty());
  CHECK(arrays[1].name == "names");
  CHECK(arrays[1].shape == std::vector<Index>{2});
  CHECK(arrays[1].numbers.empty());
  CHECK(arrays[1].texts == std::vector<std::string>{"a", "\xC3\xA9\xE2\x82\xAC"});

  const std::vector<NumpyArray> compressed = arrays_of(compressed_archive);
  REQUIRE(compressed.size() == 1);
  CHECK(compressed[0].name == "x");
  CHECK(compressed[0].numbers == Matrix<double>{{-3, -2, -1, 0}, {1, 2, 3, 4}, {5, 6, 7, 8}});
}

TEST_CASE("numbers of every type and either order of bytes are the same in double precision", "[data]") {
  check_type('i', extremes<std::int8_t>());
  check_type('i', extremes<std::int16_t>());
  check_type('i', extremes<std::int32_t>());
  check_type('u', extremes<std::uint8_t>());
  check_type('u', extremes<std::uint16_t>());
  check_type('u', extremes<std::uint32_t>());
  constexpr std::int64_t most = std::int64_t{1} << 53;
  check_type<std::int64_t>('i', {0, 1, -1, most, -most, most - 1, 1 - most, most + 2, INT64_MIN, most << 9});
  check_type<std::uint64_t>('u', {0, 1, most, most - 1, most + 2, std::uint64_t{1} << 63, ~std::uint64_t{0} << 11});
  const auto with_rest = [](auto values) {
    using T = typename decltype(values)::value_type;
    using Limits = std::numeric_limits<T>;
    for (const T value : {-T(0), Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), Limits::denorm_min(),
                          Limits::epsilon(), T(0.1), T(-1) / T(3)})
      values.push_back(value);
    return values;
  };
  check_type('f', with_rest(extremes<float>()));
  check_type('f', with_rest(extremes<double>()));
  CHECK(array_of(npy_bytes(npy_header("|b1", "(4,)"), std::string("\0\1\2\xff", 4))).numbers ==
        Matrix<double>{{0}, {1}, {1}, {1}});
  for (const char* type : {"=f8", "f8", "|f8"})
    CHECK(array_of(npy_bytes(npy_header(type, "(1,)"), bytes_of(2.5))).numbers == Matrix<double>{{2.5}});
}

TEST_CASE("all 65536 numbers of half precision are exact", "[data]") {
  std::vector<std::uint16_t> halves(65'536);
  std::iota(halves.begin(), halves.end(), std::uint16_t{0});
  std::string data, swapped;
  for (const std::uint16_t half : halves) {
    data += bytes_of(half);
    swapped += bytes_of(half, true);
  }
  const Matrix<double> numbers = array_of(npy_bytes(npy_header("<f2", "(65536,)"), data)).numbers;
  const Matrix<double> again = array_of(npy_bytes(npy_header(">f2", "(65536,)"), swapped)).numbers;
  const auto at = [&](std::size_t half) { return numbers.span()[half]; };
  CHECK(at(0x3C00) == 1);
  CHECK(at(0x3555) == 0.333251953125);
  CHECK(at(0x7BFF) == 65'504);
  CHECK(at(0x0400) == std::ldexp(1, -14));
  CHECK(at(0x03FF) == std::ldexp(1023, -24));
  CHECK(at(0x0001) == std::ldexp(1, -24));
  CHECK(at(0x7C00) == INFINITY);
  CHECK(std::isnan(at(0x7C01)));
  CHECK(number_bits(at(0x8000)) == number_bits(-0.0));
  int different = 0;
  for (std::size_t half = 0; half < 0x8000; ++half) {
    different += number_bits(at(half + 0x8000)) != number_bits(-at(half));
#ifdef __F16C__
    different += number_bits(at(half)) != number_bits(static_cast<double>(_cvtsh_ss(halves[half])));
#endif
  }
  for (std::size_t half = 0; half < 65'536; ++half)
    different += number_bits(at(half)) != number_bits(again.span()[half]);
  CHECK(different == 0);
}

TEST_CASE("arrays of any shape lie as rows in C order, whatever the file's order, version and archive", "[data]") {
  std::mt19937 random(3);
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<Index> shape(random() % 5);
    Index count = 1;
    std::string shape_text = "(";
    for (Index& extent : shape) {
      extent = static_cast<Index>(random() % 8 == 0 ? 0 : 1 + random() % 5);
      count *= extent;
      shape_text += std::to_string(extent) + (random() % 2 ? ", " : ",");
    }
    shape_text += ")";
    if (shape.size() > 1 && random() % 2 == 0) shape_text.replace(shape_text.rfind(','), std::string::npos, ")");
    const bool is_fortran = random() % 2 == 0, is_swapped = random() % 2 == 0, is_text = random() % 3 == 0;
    CAPTURE(trial, shape_text, is_fortran, is_swapped, is_text);

    // The value at an index is its place in C order; the file has them in its own.
    std::string data;
    for (Index k = 0; k < count; ++k) {
      Index place = k;
      if (is_fortran) {
        // k = i_0 + s_0 (i_1 + s_1 (i_2 + ...)), place = (((i_0) s_1 + i_1) s_2 + i_2) ...
        place = 0;
        Index rest = k;
        for (const Index extent : shape) {
          place = place * extent + rest % extent;
          rest /= extent;
        }
      }
      if (is_text)
        data += bytes_of(static_cast<std::uint32_t>('A' + place % 26), is_swapped) +
                bytes_of(static_cast<std::uint32_t>(place < 26 ? 0 : 0x100 + place / 26), is_swapped);
      else
        data += bytes_of(static_cast<float>(place) - 10.5F, is_swapped);
    }
    const std::string type = std::string(is_swapped ? ">" : "<") + (is_text ? "U2" : "f4");
    const std::string bytes =
        npy_bytes(npy_header(type, shape_text, is_fortran), data, 1 + static_cast<int>(random() % 3));
    const int form = static_cast<int>(random() % 4);
    ZipPart part = zip_part("folder/x.npy", bytes, form == 2);
    part.is_zip64 = form == 3;
    const std::vector<NumpyArray> arrays = arrays_of(form == 0 ? bytes : zip_bytes({part}));

    REQUIRE(arrays.size() == 1);
    const NumpyArray& array = arrays[0];
    CHECK(array.name == (form == 0 ? "" : "folder/x"));
    CHECK(array.shape == shape);
    const Index rows = shape.empty() ? 1 : shape[0];
    CHECK(array.rows() == rows);
    if (rows > 0) CHECK(array.cols() == count / rows);
    if (is_text) {
      CHECK(array.numbers.empty());
      REQUIRE(static_cast<Index>(array.texts.size()) == count);
      for (Index place = 0; place < count; ++place) {
        std::string expected(1, static_cast<char>('A' + place % 26));
        if (place >= 26) expected += std::string{'\xC4', static_cast<char>(0x80 + place / 26)};
        CHECK(array.texts[static_cast<std::size_t>(place)] == expected);
      }
    } else {
      CHECK(array.texts.empty());
      REQUIRE(array.numbers.shape() == Shape{rows, array.cols()});
      for (Index place = 0; place < count; ++place)
        CHECK(array.numbers.data()[place] == static_cast<double>(place) - 10.5);
    }
  }
}

TEST_CASE("arrays larger than one piece of reading are whole, in either order", "[data]") {
  constexpr Index rows = 700, cols = 601;
  for (const bool is_fortran : {false, true}) {
    for (const bool is_deflated : {false, true}) {
      CAPTURE(is_fortran, is_deflated);
      std::string data;
      for (Index k = 0; k < rows * cols; ++k)
        data += bytes_of(static_cast<std::int32_t>(is_fortran ? k % rows * cols + k / rows : k));
      const std::string bytes = npy_bytes(npy_header("<i4", "(700, 601)", is_fortran), data);
      const std::vector<NumpyArray> arrays =
          arrays_of(is_deflated ? zip_bytes({zip_part("x.npy", bytes, true)}) : bytes);
      Index wrong = 0;
      for (Index k = 0; k < rows * cols; ++k) wrong += arrays[0].numbers.data()[k] != static_cast<double>(k);
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("texts lose the zeros that fill them up, and no others", "[data]") {
  const auto utf32 = [](std::u32string characters, bool is_swapped) {
    std::string bytes;
    for (const char32_t character : characters) bytes += bytes_of(static_cast<std::uint32_t>(character), is_swapped);
    return bytes;
  };
  using namespace std::string_literals;
  for (const bool is_swapped : {false, true}) {
    const std::string data = utf32(U"ab\0\0"s + U"\u00e9\0\U0001F600\U0010FFFF"s + U"\0\0\0\0"s, is_swapped);
    const NumpyArray array = array_of(npy_bytes(npy_header(is_swapped ? ">U4" : "<U4", "(3,)"), data));
    CHECK(array.texts == std::vector<std::string>{"ab", "\xC3\xA9\0\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF"s, ""});
  }
  CHECK(array_of(npy_bytes(npy_header("|S3", "(2, 2)"), "abca\0b\xC3\xA9\0\0\0\0"s)).texts ==
        std::vector<std::string>{"abc", "a\0b"s, "\xC3\xA9", ""});
  CHECK(array_of(npy_bytes(npy_header("|S3", "()"), "one")).texts == std::vector<std::string>{"one"});

  CHECK(npy_header_refusal(npy_header("|S2", "(1, 2)"), "ab\xE9z") ==
        "found a text at [0, 1] that is not UTF-8; save np.char.decode(array, 'latin-1')");
  for (const char32_t code : {0xD800u, 0xDFFFu, 0x110000u, 0xFFFFFFFFu})
    CHECK(npy_header_refusal(npy_header("<U1", "(2,)"), utf32({U'a', code}, false)) ==
          "found a text at [1] that is not Unicode, expected characters");
}

TEST_CASE("headers are read as Python writes them in any version, with keys in any order", "[data]") {
  const std::string data = bytes_of(1.0) + bytes_of(2.0);
  for (const std::string header : {
           "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }",
           "{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}",
           "{'shape': (2L,), 'fortran_order': True, 'descr': '<f8'}",
           "{\"fortran_order\":False,\"shape\":(2),\"descr\":\"<f8\",}",
           " {  'descr'\t:\n'<f8' , 'shape' : ( 2 , 1 ) , 'fortran_order' : False }  ",
           "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1L, 1,)}",
       }) {
    for (const int version : {1, 2, 3}) {
      CAPTURE(header, version);
      CHECK(array_of(npy_bytes(header, data, version)).numbers == Matrix<double>{{1}, {2}});
    }
  }
  CHECK(array_of(npy_bytes(npy_header("<f8", "()"), bytes_of(3.0))).numbers == Matrix<double>{{3}});
  const NumpyArray no_rows = array_of(npy_bytes(npy_header("<f8", "(0, 3)"), ""));
  CHECK(no_rows.numbers.shape() == Shape{0, 3});
  CHECK(array_of(npy_bytes(npy_header("<f8", "(3, 0)"), "")).numbers.shape() == Shape{3, 0});
}

TEST_CASE("headers that are none are refused with what was expected", "[data]") {
  CHECK(npy_header_refusal("[1]") == "found \"[1]" + std::string(50, ' ') + "?\" in its header, expected '{'");
  CHECK(contains(npy_header_refusal("{'descr' '<f8'}"), "expected ':'"));
  CHECK(contains(npy_header_refusal("{descr: '<f8'}"), "expected a quoted text"));
  CHECK(contains(npy_header_refusal("{'descr"), "expected a quoted text"));
  CHECK(contains(npy_header_refusal("{'descr': '<f8' 'shape': ()}"), "expected '}'"));
  CHECK(contains(npy_header_refusal("{'fortran_order': Maybe}"), "expected True or False"));
  CHECK(contains(npy_header_refusal("{'shape': 5}"), "expected '('"));
  CHECK(contains(npy_header_refusal("{'shape': (5 6)}"), "expected ')'"));
  for (const char* shape : {"(-1,)", "(a,)", "(,)", "(9223372036854775808,)", "(1.5", "("})
    CHECK(contains(npy_header_refusal(npy_header("<f8", shape)), "in its header, expected "));
  CHECK(contains(npy_header_refusal(npy_header("<f8", "(1,)") + "x"), "expected nothing more"));
  CHECK(npy_header_refusal("{'descr': '<f8', 'color': 3}") ==
        "found key \"color\" in its header, expected descr, fortran_order and shape");
  CHECK(npy_header_refusal("{'descr': '<f8', 'shape': (1,)}", bytes_of(1.0)) ==
        "found keys \"descr, shape\" in its header, expected descr, fortran_order and shape, each once");
  CHECK(contains(npy_header_refusal("{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (1,)}"),
                 "found keys \"descr, descr, fortran_order, shape\""));

  const std::string good = npy_bytes(npy_header("<f8", "(1,)"), bytes_of(1.0));
  for (const auto& [at, byte] : std::vector<std::pair<std::size_t, char>>{{6, 0}, {6, 4}, {6, '\xff'}, {7, 1}}) {
    std::string other = good;
    other[at] = byte;
    CHECK(contains(npy_refusal(other), "of the format, expected 1.0, 2.0 or 3.0"));
  }
  std::string longer = npy_bytes(npy_header("<f8", "(1,)") + std::string(1 << 20, ' '), bytes_of(1.0), 2);
  CHECK(contains(npy_refusal(longer), "expected at most 1048576"));
  longer[10] = '\x7f';
  CHECK(contains(npy_refusal(longer), "expected at most 1048576"));
}

TEST_CASE("integers that a double does not hold are refused with their place", "[data]") {
  constexpr std::int64_t most = std::int64_t{1} << 53;
  for (const std::int64_t value : {most + 1, -most - 1, INT64_MAX, INT64_MIN + 1, 2 * most + 2, 4 * most - 1})
    CHECK(npy_refusal(vector_bytes<std::int64_t>('i', {1, 2, value, value}, value % 2 == 0)) ==
          text("found ", value, " at [2], expected a number that double precision holds exactly"));
  for (const std::uint64_t value : {std::uint64_t{most} + 1, ~std::uint64_t{0}, ~std::uint64_t{0} << 10})
    CHECK(npy_refusal(vector_bytes<std::uint64_t>('u', {1, value}, false)) ==
          text("found ", value, " at [1], expected a number that double precision holds exactly"));
  // The place is an index as Python counts, in Fortran order as well.
  std::string data;
  for (const std::int64_t value : {0, 0, 0, 1, 0, 0}) data += bytes_of(value * (most + 1));
  CHECK(contains(npy_header_refusal(npy_header("<i8", "(2, 3)"), data), "at [1, 0], expected"));
  CHECK(contains(npy_header_refusal(npy_header("<i8", "(2, 3)", true), data), "at [1, 1], expected"));
  CHECK(contains(npy_header_refusal(npy_header("<i8", "(1, 3, 2)", true), data), "at [0, 0, 1], expected"));
}

TEST_CASE("types that are not read are refused by the array's name, with what to save instead", "[data]") {
  const auto refusal_of_type = [](const std::string& type) {
    return npy_refusal(zip_bytes({zip_part("good.npy", saved_array),
                                  zip_part("odd.npy", npy_bytes(npy_header(type, "(1,)"), std::string(16, '\0')))}));
  };
  CHECK(refusal_of_type("|O") ==
        "array \"odd\": found Python objects (a pickle), type '|O', expected numbers or texts; save np.save(file, "
        "table.to_numpy(float)), or texts as array.astype(str)");
  for (const char* type : {"<c16", "<M8[ns]", "<m8[s]", "<f16", "|V3"}) {
    CAPTURE(type);
    const std::string message = refusal_of_type(type);
    CHECK(message.starts_with("array \"odd\": found "));
    CHECK(contains(message, text("type '", type, "', expected numbers or texts; save np.save(file, ")));
  }
  for (const char* type : {"", "<", "f", "<f", "<f8x", "<f-8", "<f 8", "<x8", "<i3", "<i16", "<b1x", "<b2", "<U", "<U0",
                           "|S0", "<U99999999999", "<<f8", "\xff\xff"}) {
    CAPTURE(type);
    CHECK(contains(refusal_of_type(type), ", expected numbers or texts"));
  }
  for (const std::string type : {"[('a', '<f8'), ('b', '<i4')]", "('<f8', (2,))"})
    CHECK(contains(npy_refusal(npy_bytes("{'descr': " + type + ", 'fortran_order': False, 'shape': (1,)}", "")),
                   "found a type with fields, expected one type of numbers or texts; save each field"));
}

TEST_CASE("data that are longer or shorter than the shape says are refused before memory is taken", "[data]") {
  const long before = peak_memory();
  CHECK(npy_header_refusal(npy_header("<f8", "(2,)"), bytes_of(1.0)) ==
        "found 8 bytes of data, expected 16 for shape (2) of type '<f8' (is the file truncated?)");
  CHECK(npy_header_refusal(npy_header("<f8", "()"), bytes_of(1.0) + "x") ==
        "found 9 bytes of data, expected 8 for shape () of type '<f8'");
  CHECK(npy_header_refusal(npy_header("<U3", "(0, 5)"), "x") ==
        "found 1 bytes of data, expected 0 for shape (0, 5) of type '<U3'");
  CHECK(contains(npy_header_refusal(npy_header("<f8", "(1000000000000, 1000)"), "x"), "expected 8000000000000000 for"));
  for (const char* shape : {"(1152921504606846976,)", "(4294967296, 4294967296)", "(0, 4294967296, 4294967296)",
                            "(9223372036854775807,)", "(2, 0, 9223372036854775807)"})
    CHECK(contains(npy_header_refusal(npy_header("<f8", shape), "x"), "expected one that memory can hold"));
  CHECK(contains(npy_header_refusal(npy_header("<U4294967295", "(4294967296,)"), "x"), "that memory can hold"));

  // An archive that claims as much as deflate can reach costs what the array takes, and one that claims more nothing.
  ZipPart part = zip_part("x.npy", npy_bytes(npy_header("<f8", "(100000000,)"), bytes_of(1.0)), true);
  CHECK(contains(npy_refusal(zip_bytes({part})), "array \"x\": found 8 bytes of data, expected 800000000"));
  part.size = 800'000'128;
  CHECK(contains(npy_refusal(zip_bytes({part})), "found size 800000128, expected at most 1032 times"));
  CHECK(peak_memory() - before < 32 << 20);
}

TEST_CASE("a file is not held beside its values", "[data]") {
  const TemporaryFolder folder;
  constexpr Index count = 8 << 20;  // 64 MiB
  {
    std::ofstream file(folder / "file", std::ios::binary);
    file << npy_bytes(npy_header("<f8", text("(", count, ",)")), "");
    file.seekp(8 * count - 1, std::ios::cur);
    file.put('\0');
  }
  const long before = peak_memory();
  CHECK(numpy_arrays(folder / "file").at(0).numbers.rows() == count);
  CHECK(peak_memory() - before < 8 * count + (16 << 20));
}

TEST_CASE("what is no array in an archive is refused by its name, but folders are not", "[data]") {
  CHECK(arrays_of(zip_bytes({})).empty());
  const std::vector<NumpyArray> arrays = arrays_of(zip_bytes({zip_part("a/", ""), zip_part("a/.npy", saved_array)}));
  REQUIRE(arrays.size() == 1);
  CHECK(arrays[0].name == "a/");
  CHECK(npy_refusal(zip_bytes({zip_part("x.npy", saved_array), zip_part("read\nme.txt", "hello")})) ==
        "member \"read?me.txt\": expected arrays alone, which are called NAME.npy");
  CHECK(contains(npy_refusal(zip_bytes({zip_part("\xE9.npy", saved_array)})), "expected arrays alone"));
  CHECK(npy_refusal(zip_bytes({zip_part("x.npy", "hello, world")})) ==
        "array \"x\": found \"hello, w\" at its beginning, expected \"?NUMPY\", a .npy file");
  CHECK(
      contains(npy_refusal(zip_bytes({zip_part("x.npy", "")})), "array \"x\": found 0 bytes where its header goes on"));
  CHECK(contains(npy_refusal(zip_bytes({zip_part("x.npy", saved_array), zip_part("x.npy", saved_array)})),
                 "found two members"));
}

TEST_CASE("files cut at any byte are refused", "[data]") {
  for (const std::string& bytes : {saved_array, saved_archive, compressed_archive})
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      CAPTURE(size, bytes.size());
      const std::string message = npy_refusal(bytes.substr(0, size));
      CHECK(message != "nothing was thrown");
      if (size >= 6) CHECK(contains(message, "is the file truncated?"));
    }
}

TEST_CASE("archives with a bit of any byte changed are refused or read the same", "[data]") {
  const auto printed = [](const std::vector<NumpyArray>& arrays) {
    std::string result;
    for (const NumpyArray& array : arrays) {
      for (const Index extent : array.shape) result += text(extent, " ");
      for (const double number : array.numbers.span()) result += text(number, " ");
      for (const std::string& words : array.texts) result += words + " ";
    }
    return result;
  };
  for (const std::string& bytes : {saved_archive, compressed_archive}) {
    const std::string expected = printed(arrays_of(bytes));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      CAPTURE(i);
      std::string spoiled = bytes;
      spoiled[i] = static_cast<char>(spoiled[i] ^ 1 << i % 8);
      try {
        const std::string found = printed(arrays_of(spoiled));
        CHECK(found == expected);
      } catch (const InputError&) {
      }
    }
  }
}

TEST_CASE("NumPy's files are known by their first bytes, whatever their names", "[data]") {
  const TemporaryFolder folder;
  const auto is_numpy = [&](const std::string& bytes) {
    write_file(folder / "table.csv", bytes);
    return is_numpy_file(folder / "table.csv");
  };
  for (const std::string& bytes : {saved_array, saved_archive, compressed_archive, zip_bytes({})})
    CHECK(is_numpy(bytes));
  for (const std::string bytes : {"", "\x93NUMP", "PK\3", "PK,3,4", "NUMPY,1", "1,2,3\n"}) CHECK(!is_numpy(bytes));
  CHECK(!is_numpy_file(folder / "missing"));
  CHECK(!is_numpy_file(folder.path()));
  CHECK(!is_numpy_file("/dev/null"));
}

TEST_CASE("what is no readable file of NumPy's is refused by its name", "[data]") {
  const TemporaryFolder folder;
  const std::string missing = (folder / "missing.npy").string();
  CHECK(message_of([&] { numpy_arrays(missing); }) == missing + ": No such file or directory");
  CHECK(message_of([&] { numpy_arrays(folder.path()); }) ==
        folder.path().string() + ": found no regular file, expected one");
  CHECK(npy_refusal("1,2,3\n4,5,6") ==
        "found \"1,2,3?\" at its beginning, expected \"?NUMPY\" (.npy) or \"PK\" (.npz)");
  CHECK(npy_refusal("") == "found \"\" at its beginning, expected \"?NUMPY\" (.npy) or \"PK\" (.npz)");
}

}  // namespace normalign::tests
