#include "linalg/safetensors.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/atomic_file.hpp"
#include "base/exact_double.hpp"
#include "base/json_text.hpp"
#include "base/memory.hpp"
#include "base/natural_order.hpp"

namespace normalign {
namespace {

static_assert(std::endian::native == std::endian::little, "values are read and written as they lie in memory");

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::uint64_t header_limit = 100'000'000;  // bytes; the limit of the reference implementation
constexpr std::uint64_t prefix_size = 8;             // bytes of the header's length
constexpr std::string_view metadata_key = "__metadata__";

struct Dtype;

// Where one tensor lies in a file.
struct Entry {
  std::string name;
  const Dtype* dtype = nullptr;
  bool is_vector = false;
  Shape shape;
  std::uint64_t begin = 0;  // bytes from the end of the header
  std::uint64_t end = 0;
};

using Values = std::variant<Matrix<float>, Matrix<double>>;

// A type that values are stored in.
struct Dtype {
  std::string_view name;
  std::uint64_t size;    // bytes
  std::uint64_t memory;  // bytes that a value takes while it is read
  bool is_of_networks;
  Values (*read)(const fs::path& path, std::istream& in, const Entry& entry);
};

// IEEE 754 binary16: 1 bit of sign, 5 of exponent, 10 of mantissa. Every value of it is a float.
float binary16(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  float size = std::ldexp(static_cast<float>(exponent == 0 ? mantissa : 1024 + mantissa), std::max(exponent, 1) - 25);
  if (exponent == 31)
    size = mantissa == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  return bits >> 15 ? -size : size;
}

// The upper half of a float.
float bfloat16(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

// A JSON value for a message: one line of plain ASCII, cut when long.
std::string shown(const Json& value, std::size_t longest = 60) {
  std::string line = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (line.size() > longest) line = line.substr(0, longest) + "...";
  return line;
}

template <class... Parts>
[[noreturn]] void refuse(const fs::path& path, const Parts&... parts) {
  throw InputError(text(path.string(), ": ", parts...));
}

template <class... Parts>
[[noreturn]] void refuse_tensor(const fs::path& path, const std::string& name, const Parts&... parts) {
  refuse(path, "tensor ", shown(name), ": ", parts...);
}

std::string system_message(int error) { return std::generic_category().message(error); }

// Reads the data of an entry to `values`, which has room for it; the data of a file need not be aligned.
void read_data(const fs::path& path, std::istream& in, const Entry& entry, void* values) {
  in.read(static_cast<char*>(values), static_cast<std::streamsize>(entry.end - entry.begin));
  if (!in) refuse_tensor(path, entry.name, "reading its data failed");
}

template <class T>
Values stored_values(const fs::path& path, std::istream& in, const Entry& entry) {
  Matrix<T> values(entry.shape.rows, entry.shape.cols);
  read_data(path, in, entry, values.data());
  return values;
}

template <float (*decoded)(std::uint16_t)>
Values decoded_values(const fs::path& path, std::istream& in, const Entry& entry) {
  Matrix<float> values(entry.shape.rows, entry.shape.cols);
  std::vector<std::uint16_t> stored(static_cast<std::size_t>(values.size()));
  read_data(path, in, entry, stored.data());
  std::ranges::transform(stored, values.data(), decoded);
  return values;
}

template <class T>
Values whole_values(const fs::path& path, std::istream& in, const Entry& entry) {
  Matrix<double> values(entry.shape.rows, entry.shape.cols);
  std::vector<T> stored(static_cast<std::size_t>(values.size()));
  read_data(path, in, entry, stored.data());
  for (std::size_t i = 0; i < stored.size(); ++i) {
    if constexpr (sizeof(T) == 8)  // the others are held all
      if (!is_exact_double(stored[i]))
        refuse_tensor(path, entry.name, "found ", stored[i], " at value ", i,
                      ", expected a number that double precision holds exactly");
    values.data()[i] = static_cast<double>(stored[i]);
  }
  return values;
}

Values truth_values(const fs::path& path, std::istream& in, const Entry& entry) {
  Values values = whole_values<std::uint8_t>(path, in, entry);
  for (const double value : std::get<Matrix<double>>(values).span())
    if (value > 1) refuse_tensor(path, entry.name, "found a byte ", value, " of type BOOL, expected 0 or 1");
  return values;
}

constexpr std::array<Dtype, 13> dtypes = {{{"F64", 8, 8, true, stored_values<double>},
                                           {"F32", 4, 4, true, stored_values<float>},
                                           {"F16", 2, 6, true, decoded_values<binary16>},
                                           {"BF16", 2, 6, true, decoded_values<bfloat16>},
                                           {"I64", 8, 16, false, whole_values<std::int64_t>},
                                           {"I32", 4, 12, false, whole_values<std::int32_t>},
                                           {"I16", 2, 10, false, whole_values<std::int16_t>},
                                           {"I8", 1, 9, false, whole_values<std::int8_t>},
                                           {"U64", 8, 16, false, whole_values<std::uint64_t>},
                                           {"U32", 4, 12, false, whole_values<std::uint32_t>},
                                           {"U16", 2, 10, false, whole_values<std::uint16_t>},
                                           {"U8", 1, 9, false, whole_values<std::uint8_t>},
                                           {"BOOL", 1, 9, false, truth_values}}};

// Refuses what PyTorch itself writes, once it is known to be no safetensors file; `beginning` are its first bytes.
void refuse_torch_save(const fs::path& path, std::string_view beginning) {
  const std::string ending = path.extension().string();
  const bool is_named_so = ending == ".pt" || ending == ".pth" || ending == ".ckpt";
  const bool is_pickle = beginning.size() >= 2 && beginning[0] == '\x80' && beginning[1] >= 2 && beginning[1] <= 5;
  if (is_named_so || is_pickle || beginning.starts_with("PK\x03\x04"))
    refuse(path,
           "found a file of torch.save or pickle, expected safetensors; in Python save the network by: from "
           "safetensors.torch import save_file; save_file(model.state_dict(), \"net.safetensors\")");
}

// The bytes of the header, which begin with '{'; `in` is at its end then.
std::string header_of(const fs::path& path, std::istream& in, std::uint64_t file_size) {
  std::string beginning(std::min(file_size, prefix_size), '\0');
  in.read(beginning.data(), static_cast<std::streamsize>(beginning.size()));
  std::uint64_t header_size = 0;
  std::ranges::copy(beginning, reinterpret_cast<char*>(&header_size));
  const std::uint64_t rest = file_size - beginning.size();
  std::string header(header_size <= std::min(header_limit, rest) ? header_size : 0, '\0');
  in.read(header.data(), static_cast<std::streamsize>(header.size()));
  if (!in) refuse(path, "reading the header failed");
  if (header.starts_with('{')) return header;

  refuse_torch_save(path, beginning);
  if (file_size < prefix_size)
    refuse(path, "the file has ", file_size, " bytes; a safetensors file has at least ", prefix_size,
           " (is it truncated?)");
  if (header_size > header_limit)
    refuse(path, "the header length is ", header_size, " bytes; at most ", header_limit,
           " are accepted (is this a safetensors file?)");
  if (header_size > rest)
    refuse(path, "the header length is ", header_size, " bytes but only ", rest, " follow (is it truncated?)");
  refuse(path, "the header is not a JSON object that starts with '{'");
}

Json parsed_header(const fs::path& path, const std::string& header) {
  try {
    return parsed_json<Json>(header);
  } catch (const InputError& error) {
    refuse(path, "the header: ", error.what());
  }
}

// The array of whole numbers under `key`.
std::vector<std::uint64_t> whole_numbers(const fs::path& path, const std::string& name, const Json& description,
                                         const char* key) {
  const auto found = description.find(key);
  if (found == description.end()) refuse_tensor(path, name, key, " is missing");
  const bool fits = found->is_array() &&
                    std::all_of(found->begin(), found->end(), [](const Json& n) { return n.is_number_unsigned(); });
  if (!fits) refuse_tensor(path, name, key, " is ", shown(*found), "; expected an array of whole numbers >= 0");
  return found->get<std::vector<std::uint64_t>>();
}

// The names of the tensors for a message.
std::string listed_tensors(const Json& header) {
  std::vector<std::string> names;
  for (const auto& [name, value] : header.items())
    if (name != metadata_key) names.push_back(name);
  return listed(std::move(names));
}

// The tensor `name` of the header.
Entry entry_of(const fs::path& path, const std::string& name, const Json& header, std::uint64_t data_size,
               TensorKinds accepted) {
  const Json& description = header.at(name);
  if (!description.is_object())
    refuse_tensor(path, name, "the description is ", shown(description), "; expected a JSON object");
  Entry entry;
  entry.name = name;

  const auto dtype = description.find("dtype");
  if (dtype == description.end()) refuse_tensor(path, name, "dtype is missing");
  const auto extents = whole_numbers(path, name, description, "shape");
  const std::string shape_shown = shown(extents);
  const auto known = std::ranges::find_if(dtypes, [&](const Dtype& type) { return *dtype == type.name; });
  const bool of_networks = accepted == TensorKinds::of_networks;
  if (known == dtypes.end() || extents.empty() || (of_networks && (!known->is_of_networks || extents.size() > 2)))
    refuse_tensor(path, name, "found dtype ", shown(*dtype), " and shape ", shape_shown, ", expected F64, F32, F16",
                  of_networks ? " or BF16 and one or two dimensions"
                              : ", BF16, BOOL, I8 to I64 or U8 to U64 and one dimension or more",
                  "; the file holds ", listed_tensors(header));
  entry.dtype = &*known;

  std::uint64_t bytes = known->size;
  for (const std::uint64_t extent : extents) {
    // An extent beside a zero is bounded as well: it becomes a signed row or column count.
    const std::uint64_t factor = std::max<std::uint64_t>(extent, 1);
    if (factor > static_cast<std::uint64_t>(std::numeric_limits<Index>::max()) / bytes)
      refuse_tensor(path, name, "shape is ", shape_shown, ", which overflows the address space");
    bytes *= factor;
  }
  if (std::find(extents.begin(), extents.end(), 0u) != extents.end()) bytes = 0;
  entry.is_vector = extents.size() == 1;
  std::uint64_t columns = 1;
  for (std::size_t i = entry.is_vector ? 0 : 1; i < extents.size(); ++i) columns *= extents[i];
  entry.shape = {entry.is_vector ? 1 : static_cast<Index>(extents.front()), static_cast<Index>(columns)};

  const auto offsets = whole_numbers(path, name, description, "data_offsets");
  if (offsets.size() != 2 || offsets[0] > offsets[1])
    refuse_tensor(path, name, "data_offsets are ", shown(offsets), "; expected [begin, end] with begin <= end");
  entry.begin = offsets[0];
  entry.end = offsets[1];
  if (entry.end > data_size)
    refuse_tensor(path, name, "data_offsets end at ", entry.end, " but the file holds ", data_size,
                  " bytes of data (is it truncated?)");
  if (entry.end - entry.begin != bytes)
    refuse_tensor(path, name, "data_offsets span ", entry.end - entry.begin, " bytes but shape ", shape_shown, " of ",
                  shown(*dtype), " takes ", bytes);
  return entry;
}

// Puts the entries in the order of their data; each byte must belong to exactly one of them.
void check_layout(const fs::path& path, std::vector<Entry>& entries, std::uint64_t data_size) {
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.begin != b.begin ? a.begin < b.begin : a.end < b.end; });
  std::uint64_t next = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != next)
      refuse_tensor(path, entry.name, "its data begin at byte ", entry.begin, " but those before end at ", next,
                    entry.begin < next ? " (they overlap)" : " (a gap)");
    next = entry.end;
  }
  if (next != data_size)
    refuse(path, "the tensors end at byte ", next, " but the file holds ", data_size,
           " bytes of data (trailing bytes)");
}

// A file at the end of its header.
struct Opened {
  std::ifstream in;
  Json header = {};
  std::uint64_t data_size = 0;  // bytes behind it
};

Opened opened(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::is_regular_file(status)) refuse(path, error ? error.message() : "Not a regular file");
  Opened file{.in = std::ifstream(path, std::ios::binary)};
  if (!file.in) refuse(path, "cannot open for reading: ", system_message(errno));
  const std::uint64_t file_size = fs::file_size(path, error);
  if (error) refuse(path, "cannot tell its size: ", error.message());
  const std::string header = header_of(path, file.in, file_size);
  file.data_size = file_size - prefix_size - header.size();
  file.header = parsed_header(path, header);
  return file;
}

}  // namespace

TensorFile read_safetensors(const fs::path& path, TensorKinds accepted) {
  auto [in, description, data_size] = opened(path);
  TensorFile file;
  std::vector<Entry> entries;
  for (const auto& [name, value] : description.items()) {
    if (name != metadata_key) {
      entries.push_back(entry_of(path, name, description, data_size, accepted));
      continue;
    }
    if (!value.is_object()) refuse(path, name, " is ", shown(value), "; expected a JSON object of strings");
    for (const auto& [key, entry] : value.items()) {
      if (!entry.is_string()) refuse(path, name, " ", shown(key), " is ", shown(entry), "; expected a string");
      file.metadata[key] = entry.get<std::string>();
    }
  }
  // Before anything is allocated: tensors that share their bytes could ask for far more than the file's size.
  check_layout(path, entries, data_size);
  double memory = 0;  // some become larger while what was stored is still there
  for (const Entry& entry : entries)
    memory += static_cast<double>(entry.dtype->memory) * static_cast<double>(entry.shape.size());
  require_memory(memory, path.string());
  for (const Entry& entry : entries)
    file.tensors[entry.name] = {.values = entry.dtype->read(path, in, entry), .is_vector = entry.is_vector};
  return file;
}

std::vector<std::string> tensor_names(const fs::path& path) {
  const Opened file = opened(path);
  std::vector<std::string> names;
  for (const auto& [name, value] : file.header.items())
    if (name != metadata_key) names.push_back(name);
  return names;
}

bool is_safetensors_file(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return false;
  const std::uint64_t size = fs::file_size(path, ignored);
  std::array<char, prefix_size + 1> beginning{};
  std::ifstream in(path, std::ios::binary);
  if (ignored || !in.read(beginning.data(), beginning.size())) return false;
  std::uint64_t header_size = 0;
  std::copy_n(beginning.data(), prefix_size, reinterpret_cast<char*>(&header_size));
  return beginning.back() == '{' && header_size <= std::min(header_limit, size - prefix_size);
}

void write_safetensors(const fs::path& path, const TensorFile& file) {
  nlohmann::ordered_json description = nlohmann::ordered_json::object();
  if (!file.metadata.empty()) description[std::string(metadata_key)] = file.metadata;
  std::vector<std::string_view> chunks;  // the tensors' bytes in the order of the file
  std::uint64_t end = 0;
  const auto append = [&]<class T>(const std::string& name, const Tensor& tensor, const Matrix<T>& values) {
    if (name == metadata_key) refuse_tensor(path, name, "this name is reserved by the format");
    if (tensor.is_vector && values.rows() != 1)
      refuse_tensor(path, name, "a vector has one row but the matrix is ", values.shape());
    const std::uint64_t size = sizeof(T) * static_cast<std::uint64_t>(values.size());
    auto shape = nlohmann::ordered_json::array();
    if (!tensor.is_vector) shape.push_back(values.rows());
    shape.push_back(values.cols());
    auto& entry = description[name];
    entry["dtype"] = sizeof(T) == 8 ? "F64" : "F32";
    entry["shape"] = shape;
    entry["data_offsets"] = {end, end + size};
    chunks.emplace_back(reinterpret_cast<const char*>(values.data()), size);
    end += size;
  };
  // Doubles first, so that every tensor is aligned to its own type; some readers map the file and rely on it.
  for (const auto& [name, tensor] : file.tensors)
    if (const auto* values = std::get_if<Matrix<double>>(&tensor.values)) append(name, tensor, *values);
  for (const auto& [name, tensor] : file.tensors)
    if (const auto* values = std::get_if<Matrix<float>>(&tensor.values)) append(name, tensor, *values);

  std::string header;
  try {
    header = description.dump();
  } catch (const Json::exception& error) {
    refuse(path, "a name or a metadata text is not UTF-8: ", shown(error.what(), 200));
  }
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const std::uint64_t header_size = header.size();
  if (header_size > header_limit)
    refuse(path, "the header would take ", header_size, " bytes; at most ", header_limit, " are accepted");

  const auto must = [&](bool succeeded) {
    if (!succeeded)
      throw_unwritable<InputError>(errno, text(path.string(), ": cannot be written: ", system_message(errno)));
  };
  AtomicFile out(path);
  must(out.is_open() && out.write({reinterpret_cast<const char*>(&header_size), prefix_size}) && out.write(header));
  for (const std::string_view chunk : chunks) must(out.write(chunk));
  must(out.finish());
}

template <class T>
Matrix<T> values_as(const Tensor& tensor) {
  return std::visit([](const auto& stored) { return converted<T>(stored.view()); }, tensor.values);
}

template Matrix<float> values_as(const Tensor&);
template Matrix<double> values_as(const Tensor&);

}  // namespace normalign
