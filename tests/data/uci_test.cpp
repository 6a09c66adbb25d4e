#include "data/uci.hpp"

#include <algorithm>
#include <map>
#include <sstream>

#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/reference.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

namespace fs = std::filesystem;
using Files = std::map<std::string, std::string>;

// Five rows, two features, three classes, and a test file of one row.
Files toy_files() {
  return {{"toy.txt",
           "n_entradas= 2\nn_clases= 3\nn_arquivos= 2\nfich1= toy_train_R.dat\nn_patrons1= 5\nfich2= toy_test_R.dat\n"
           "n_patrons2= 1\nn_patrons_entrena= 3\nn_patrons_valida= 2\nn_conxuntos= 1\n"},
          {"toy_train_R.dat",
           "\tf1\tf2\tclase\n1\t0.5\t-4.5e-05\t0\n2\t1\t2\t1\n3\t1\t2\t2\n4\t-1.25\t+3\t1\n5\t7\t8\t0\n"},
          {"toy_test_R.dat", "\tf1\tf2\tclase\n1\t9\t10\t2\n"},
          {"conxuntos.dat", "4 0 2 \n3 1 \n"},
          {"conxuntos_kfold.dat", "0 1 2 \n3 4 \n4 3 2 \n1 0 \n0 2 4 \n1 3 \n1 3 4 \n0 2 \n"}};
}

fs::path write_toy(const TemporaryFolder& folder, const Files& files) {
  fs::create_directories(folder / "toy");
  for (const auto& [name, content] : files) write_file(folder / "toy" / name, content);
  return folder / "toy";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

void check_toy(const UciDataset& toy) {
  CHECK(toy.name == "toy");
  CHECK(toy.data.inputs == Matrix<double>{{0.5, -4.5e-05}, {1, 2}, {1, 2}, {-1.25, 3}, {7, 8}});
  CHECK(toy.data.labels == std::vector<std::int32_t>{0, 1, 2, 1, 0});
  CHECK(toy.data.classes == 3);
  CHECK(toy.selection.train == std::vector<Index>{4, 0, 2});
  CHECK(toy.selection.test == std::vector<Index>{3, 1});
  REQUIRE(toy.folds.size() == 4);
  CHECK(toy.folds[0].train == std::vector<Index>{0, 1, 2});
  CHECK(toy.folds[1].test == std::vector<Index>{1, 0});
  CHECK(toy.folds[2].train == std::vector<Index>{0, 2, 4});
  CHECK(toy.folds[3].test == std::vector<Index>{0, 2});
}

// One change to a good data set and what the reader says to it, without the folder.
struct Fault {
  const char* file;
  const char* from;
  const char* to;
  const char* message;
};

const Fault faults[] = {
    {"toy.txt", "n_clases= 3\n", "", "toy.txt: found no line n_clases=, expected one"},
    {"toy.txt", "fich2= toy_test_R.dat\n", "", "toy.txt: found no line fich2=, expected one"},
    {"toy.txt", "n_conxuntos= 1", "n_clases= 3",
     "toy.txt: line 10: found n_clases= again, expected it on line 2 alone"},
    {"toy.txt", "n_clases= 3", "n_clases=3",
     "toy.txt: line 2: found 'n_clases=3', expected a key that ends in '=', one blank, one word"},
    {"toy.txt", "n_clases= 3", "n_clases= 3 4",
     "toy.txt: line 2: found 'n_clases= 3 4', expected a key that ends in '=', one blank, one word"},
    {"toy.txt", "n_clases= 3", "", "toy.txt: line 2: found '', expected a key that ends in '=', one blank, one word"},
    {"toy.txt", "n_entradas= 2", "n_entradas= two",
     "toy.txt: line 1: n_entradas= found 'two', expected a whole number from 1 to 2147483647"},
    {"toy.txt", "n_entradas= 2", "n_entradas= 0",
     "toy.txt: line 1: n_entradas= found '0', expected a whole number from 1 to 2147483647"},
    {"toy.txt", "n_entradas= 2", "n_entradas= -2",
     "toy.txt: line 1: n_entradas= found '-2', expected a whole number from 1 to 2147483647"},
    {"toy.txt", "n_entradas= 2", "n_entradas= 99999999999999999999",
     "toy.txt: line 1: n_entradas= found '99999999999999999999', expected a whole number from 1 to 2147483647"},
    {"toy.txt", "n_clases= 3", "n_clases= 40000000",
     "toy.txt: line 2: n_clases= found '40000000', expected at most 5, as many as there are rows (n_patrons1=)"},
    {"toy.txt", "n_arquivos= 2", "n_arquivos= 3",
     "toy.txt: line 3: n_arquivos= found '3', expected a whole number from 1 to 2"},
    {"toy.txt", "n_conxuntos= 1", "n_conxuntos= 2", "toy.txt: line 10: n_conxuntos= found '2', expected 1"},
    {"toy.txt", "n_patrons_valida= 2", "n_patrons_valida= 3",
     "toy.txt: line 9: n_patrons_valida= found '3', expected 2, which is n_patrons1= less n_patrons_entrena="},
    {"toy.txt", "toy_train_R.dat", "../toy_train_R.dat",
     "toy.txt: line 4: fich1= found '../toy_train_R.dat', expected the name of a file in the same folder"},
    {"toy.txt", "toy_train_R.dat", "toy\x01.dat",
     "toy.txt: line 4: fich1= found 'toy?.dat', expected the name of a file in the same folder"},
    {"toy.txt", "toy_train_R.dat", "none.dat", "none.dat: cannot be read: No such file or directory"},
    {"toy.txt", "n_patrons1= 5", "n_patrons1= 4",
     "toy.txt: line 9: n_patrons_valida= found '2', expected 1, which is n_patrons1= less n_patrons_entrena="},
    {"toy_train_R.dat", "5\t7\t8\t0\n", "", "toy_train_R.dat: line 6: found the end of the file, expected row 5 of 5"},
    {"toy_train_R.dat", "5\t7\t8\t0\n", "5\t7\t8\t0\n6\t7\t8\t0\n",
     "toy_train_R.dat: line 7: found '6?7?8?0', expected the end of the file after row 5"},
    {"toy_train_R.dat", "5\t7\t8\t0\n", "5\t7",
     "toy_train_R.dat: line 6: found 2 fields, expected 4 with a tab between each two"},
    {"toy_train_R.dat", "\n2\t1\t2\t1", "\n\n2\t1\t2\t1",
     "toy_train_R.dat: line 3: found 1 fields, expected 4 with a tab between each two"},
    {"toy_train_R.dat", "2\t1\t2\t1", "2\t1\t2\t2\t1",
     "toy_train_R.dat: line 3: found 5 fields, expected 4 with a tab between each two"},
    {"toy_train_R.dat", "2\t1\t2\t1", "2 1 2 1",
     "toy_train_R.dat: line 3: found 1 fields, expected 4 with a tab between each two"},
    {"toy_train_R.dat", "\tf1\tf2\tclase", "\tf1\tclase",
     "toy_train_R.dat: line 1: found 3 fields, expected 4 with a tab between each two"},
    {"toy_train_R.dat", "\tf1\tf2\tclase\n", "",
     "toy_train_R.dat: line 1: found '1' in front of the first tab, expected a header, with nothing there"},
    {"toy_train_R.dat", "3\t1\t2\t2", "4\t1\t2\t2", "toy_train_R.dat: line 4: row number: found '4', expected 3"},
    {"toy_train_R.dat", "-1.25", "-1.2x5",
     "toy_train_R.dat: line 5: feature 1: found '-1.2x5', expected a finite number"},
    {"toy_train_R.dat", "-1.25", "", "toy_train_R.dat: line 5: feature 1: found '', expected a finite number"},
    {"toy_train_R.dat", "+3", "+-3", "toy_train_R.dat: line 5: feature 2: found '+-3', expected a finite number"},
    {"toy_train_R.dat", "+3", "nan", "toy_train_R.dat: line 5: feature 2: found 'nan', expected a finite number"},
    {"toy_train_R.dat", "+3", "-inf", "toy_train_R.dat: line 5: feature 2: found '-inf', expected a finite number"},
    {"toy_train_R.dat", "+3", "1e999", "toy_train_R.dat: line 5: feature 2: found '1e999', expected a finite number"},
    {"toy_train_R.dat", "+3", " 3", "toy_train_R.dat: line 5: feature 2: found ' 3', expected a finite number"},
    {"toy_train_R.dat", "2\t2\n", "2\t3\n",
     "toy_train_R.dat: line 4: class: found '3', expected a whole number from 0 to 2"},
    {"toy_train_R.dat", "2\t2\n", "2\t-1\n",
     "toy_train_R.dat: line 4: class: found '-1', expected a whole number from 0 to 2"},
    {"toy_train_R.dat", "2\t2\n", "2\t1.0\n",
     "toy_train_R.dat: line 4: class: found '1.0', expected a whole number from 0 to 2"},
    {"toy_test_R.dat", "10\t2", "10\t3",
     "toy_test_R.dat: line 2: class: found '3', expected a whole number from 0 to 2"},
    {"conxuntos.dat", "4 0 2", "5 0 2", "conxuntos.dat: line 1: found '5', expected a row index from 0 to 4"},
    {"conxuntos.dat", "4 0 2", "4 0 2x", "conxuntos.dat: line 1: found '2x', expected a row index from 0 to 4"},
    {"conxuntos.dat", "4 0 2", "4 -1 2", "conxuntos.dat: line 1: found '-1', expected a row index from 0 to 4"},
    {"conxuntos.dat", "3 1", "3 0 1", "conxuntos.dat: line 2: found row 0 again, expected it once: line 1 has it"},
    {"conxuntos.dat", "4 0 2", "4 0 2 4", "conxuntos.dat: line 1: found row 4 again, expected it once: line 1 has it"},
    {"conxuntos.dat", "3 1", "3", "conxuntos.dat: line 2: found no row 1, expected it here or on line 1"},
    {"conxuntos.dat", "\n3 1 \n", "", "conxuntos.dat: line 2: found the end of the file, expected line 2 of 2"},
    {"conxuntos.dat", "4 0 2 \n3 1", "4 0 2 3 \n1",
     "conxuntos.dat: line 1: found 4 rows, expected 3 as n_patrons_entrena= tells"},
    {"conxuntos.dat", "3 1", "\n3 1", "conxuntos.dat: line 2: found no row, expected at least one"},
    {"conxuntos_kfold.dat", "1 3 4 \n0 2 \n", "",
     "conxuntos_kfold.dat: line 7: found the end of the file, expected line 7 of 8"},
    {"conxuntos_kfold.dat", "1 3 4 \n0 2 \n", "1 3 4 \n0 2 \n0 1\n",
     "conxuntos_kfold.dat: line 9: found '0 1', expected the end of the file after line 8"},
    {"conxuntos_kfold.dat", "1 0 ", "1 0 3 ",
     "conxuntos_kfold.dat: line 4: found row 3 again, expected it once: line 3 has it"},
    {"conxuntos_kfold.dat", "1 3 4 \n0 2", "1 3 4 \n2",
     "conxuntos_kfold.dat: line 8: found no row 0, expected it here or on line 7"},
};

}  // namespace

TEST_CASE("a UCI data set is read from its folder, with LF or CR LF, however the folder is named", "[data]") {
  const TemporaryFolder folder;
  Files files = toy_files();
  for (const std::string end : {"\n", "\r\n", "\r\n\r\n"}) {
    // Blank lines are put at the ends of files alone.
    for (auto& [name, content] : files)
      content = replaced(toy_files()[name], "\n", end.substr(0, 2)) + (end.size() > 2 ? "\r\n" : "");
    const fs::path toy = write_toy(folder, files);
    check_toy(uci_dataset(toy));
    check_toy(uci_dataset(toy / ""));
    check_toy(uci_dataset(toy / ".." / "toy" / "."));
    const auto test_file = uci_dataset(toy).test_file;
    REQUIRE(test_file);
    CHECK(test_file->inputs == Matrix<double>{{9, 10}});
    CHECK(test_file->labels == std::vector<std::int32_t>{2});
    CHECK(test_file->classes == 3);
  }
  files["toy.txt"] = replaced(toy_files()["toy.txt"], "n_arquivos= 2", "n_arquivos= 1\nanother_key= word");
  CHECK_FALSE(uci_dataset(write_toy(folder, files)).test_file);
}

TEST_CASE("a UCI file with a fault is refused by file and line", "[data]") {
  for (const Fault& fault : faults) {
    CAPTURE(fault.file, fault.from, fault.to);
    const TemporaryFolder folder;
    Files files = toy_files();
    files[fault.file] = replaced(files[fault.file], fault.from, fault.to);
    REQUIRE(files[fault.file] != toy_files()[fault.file]);
    const fs::path toy = write_toy(folder, files);
    CHECK(message_of<InputError>([&] { uci_dataset(toy); }) == (toy / fault.message).string());
  }
}

TEST_CASE("a UCI file that is empty or missing is refused by its name", "[data]") {
  for (const auto& [name, content] : toy_files()) {
    CAPTURE(name);
    const TemporaryFolder folder;
    const fs::path toy = write_toy(folder, toy_files());
    write_file(toy / name, "");
    const std::string expected = name == "toy.txt"         ? ": found no line n_entradas=, expected one"
                                 : name.ends_with("R.dat") ? ": line 1: found the end of the file, expected a header"
                                 : name == "conxuntos.dat"
                                     ? ": line 1: found the end of the file, expected line 1 of 2"
                                     : ": line 1: found the end of the file, expected line 1 of 8";
    CHECK(message_of<InputError>([&] { uci_dataset(toy); }) == (toy / name).string() + expected);
    fs::remove(toy / name);
    CHECK(message_of<InputError>([&] { uci_dataset(toy); }) ==
          (toy / name).string() + ": cannot be read: No such file or directory");
    fs::create_directory(toy / name);
    CHECK(message_of<InputError>([&] { uci_dataset(toy); }) ==
          (toy / name).string() + ": cannot be read: Is a directory");
  }
}

TEST_CASE("every cut of a UCI file is refused, but for its last line end", "[data]") {
  const TemporaryFolder folder;
  const fs::path toy = write_toy(folder, toy_files());
  for (const auto& [name, content] : toy_files()) {
    const std::size_t needed = content.find_last_not_of(" \n") + 1;
    for (std::size_t length = 0; length <= content.size(); ++length) {
      CAPTURE(name, length);
      write_file(toy / name, content.substr(0, length));
      if (length >= needed)
        check_toy(uci_dataset(toy));
      else
        CHECK(message_of<InputError>([&] { uci_dataset(toy); }).starts_with(toy.string()));
    }
    write_file(toy / name, content);
  }
}

TEST_CASE("the names of a UCI collection are the folders that describe themselves", "[data]") {
  const TemporaryFolder folder;
  CHECK(uci_names(folder.path()).empty());
  for (const char* name : {"wine", "Zoo", "abalone", "empty"}) fs::create_directory(folder / name);
  for (const char* name : {"wine", "Zoo", "abalone"}) write_file(folder / name / (std::string(name) + ".txt"), "");
  write_file(folder / "wine.txt", "");
  CHECK(uci_names(folder.path()) == std::vector<std::string>{"Zoo", "abalone", "wine"});
  CHECK(message_of<InputError>([&] { uci_names(folder / "none"); }) ==
        (folder / "none").string() + ": cannot be read: No such file or directory");
  CHECK(message_of<InputError>([&] { uci_names(folder / "wine.txt"); }) ==
        (folder / "wine.txt").string() + ": cannot be read: Not a directory");
}

TEST_CASE("conformance: the UCI data sets have the sizes of the published table") {
  const auto reference = reference_folder();
  if (!reference || !fs::is_directory(*reference / "../uci"))
    return skip("UCI data sets: ../shared/data/uci is not there and NORMALIGN_REFERENCE is not set");
  std::istringstream table(read_file(*reference / "rfm_vs_rfam.tsv"));
  std::string line, name;
  std::getline(table, line);
  std::vector<std::string> names;
  while (std::getline(table, line)) {
    Index n = 0, d = 0, classes = 0;
    std::istringstream(line) >> name >> n >> d >> classes;
    CAPTURE(name);
    names.push_back(name);
    const UciDataset set = uci_dataset(*reference / "../uci" / name);
    CHECK(set.name == name);
    CHECK(set.data.inputs.rows() + (set.test_file ? set.test_file->inputs.rows() : 0) == n);
    CHECK(set.data.inputs.cols() == d);
    CHECK(set.data.classes == classes);
    CHECK(*std::ranges::max_element(set.data.labels) == classes - 1);
    for (const Fold& fold : set.folds) CHECK(fold.test.size() == set.folds.front().test.size());
  }
  CHECK(names == uci_names(*reference / "../uci"));
  CHECK(names.size() == 60);
}

}  // namespace normalign::tests
