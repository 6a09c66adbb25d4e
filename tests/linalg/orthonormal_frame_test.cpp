#include "linalg/orthonormal_frame.hpp"

#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {

TEST_CASE("a frame is orthonormal, and its random rows' alone") {
  const RandomRows normals(5, Stream::frame), others(6, Stream::frame);
  for (const Index directions : {1, 3, 7}) {
    const Matrix<double> frame = orthonormal_frame(directions, 7, normals);
    const Matrix<double> products = naive_product(frame, frame, {.b = true});
    for (Index i = 0; i < directions; ++i)
      for (Index j = 0; j < directions; ++j) CHECK_THAT(products(i, j), WithinAbs(i == j, 1e-14));
    CHECK(same_bits(frame, orthonormal_frame(directions, 7, normals)));
    CHECK_FALSE(same_bits(frame, orthonormal_frame(directions, 7, others)));
  }
}

TEST_CASE("a frame of more directions than dimensions, or of none, is refused") {
  const RandomRows normals(0, Stream::frame);
  CHECK(message_of([&] { orthonormal_frame(4, 3, normals); }) ==
        "orthonormal_frame: directions is 4; it must be from 1 to 3, the length of a row");
  CHECK(message_of([&] { orthonormal_frame(0, 3, normals); }) ==
        "orthonormal_frame: directions is 0; it must be from 1 to 3, the length of a row");
}

}  // namespace normalign::tests
