#include "linalg/matrix.hpp"

#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("a Matrix starts at zero and is filled row by row") {
  const Matrix<double> zeros(2, 3);
  CHECK(zeros.shape() == Shape{2, 3});
  for (double value : zeros.span()) CHECK(value == 0);
  const Matrix<float> m{{1, 2, 3}, {4, 5, 6}};
  CHECK(m.shape() == Shape{2, 3});
  CHECK(m(1, 0) == 4);
  CHECK(m.data()[5] == 6);
  CHECK(m.row(1)[2] == 6);
}

TEST_CASE("a Matrix may be empty in either extent") {
  for (const Shape& shape : {Shape{0, 0}, Shape{0, 3}, Shape{3, 0}}) {
    const Matrix<double> m(shape.rows, shape.cols);
    CHECK(m.shape() == shape);
    CHECK(m.empty());
    CHECK(m.span().empty());
    CHECK(Matrix<double>(m.view()).shape() == shape);
  }
  CHECK(Matrix<double>().shape() == Shape{0, 0});
  CHECK(Matrix<double>{}.empty());
}

TEST_CASE("a Matrix refuses negative extents and rows of different lengths") {
  CHECK(message_of([] { Matrix<double>(-1, 3); }) == "Matrix: shape is -1x3; rows and cols must not be negative");
  CHECK_THROWS_AS(Matrix<double>(3, -1), InputError);
  CHECK(message_of([] { Matrix<double>{{1, 2}, {3}}; }) == "Matrix: a row has 1 values but the first has 2");
}

TEST_CASE("values are taken over and given away without a copy") {
  LargeVector<double> values{1, 2, 3, 4, 5, 6};
  const double* const there = values.data();
  Matrix<double> a(2, 3, std::move(values));
  CHECK(a == Matrix<double>{{1, 2, 3}, {4, 5, 6}});
  CHECK(a.data() == there);
  const LargeVector<double> back = a.take();
  CHECK(back.data() == there);
  CHECK(a.shape() == Shape{0, 0});
  CHECK(message_of<InputError>([] {
          Matrix<double>(2, 2, {1, 2, 3});
        }) == "Matrix: shape is 2x2 but there are 3 values");
}

TEST_CASE("copies of a Matrix are deep, views are not") {
  Matrix<double> m{{1, 2}, {3, 4}};
  const Matrix<double> copy = m;
  const MatrixView<double> view = m;
  const ConstView<double> reading = view;
  view(0, 1) = 20;
  CHECK(m(0, 1) == 20);
  CHECK(reading(0, 1) == 20);
  CHECK(copy(0, 1) == 2);
  CHECK(Matrix<double>(reading) == m);
  CHECK_FALSE(copy == m);
}

TEST_CASE("a row block is a view of whole rows") {
  Matrix<double> m{{1, 2}, {3, 4}, {5, 6}};
  const auto block = m.view().row_block(1, 2);
  CHECK(block.shape() == Shape{2, 2});
  CHECK(block(1, 1) == 6);
  block.row(0)[1] = 40;
  CHECK(m(1, 1) == 40);
  CHECK(m.view().row_block(3, 0).shape() == Shape{0, 2});
}

TEST_CASE("shapes are written as rows x columns") { CHECK(text(Shape{32, 784}) == "32x784"); }

}  // namespace
}  // namespace normalign::tests
