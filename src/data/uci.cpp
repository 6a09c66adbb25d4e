#include "data/uci.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <system_error>

#include "base/error.hpp"
#include "base/file_content.hpp"
#include "base/number_text.hpp"

namespace normalign {
namespace {

namespace fs = std::filesystem;

// A text file line by line, without the line ends.
class Lines {
 public:
  explicit Lines(const fs::path& path) : path_(path), content_(file_content(path)), rest_(content_) {
    rest_.remove_suffix(rest_.size() - (rest_.find_last_not_of(" \t\r\n") + 1));
  }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  /// Goes to the next line; false at the end.
  bool next() {
    ++number_;
    if (rest_.empty()) return false;
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    line_ = rest_.substr(0, end);
    if (line_.ends_with('\r')) line_.remove_suffix(1);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return true;
  }
  /// The next line, which must be there, and is `what`.
  template <class... Parts>
  std::string_view expect(const Parts&... what) {
    if (!next()) refuse("found the end of the file, expected ", what...);
    return line_;
  }
  /// The file must end here, after `what`.
  template <class... Parts>
  void expect_end(const Parts&... what) {
    if (next()) refuse("found '", one_line(line_), "', expected the end of the file after ", what...);
  }

  std::string_view line() const { return line_; }
  /// From 1 on.
  Index number() const { return number_; }

  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    refuse_at(number_, parts...);
  }
  template <class... Parts>
  [[noreturn]] void refuse_at(Index number, const Parts&... parts) const {
    throw InputError(text(path_.string(), ": line ", number, ": ", parts...));
  }

 private:
  fs::path path_;
  std::string content_;
  std::string_view rest_, line_;
  Index number_ = 0;
};

// NAME.txt.
class Description {
 public:
  explicit Description(const fs::path& path) : path_(path), lines_(path) {
    while (lines_.next()) {
      const std::string_view line = lines_.line();
      const std::size_t blank = line.find(' ');
      const std::string_view key = line.substr(0, blank);
      const std::string_view value = blank == line.npos ? std::string_view() : line.substr(blank + 1);
      if (!key.ends_with('=') || value.empty() || value.find(' ') != value.npos)
        lines_.refuse("found '", one_line(line), "', expected a key that ends in '=', one blank, one word");
      const auto [before, is_new] = entries_.try_emplace(key, Entry{value, lines_.number()});
      if (!is_new)
        lines_.refuse("found ", one_line(key), " again, expected it on line ", before->second.line, " alone");
    }
  }

  Index number(std::string_view key, Index least, Index most) const {
    const Entry& entry = at(key);
    const auto value = whole_number(entry.value);
    if (value && *value >= least && *value <= most) return *value;
    const std::string range = least == most ? text(least) : text("a whole number from ", least, " to ", most);
    refuse_value(key, "expected " + range);
  }

  std::string file_name(std::string_view key) const {
    const std::string_view name = at(key).value;
    if (!std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~' && c != '/'; }) || name == "." ||
        name == "..")
      refuse_value(key, "expected the name of a file in the same folder");
    return std::string(name);
  }

  [[noreturn]] void refuse_value(std::string_view key, const std::string& expected) const {
    const Entry& entry = at(key);
    lines_.refuse_at(entry.line, key, " found '", one_line(entry.value), "', ", expected);
  }

 private:
  struct Entry {
    std::string_view value;
    Index line;
  };

  const Entry& at(std::string_view key) const {
    const auto found = entries_.find(key);
    if (found == entries_.end()) throw InputError(text(path_.string(), ": found no line ", key, ", expected one"));
    return found->second;
  }

  fs::path path_;
  Lines lines_;
  std::map<std::string_view, Entry> entries_;
};

Dataset<double> data_file(const fs::path& path, Index rows, Index features, Index classes) {
  Lines lines(path);
  std::vector<std::string_view> fields;
  const auto split = [&](std::string_view line) {
    fields.clear();
    for (std::size_t begin = 0; begin <= line.size();) {
      const std::size_t end = std::min(line.find('\t', begin), line.size());
      fields.push_back(line.substr(begin, end - begin));
      begin = end + 1;
    }
    if (static_cast<Index>(fields.size()) != features + 2)
      lines.refuse("found ", fields.size(), " fields, expected ", features + 2, " with a tab between each two");
  };
  split(lines.expect("a header"));
  if (!fields.front().empty())
    lines.refuse("found '", one_line(fields.front()),
                 "' in front of the first tab, expected a header, with nothing there");

  // What is allocated follows what is there, not what the description tells.
  LargeVector<double> values;
  std::vector<std::int32_t> labels;
  for (Index row = 1; row <= rows; ++row) {
    split(lines.expect("row ", row, " of ", rows));
    if (whole_number(fields.front()) != row)
      lines.refuse("row number: found '", one_line(fields.front()), "', expected ", row);
    for (Index j = 1; j <= features; ++j) {
      const std::string_view field = fields[static_cast<std::size_t>(j)];
      const auto value = number_in(field);
      if (!value) lines.refuse("feature ", j, ": found '", one_line(field), "', expected a finite number");
      values.push_back(*value);
    }
    const auto label = whole_number(fields.back());
    if (!label || *label >= classes)
      lines.refuse("class: found '", one_line(fields.back()), "', expected a whole number from 0 to ", classes - 1);
    labels.push_back(static_cast<std::int32_t>(*label));
  }
  lines.expect_end("row ", rows);
  return {Matrix<double>(rows, features, std::move(values)), std::move(labels), classes};
}

// `count` folds, two lines each, of the rows 0, ..., rows - 1.
std::vector<Fold> fold_file(const fs::path& path, Index count, Index rows) {
  Lines lines(path);
  std::vector<Fold> folds(static_cast<std::size_t>(count));
  for (Fold& fold : folds) {
    std::vector<Index> line_of(static_cast<std::size_t>(rows));
    for (auto* side : {&fold.train, &fold.test}) {
      std::string_view rest = lines.expect("line ", lines.number() + 1, " of ", 2 * count);
      while (true) {
        rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
        if (rest.empty()) break;
        const std::string_view field = rest.substr(0, rest.find(' '));
        rest.remove_prefix(field.size());
        const auto row = whole_number(field);
        if (!row || *row >= rows)
          lines.refuse("found '", one_line(field), "', expected a row index from 0 to ", rows - 1);
        Index& before = line_of[static_cast<std::size_t>(*row)];
        if (before != 0) lines.refuse("found row ", *row, " again, expected it once: line ", before, " has it");
        before = lines.number();
        side->push_back(*row);
      }
      if (side->empty()) lines.refuse("found no row, expected at least one");
    }
    const auto missing = std::ranges::find(line_of, 0);
    if (missing != line_of.end())
      lines.refuse("found no row ", missing - line_of.begin(), ", expected it here or on line ", lines.number() - 1);
  }
  lines.expect_end("line ", 2 * count);
  return folds;
}

// The name of "a/b/" is b too, and that of "." is that of the folder it stands for.
std::string name_of(const fs::path& folder) {
  return (fs::absolute(folder) / "").lexically_normal().parent_path().filename().string();
}

constexpr const char* selection_name = "conxuntos.dat";
constexpr const char* folds_name = "conxuntos_kfold.dat";
constexpr Index most = std::numeric_limits<std::int32_t>::max();

UciSize size_in(const Description& description) {
  // In the order of the file, so that a message names the first fault.
  const Index features = description.number("n_entradas=", 1, most), classes = description.number("n_clases=", 1, most),
              rows = description.number("n_patrons1=", 2, most);
  if (classes > rows)
    description.refuse_value("n_clases=", text("expected at most ", rows, ", as many as there are rows (n_patrons1=)"));
  return {.rows = rows, .features = features, .classes = classes};
}

}  // namespace

UciSize uci_size(const fs::path& folder) { return size_in(Description(folder / (name_of(folder) + ".txt"))); }

UciDataset uci_dataset(const fs::path& folder) {
  UciDataset set{.name = name_of(folder), .data = {}, .test_file = {}, .selection = {}, .folds = {}};
  const Description description(folder / (set.name + ".txt"));
  const auto [rows, features, classes] = size_in(description);
  const Index files = description.number("n_arquivos=", 1, 2);
  const Index train = description.number("n_patrons_entrena=", 1, rows - 1);
  if (description.number("n_patrons_valida=", 1, rows - 1) != rows - train)
    description.refuse_value("n_patrons_valida=",
                             text("expected ", rows - train, ", which is n_patrons1= less n_patrons_entrena="));
  description.number("n_conxuntos=", 1, 1);

  set.data = data_file(folder / description.file_name("fich1="), rows, features, classes);
  if (files == 2)
    set.test_file = data_file(folder / description.file_name("fich2="), description.number("n_patrons2=", 1, most),
                              features, classes);
  const fs::path selection_path = folder / selection_name;
  set.selection = fold_file(selection_path, 1, rows).front();
  if (static_cast<Index>(set.selection.train.size()) != train)
    throw InputError(text(selection_path.string(), ": line 1: found ", set.selection.train.size(), " rows, expected ",
                          train, " as n_patrons_entrena= tells"));
  set.folds = fold_file(folder / folds_name, 4, rows);
  return set;
}

std::vector<fs::path> uci_files(const fs::path& folder) {
  const fs::path description_path = folder / (name_of(folder) + ".txt");
  const Description description(description_path);
  std::vector<fs::path> files = {description_path, folder / description.file_name("fich1=")};
  if (description.number("n_arquivos=", 1, 2) == 2) files.push_back(folder / description.file_name("fich2="));
  files.insert(files.end(), {folder / selection_name, folder / folds_name});
  return files;
}

std::vector<std::string> uci_names(const fs::path& collection) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(collection, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (fs::is_regular_file(entry->path() / (name + ".txt"), ignored)) names.push_back(name);
  }
  if (error) throw InputError(text(collection.string(), ": cannot be read: ", error.message()));
  std::ranges::sort(names);
  return names;
}

}  // namespace normalign
