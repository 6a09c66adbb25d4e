#include "data/dataset.hpp"

#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {

TEST_CASE("the first samples of some classes are taken in their order, fewer where there are fewer", "[data]") {
  const Dataset<double> data{{{0}, {1}, {2}, {3}, {4}, {5}, {6}}, {1, 2, 1, 0, 3, 1, 0}, 4};
  const auto taken = [&](Index classes, Index most) {
    const Dataset<double> found = first_of_classes(data, classes, most);
    CHECK(found.classes == classes);
    for (Index i = 0; i < found.inputs.rows(); ++i)
      CHECK(found.labels[static_cast<std::size_t>(i)] == data.labels[static_cast<std::size_t>(found.inputs(i, 0))]);
    return std::vector<double>(found.inputs.span().begin(), found.inputs.span().end());
  };
  using Rows = std::vector<double>;
  CHECK(taken(2, 0) == Rows{0, 2, 3, 5, 6});
  CHECK(taken(2, 2) == Rows{0, 2, 3, 6});
  CHECK(taken(2, 1) == Rows{0, 3});
  CHECK(taken(2, 3) == Rows{0, 2, 3, 5, 6});
  CHECK(taken(1, 9) == Rows{3, 6});
  CHECK(taken(4, 0) == Rows{0, 1, 2, 3, 4, 5, 6});
  CHECK(contains(message_of([&] { first_of_classes(data, 5, 1); }), "found 5 classes, expected 1 to 4"));
  CHECK(contains(message_of([&] { first_of_classes(data, 0, 1); }), "found 0 classes"));
  CHECK(contains(message_of([&] { first_of_classes(data, 2, -1); }), "found -1 samples of each class"));
}

TEST_CASE("one-hot rows have their 1 in the label's column, also where a class has no row", "[data]") {
  const std::vector<std::int32_t> labels{2, 0, 2};
  CHECK(one_hot<double>(labels, 4) == Matrix<double>{{0, 0, 1, 0}, {1, 0, 0, 0}, {0, 0, 1, 0}});
  CHECK(one_hot<float>(labels, 3) == Matrix<float>{{0, 0, 1}, {1, 0, 0}, {0, 0, 1}});
  CHECK(one_hot<double>({}, 3).shape() == Shape{0, 3});
  CHECK(message_of([&] { one_hot<double>(labels, 2); }) == "one_hot: a label is 2; it must be from 0 to 1");
  const std::vector<std::int32_t> negative{0, -1};
  CHECK(message_of([&] { one_hot<float>(negative, 2); }) == "one_hot: a label is -1; it must be from 0 to 1");
}

}  // namespace normalign::tests
