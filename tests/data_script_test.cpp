// scripts/data against a server on loopback: what is kept, what is refused, what is asked for.
#include <algorithm>

#include "support/catch.hpp"
#include "support/http_server.hpp"
#include "support/message_of.hpp"
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
              "MNIST_SUMS=" + first_sum + "  first.gz\n" + second_sum + "  second.gz\n", "scripts/data",
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

}  // namespace normalign::tests
