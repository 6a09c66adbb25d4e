#include "experiments/report/pictures.hpp"

#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"
#include "support/well_formed.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("Pictures: each once, the SVG unless it is large, within the room there is") {
  const TemporaryFolder folder;
  write_file(folder / "a.png", "png of a");
  write_file(folder / "a.svg", "<svg/>");
  write_file(folder / "b.png", "png of b");
  write_file(folder / "b.svg", std::string(300 * 1024, ' '));
  write_file(folder / "c & d.svg", std::string(50, 'x'));
  write_file(folder / "empty.png", "");
  write_file(folder / "large.png", std::string(200, 'x'));
  Pictures pictures(folder.path(), {"a.png", "a.svg", "b.png", "b.svg", "c & d.svg", "empty.png", "large.png"}, 100,
                    50);
  const AddressOf address_of = [](const std::filesystem::path& path) { return "at/" + path.string(); };

  const std::string a = pictures.figure("a.json", address_of).text;
  CHECK(contains(a, "data:image/svg+xml;base64,PHN2Zy8+"));  // base64 of <svg/>
  CHECK(contains(a, "href=\"at/a.svg\""));
  CHECK(pictures.figure("a.json", address_of).text.empty());
  CHECK(pictures.figure("absent", address_of).text.empty());
  CHECK(pictures.left() == std::vector<std::filesystem::path>{"b.png", "c & d.svg", "empty.png", "large.png"});
  CHECK(contains(pictures.figure("b", address_of).text, "data:image/png;base64,"));
  for (const char* name : {"c & d", "empty", "large"}) {
    const std::string figure = pictures.figure(std::string(name) + ".png", address_of).text;
    CAPTURE(figure);
    CHECK(is_well_formed(figure));
    CHECK_FALSE(contains(figure, "<img"));
    CHECK(contains(figure, name == std::string("empty") ? ": empty" : "too large"));
  }
  CHECK(pictures.left().empty());
}

}  // namespace
}  // namespace normalign::tests
