// Every operation.
#pragma once

#include <vector>

#include "autodiff/ops_elementwise.hpp"
#include "autodiff/ops_hot.hpp"
#include "autodiff/ops_linear.hpp"
#include "autodiff/ops_reduce.hpp"
#include "autodiff/ops_shape.hpp"

namespace normalign {

/// Every primitive of the folder, in the order of the files above.
template <class T>
std::vector<const Primitive<T>*> all_primitives() {
  std::vector<const Primitive<T>*> all;
  for (const auto& part :
       {ElementwiseOps<T>::all(), LinearOps<T>::all(), ReduceOps<T>::all(), ShapeOps<T>::all(), HotOps<T>::all()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace normalign
