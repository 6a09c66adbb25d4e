#include "data/tables/numpy_header.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>

#include "base/error.hpp"

namespace normalign::detail {
namespace {

// The parts of a Python literal, one after the other; blanks between them do not count.
class PythonLiteral {
 public:
  explicit PythonLiteral(std::string_view literal) : rest_(literal) {}

  bool take(std::string_view word) {
    skip_blanks();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  void expect(std::string_view word) {
    if (!take(word)) refuse(text("'", word, "'").c_str());
  }
  std::string quoted() {
    skip_blanks();
    const char quote = rest_.empty() ? '\0' : rest_.front();
    const std::size_t end = quote == '\'' || quote == '"' ? rest_.find(quote, 1) : rest_.npos;
    if (end == rest_.npos) refuse("a quoted text");
    std::string result(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return result;
  }
  bool truth() {
    if (take("True")) return true;
    if (take("False")) return false;
    refuse("True or False");
  }
  // (), (5,), (3, 4): whole numbers, in Python 2 with an L behind.
  std::vector<Index> extents() {
    std::vector<Index> result;
    expect("(");
    while (!take(")")) {
      result.push_back(whole());
      if (take(",")) continue;
      expect(")");
      break;
    }
    return result;
  }
  [[noreturn]] void refuse(const char* expected) const {
    throw InputError(text("found \"", one_line(rest_), "\" in its header, expected ", expected));
  }
  void expect_end() {
    skip_blanks();
    if (!rest_.empty()) refuse("nothing more");
  }

 private:
  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }
  Index whole() {
    skip_blanks();
    Index value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc() || value < 0) refuse("a whole number that memory can hold");
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    if (rest_.starts_with('L')) rest_.remove_prefix(1);
    return value;
  }

  std::string_view rest_;
};

// Of '<f8': an order of bytes, a kind, a size. Behind a 'U' stands a number of characters of four bytes each.
NpyType parsed_type(const std::string& descr) {
  NpyType type{.descr = descr};
  std::string_view rest = descr;
  if (!rest.empty() && std::string_view("<>|=").find(rest[0]) != rest.npos) {
    type.is_swapped = rest[0] == '>';
    rest.remove_prefix(1);
  }
  if (rest.empty()) return type;
  type.kind = rest[0];
  rest.remove_prefix(1);
  std::uint32_t size = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), size);
  if (error == std::errc() && end == rest.data() + rest.size())
    type.item_size = type.kind == 'U' ? std::size_t{4} * size : size;
  return type;
}

NpyHeader parsed_header(std::string_view literal_text) {
  PythonLiteral literal(literal_text);
  NpyHeader header;
  std::vector<std::string> keys;
  literal.expect("{");
  while (!literal.take("}")) {
    keys.push_back(literal.quoted());
    literal.expect(":");
    if (keys.back() == "descr" && (literal.take("[") || literal.take("(")))
      throw InputError(
          "found a type with fields, expected one type of numbers or texts; save each field by itself, or all of them "
          "by np.save(file, numpy.lib.recfunctions.structured_to_unstructured(array))");
    if (keys.back() == "descr")
      header.type = parsed_type(literal.quoted());
    else if (keys.back() == "fortran_order")
      header.is_fortran = literal.truth();
    else if (keys.back() == "shape")
      header.shape = literal.extents();
    else
      throw InputError(
          text("found key \"", one_line(keys.back()), "\" in its header, expected descr, fortran_order and shape"));
    if (literal.take(",")) continue;
    literal.expect("}");
    break;
  }
  literal.expect_end();
  std::sort(keys.begin(), keys.end());
  if (keys != std::vector<std::string>{"descr", "fortran_order", "shape"})
    throw InputError(text("found keys \"", one_line(normalign::joined(keys, ", ")),
                          "\" in its header, expected descr, fortran_order and shape, each once"));
  return header;
}

}  // namespace

NpyHeader read_npy_header(ZipMemberBytes& bytes) {
  constexpr std::uint64_t longest = 1 << 20;
  const auto take = [&](std::uint64_t size) {
    if (size > bytes.left())
      throw InputError(text("found ", bytes.left(), " bytes where its header goes on, expected ", size,
                            " (is the file truncated?)"));
    std::string taken(size, '\0');
    bytes.read(taken);
    return taken;
  };
  const std::string magic = take(npy_magic.size() + 2);
  if (!magic.starts_with(npy_magic))
    throw InputError(text("found \"", one_line(magic), "\" at its beginning, expected \"?NUMPY\", a .npy file"));
  const int major = static_cast<unsigned char>(magic[6]), minor = static_cast<unsigned char>(magic[7]);
  if (major < 1 || major > 3 || minor != 0)
    throw InputError(text("found version ", major, ".", minor, " of the format, expected 1.0, 2.0 or 3.0"));
  const std::string digits = take(major == 1 ? 2 : 4);
  std::uint64_t size = 0;
  for (std::size_t i = digits.size(); i-- > 0;) size = size << 8 | static_cast<unsigned char>(digits[i]);
  if (size > longest) throw InputError(text("found a header of ", size, " bytes, expected at most ", longest));
  return parsed_header(take(size));
}

std::uint64_t checked_count(const NpyHeader& header, const ZipMemberBytes& bytes) {
  const auto shape_text = [&] {
    return "(" + normalign::joined(header.shape, ", ", [](Index extent) { return std::to_string(extent); }) + ")";
  };
  std::uint64_t size = header.type.item_size;
  for (const Index extent : header.shape) {
    // An extent beside a zero is bounded as well: it becomes a number of rows or columns.
    const auto factor = static_cast<std::uint64_t>(std::max<Index>(extent, 1));
    if (factor > static_cast<std::uint64_t>(std::numeric_limits<Index>::max()) / size)
      throw InputError(text("found shape ", one_line(shape_text()), ", expected one that memory can hold"));
    size *= factor;
  }
  if (std::find(header.shape.begin(), header.shape.end(), 0) != header.shape.end()) size = 0;
  if (size != bytes.left())
    throw InputError(text("found ", bytes.left(), " bytes of data, expected ", size, " for shape ",
                          one_line(shape_text()), " of type '", one_line(header.type.descr), "'",
                          bytes.left() < size ? " (is the file truncated?)" : ""));
  return size / header.type.item_size;
}

}  // namespace normalign::detail
