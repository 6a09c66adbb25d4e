// scripts/data against a server on loopback: what is kept, what is refused, what is asked for.
#include <algorithm>

#include "support/catch.hpp"
#include "support/http_server.hpp"
#include "support/message_of.hpp"
#include "support/program.hpp"
#include "support/subprocess.hpp"

namespace normalign::tests {
namespace {

namespace fs = std::filesystem;
using Requests = std::vector<std::string>;

// Two messages with the sums that FIPS 180-2 gives for them.
const std::string first_content = "abc";
const std::string first_sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const std::string second_content = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
const std::string second_sum = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";

bool without_script(const std::string& test) {
  if (!fs::exists("scripts/data"))
    skip(test + ": scripts/ is not below this folder");
  else if (run({"/usr/bin/env", "curl", "--version"}).status != 0)
    skip(test + ": there is no curl");
  else
    return false;
  return true;
}

// Runs the script for the files "first.gz" and "second.gz".
Finished fetch(const fs::path& folder, const std::string& mirrors) {
  return run({"/usr/bin/env", "no_proxy=127.0.0.1", "MNIST_MIRRORS=" + mirrors,
              "MNIST_SUMS=" + first_sum + "  first.gz\n" + second_sum + "  second.gz\n", "scripts/data", "mnist",
              folder.string()});
}

// The names of what lies in a folder, sorted.
std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

void check_complete(const fs::path& folder) {
  CHECK(names_in(folder) == std::vector<std::string>{"first.gz", "second.gz"});
  CHECK(read_file(folder / "first.gz") == first_content);
  CHECK(read_file(folder / "second.gz") == second_content);
}

// Status 2, one line that names the file and holds `reason`; nothing but `left` lies in the folder.
void check_refused(const Finished& finished, const fs::path& folder, const std::string& file, const std::string& reason,
                   const std::vector<std::string>& left) {
  CAPTURE(finished.out, finished.err);
  CHECK(finished.status == 2);
  CHECK(lines(finished.err).size() == 1);
  CHECK(finished.err.starts_with("data: " + (folder / file).string() + ": "));
  CHECK(contains(finished.err, reason));
  CHECK(names_in(folder) == left);
}

std::map<std::string, HttpAnswer> good_answers() {
  return {{"/first.gz", http_ok(first_content)}, {"/second.gz", http_ok(second_content)}};
}

// The address of a port on which nobody listens.
std::string refusing_address() { return HttpServer({}).address(); }

}  // namespace

TEST_CASE("data: good files are fetched once, into a folder that is made") {
  if (without_script("data script")) return;
  const TemporaryFolder folder;
  const HttpServer server(good_answers());
  const fs::path target = folder / "new/mnist";
  for (int time = 0; time < 2; ++time) {
    const Finished finished = fetch(target, server.address());
    CAPTURE(time, finished.out, finished.err);
    CHECK(finished.status == 0);
    CHECK(finished.err.empty());
    check_complete(target);
    CHECK(server.requests() == Requests{"/first.gz", "/second.gz"});
  }
}

TEST_CASE("data: a mirror's address may lack its last slash") {
  if (without_script("data script")) return;
  const TemporaryFolder folder;
  const HttpServer server({{"/below/first.gz", http_ok(first_content)}, {"/below/second.gz", http_ok(second_content)}});
  CHECK(fetch(folder.path(), server.address() + "below").status == 0);
  check_complete(folder.path());
}

TEST_CASE("data: wrong content is refused and leaves nothing behind") {
  if (without_script("data script")) return;
  const TemporaryFolder folder;
  auto answers = good_answers();
  answers["/second.gz"] = http_ok("something else");
  const HttpServer server(answers);
  check_refused(fetch(folder.path(), server.address()), folder.path(), "second.gz", ", expected " + second_sum,
                {"first.gz"});
}

TEST_CASE("data: a transfer that breaks off is refused, told its length or not") {
  if (without_script("data script")) return;
  for (const long length : {3L, -1L}) {
    CAPTURE(length);
    const TemporaryFolder folder;
    const HttpServer server({{"/first.gz", {.body = "ab", .length = length}}});
    check_refused(fetch(folder.path(), server.address()), folder.path(), "first.gz",
                  server.address() + "first.gz: ", {});
  }
}

TEST_CASE("data: the next mirror is tried where one has no file, a wrong one, half of one or does not answer") {
  if (without_script("data script")) return;
  const HttpServer empty({});
  const HttpServer wrong({{"/first.gz", http_ok("abd")}, {"/second.gz", {.status = 500, .body = "abc", .length = 3}}});
  const HttpServer broken({{"/first.gz", {.body = "a", .length = 3}}});
  const std::string mirrors[] = {empty.address(), wrong.address(), broken.address(), refusing_address(),
                                 "http://127.0.0.1:1/nobody/"};
  for (const std::string& mirror : mirrors) {
    const TemporaryFolder folder;
    const HttpServer good(good_answers());
    const Finished finished = fetch(folder.path(), mirror + " " + good.address());
    CAPTURE(mirror, finished.out, finished.err);
    CHECK(finished.status == 0);
    CHECK(finished.err.empty());
    check_complete(folder.path());
    CHECK(good.requests() == Requests{"/first.gz", "/second.gz"});
  }
  CHECK(empty.requests() == Requests{"/first.gz", "/second.gz"});
  CHECK(wrong.requests() == Requests{"/first.gz", "/second.gz"});
}

TEST_CASE("data: where no mirror has the file the message tells what each of them did") {
  if (without_script("data script")) return;
  const TemporaryFolder folder;
  const HttpServer empty({});
  const std::string refusing = refusing_address();
  const Finished finished = fetch(folder.path(), refusing + " " + empty.address());
  check_refused(finished, folder.path(), "first.gz", refusing + "first.gz: curl: (7)", {});
  CHECK(contains(finished.err, empty.address() + "first.gz: curl: (22)"));
  CHECK(contains(finished.err, "404"));
  CHECK(finished.err.ends_with("; fetched elsewhere, the files belong in " + folder.path().string() + "/\n"));
}

TEST_CASE("data: a file that is there is kept when right, not asked for again, and replaced when wrong") {
  if (without_script("data script")) return;
  const TemporaryFolder folder;
  const HttpServer server(good_answers());
  write_file(folder / "first.gz", first_content);
  write_file(folder / "second.gz", "spoiled");
  CHECK(fetch(folder.path(), server.address()).status == 0);
  check_complete(folder.path());
  CHECK(server.requests() == Requests{"/second.gz"});
}

TEST_CASE("data: what an interrupted download left does no harm") {
  if (without_script("data script")) return;
  const TemporaryFolder folder;
  const HttpServer server(good_answers());
  write_file(folder / "first.gz.tmp", std::string(1000, 'x'));
  CHECK(fetch(folder.path(), server.address()).status == 0);
  check_complete(folder.path());
}

TEST_CASE("data: a folder that cannot be made is refused in one line") {
  if (without_script("data script")) return;
  const TemporaryFolder folder;
  write_file(folder / "file", "");
  const Finished finished = fetch(folder / "file/mnist", refusing_address());
  CHECK(finished.status == 2);
  CHECK(finished.err == "data: " + (folder / "file/mnist").string() + ": cannot be made a folder\n");
}

namespace {

// A data set of three rows in the layout of the collection, in the folder `at`/`name`.
void write_dataset(const fs::path& at, const std::string& name, const std::string& value = "0.5") {
  fs::create_directories(at / name);
  write_file(at / name / (name + ".txt"), "n_entradas= 1\nn_clases= 2\nn_arquivos= 1\nfich1= " + name +
                                              "_R.dat\nn_patrons1= 3\nn_patrons_entrena= 2\nn_patrons_valida= 1\n"
                                              "n_conxuntos= 1\n");
  write_file(at / name / (name + "_R.dat"), "\tf1\tclase\n1\t" + value + "\t0\n2\t1\t1\n3\t2\t1\n");
  write_file(at / name / "conxuntos.dat", "0 1 \n2 \n");
  write_file(at / name / "conxuntos_kfold.dat", "0 1 \n2 \n0 2 \n1 \n1 2 \n0 \n2 1 \n0 \n");
  write_file(at / name / (name + ".arff"), "what nobody reads");
}

// The archive `name` below the folder, of what `paths` names in its subfolder "in".
std::string archive(const TemporaryFolder& folder, const std::string& name, const std::string& paths = "*") {
  const std::string file = (folder / name).string();
  const std::string pack = name.ends_with(".zip") ? "zip -qry " : "tar -czPf ";
  const Finished finished =
      run({"/bin/sh", "-c", "cd '" + (folder / "in").string() + "' && " + pack + "'" + file + "' " + paths});
  if (finished.status != 0) throw std::runtime_error("cannot make " + file + ": " + finished.err);
  return file;
}

bool without_zip() { return run({"/bin/sh", "-c", "command -v zip && command -v unzip"}).status != 0; }

std::vector<std::string> archive_names() {
  std::vector<std::string> names{"a.tar.gz", "a.tgz"};
  if (!without_zip()) names.push_back("a.zip");
  return names;
}

bool without_script_and_program(const std::string& test) { return without_script(test) || without_program(test); }

Finished unpack(const fs::path& folder, const std::string& archive) {
  return run(
      {"/usr/bin/env", "no_proxy=127.0.0.1", "scripts/data", "uci", folder.string(), archive, command({}).front()});
}

// Status 2 and one line: the archive and `reason`. Nothing is left beside what was there.
void check_not_unpacked(const TemporaryFolder& folder, const std::string& archive, const std::string& reason) {
  const auto before = names_in(folder.path());
  const Finished finished = unpack(folder / "uci", archive);
  CAPTURE(finished.out);
  CHECK(finished.status == 2);
  CHECK(finished.err == "data: " + archive + ": " + reason + "\n");
  CHECK(names_in(folder.path()) == before);
}

}  // namespace

TEST_CASE("data: an archive's data sets are unpacked, wherever they lie in it, and nothing else") {
  if (without_script_and_program("data script, archives")) return;
  for (const std::string& name : archive_names())
    for (const char* inside : {"", "deep/er [x]"}) {
      CAPTURE(name, inside);
      const TemporaryFolder folder;
      write_dataset(folder / "in" / inside, "one");
      write_dataset(folder / "in" / inside, "two-2");
      write_file(folder / "in" / inside / "README.txt", "");
      const std::string path = archive(folder, name, inside[0] ? "*" : "./*");
      const std::string bytes = read_file(path);
      const HttpServer server({{"/x", http_ok(bytes)}});
      for (const std::string& from : {path, server.address() + "x"}) {
        const fs::path target = folder / "new/uci";
        const Finished finished = unpack(target / "", from);
        CAPTURE(from, finished.out, finished.err);
        CHECK(finished.status == 0);
        CHECK(finished.err.empty());
        CHECK(finished.out == "  unpacked 2 data sets to " + target.string() + ", 0 more were there\n");
        CHECK(names_in(folder / "new") == std::vector<std::string>{"uci"});
        CHECK(names_in(target) == std::vector<std::string>{"one", "two-2"});
        CHECK(names_in(target / "one") ==
              std::vector<std::string>{"conxuntos.dat", "conxuntos_kfold.dat", "one.txt", "one_R.dat"});
        CHECK(read_file(target / "one/one_R.dat") == read_file(folder / "in" / inside / "one/one_R.dat"));
        fs::remove_all(target);
      }
    }
}

TEST_CASE("data: a data set that is there is kept, and what was interrupted does no harm") {
  if (without_script_and_program("data script, kept data sets")) return;
  const TemporaryFolder folder;
  write_dataset(folder / "in", "one");
  write_dataset(folder / "in", "two");
  write_dataset(folder / "uci", "one", "7");
  write_dataset(folder / "uci.tmp/sets", "one");
  const Finished finished = unpack(folder / "uci", archive(folder, "a.tgz"));
  CHECK(finished.status == 0);
  CHECK(finished.out == "  unpacked 1 data sets to " + (folder / "uci").string() + ", 1 more were there\n");
  CHECK(contains(read_file(folder / "uci/one/one_R.dat"), "1\t7\t0"));
  CHECK(names_in(folder / "uci") == std::vector<std::string>{"one", "two"});
  CHECK(names_in(folder.path()) == std::vector<std::string>{"a.tgz", "in", "uci"});
}

TEST_CASE("data: an archive with a fault in any file is refused as a whole") {
  if (without_script_and_program("data script, faults")) return;
  for (const std::string& name : archive_names()) {
    const TemporaryFolder folder;
    write_dataset(folder / "in", "one");
    write_dataset(folder / "in", "two", "0.5x");
    check_not_unpacked(folder, archive(folder, name),
                       "two/two_R.dat: line 2: feature 1: found '0.5x', expected a finite number");
  }
}

TEST_CASE("data: an archive that reaches out of its folder, holds links or no data set is refused") {
  if (without_script_and_program("data script, listings")) return;
  for (const std::string& name : archive_names()) {
    CAPTURE(name);
    const TemporaryFolder folder;
    write_dataset(folder / "in", "one");
    const std::string up = archive(folder, name, "../in/one");
    check_not_unpacked(folder, up, "found '../in/one/', expected no path that leads out of the archive");
    fs::remove(up);
    const std::string inside = (folder / "in").string();
    if (!name.ends_with(".zip"))  // zip itself makes paths relative
      check_not_unpacked(folder, archive(folder, name, inside),
                         "found '" + inside + "/', expected no path that leads out of the archive");
    fs::remove(up);
    fs::create_symlink("/etc/passwd", folder / "in/one/link");
    check_not_unpacked(folder, archive(folder, name),
                       "found 'one/link', which is no file and no folder, expected nothing else");
    fs::remove(up);
    fs::remove(folder / "in/one/link");
    write_dataset(folder / "in/more", "one");
    check_not_unpacked(folder, archive(folder, name), "found the data set one twice, expected it once");
    fs::remove(up);
    check_not_unpacked(folder, archive(folder, name, "one/one_R.dat"),
                       "found no data set, expected folders NAME that hold NAME.txt");
  }
}

TEST_CASE("data: what is no archive, or half of one, is refused") {
  if (without_script_and_program("data script, damage")) return;
  for (const std::string& name : archive_names()) {
    CAPTURE(name);
    const TemporaryFolder folder;
    write_dataset(folder / "in", "one");
    const std::string path = archive(folder, name), bytes = read_file(path);
    write_file(path, bytes.substr(0, bytes.size() / 2));
    const auto before = names_in(folder.path());
    const Finished half = unpack(folder / "uci", path);
    CHECK(half.status == 2);
    CHECK(half.err.starts_with("data: " + path + ": cannot be listed: "));
    CHECK(lines(half.err).size() == 1);
    CHECK(names_in(folder.path()) == before);
    write_file(path, "<html>");
    check_not_unpacked(folder, path, "found neither gzip nor zip data, expected a .tar.gz, .tgz or .zip");
    fs::remove(path);
    check_not_unpacked(folder, path, "found no such file, expected an archive or its address");
    const HttpServer server({{"/half", {.body = bytes.substr(0, 9), .length = static_cast<long>(bytes.size())}}});
    for (const char* at : {"half", "none"}) {
      const Finished broken = unpack(folder / "uci", server.address() + at);
      CHECK(broken.status == 2);
      CHECK(broken.err.starts_with("data: " + server.address() + at + ": curl: ("));
      CHECK(broken.err.ends_with("; fetch it elsewhere, then make data UCI_URL=ITS_PATH unpacks it to " +
                                 (folder / "uci").string() + "\n"));
      CHECK(names_in(folder.path()) == std::vector<std::string>{"in"});
    }
  }
}

TEST_CASE("data: without an archive it is said how to give one, and nothing is done") {
  if (without_script("data script, no archive")) return;
  const TemporaryFolder folder;
  const Finished finished = run({"scripts/data", "uci", (folder / "uci").string(), ""});
  CHECK(finished.status == 0);
  for (const char* way : {"make data UCI=1", "make data UCI_URL=ARCHIVE"}) CHECK(contains(finished.out, way));
  CHECK(names_in(folder.path()).empty());
  CHECK(run({"scripts/data", "none"}).err == "data: found 'none', expected mnist or uci\n");
}

}  // namespace normalign::tests
