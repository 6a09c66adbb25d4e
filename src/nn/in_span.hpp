// Few samples of many inputs: a network and its data in coordinates of the span in which the training stays.
#pragma once

#include "data/dataset.hpp"
#include "linalg/span_coordinates.hpp"
#include "nn/mlp.hpp"

namespace normalign {

/// A network and its data in coordinates of the span of, in this order, the axes of the first inputs, the training rows
/// and the rows of the first weight. Training adds to that weight multiples of training rows and of itself, so it stays
/// in the span, and all that depends on the inputs through lengths and inner products is the same in coordinates:
/// outputs, their gradients in the parameters, Jacobian norms, offsets and alignments at training and at test rows,
/// the length of a weight and of its gradient. So is a run by SGD, with momentum, decay, clipping by the global norm,
/// GrokFast, OrthoGrad or GrokAlign. What treats inputs one by one is another: Adam, attacks in linf; and so is what
/// leaves the span, as noise on the training rows.
template <class T>
struct InSpan {
  SpanCoordinates<T> coordinates;  ///< r + 1 of d inputs, r at most axes + training rows + first hidden units
  Mlp<T> network;                  ///< of r + 1 inputs; its weight of the last one, the rest's length, is 0
  Split<T> data;                   ///< the rows' coordinates; labels and targets as they were
};

/// The network and the data in coordinates, of which the first `axes` are the first inputs, up to the sign: isotropic
/// noise on the other inputs is isotropic noise on the other coordinates. Takes r d values and 2 r² d flops on one
/// thread, or twice as many where rows depend on each other. Throws InputError where the network's inputs are not the
/// data's columns, `axes` is not from 0 to their number, or a value is not finite.
template <class T>
InSpan<T> in_span(const Mlp<T>& network, const Split<T>& data, Index axes = 0);

/// The network of d inputs that one of coordinates stands for: equal to it in the span, and not looking beyond. Throws
/// InputError on a misfit.
template <class T>
Mlp<T> in_inputs(const Mlp<T>& network, const SpanCoordinates<T>& coordinates);

}  // namespace normalign
