"""Networks from PyTorch, without importing it."""

from __future__ import annotations

import warnings
from typing import Any, Mapping

import numpy as np

from ._core import InputError, Network, network_from_tensors

# Layers that do nothing to the rows of a trained network.
_WITHOUT_EFFECT = ("Dropout", "Identity", "Flatten")


def from_torch(model: Any, *, activation: Any = None, slope: float | None = None) -> Network:
    """The network of a PyTorch module, or of its state dict, of linear layers with one activation between all of them.

    model: an nn.Module or a mapping of names to tensors or arrays. activation: what stands between the layers, by our
    name, or as a module or function of PyTorch's; needed where the module has no layer that says it, as where forward
    calls functional.relu, and for a state dict. slope: of leaky_relu where t <= 0. The numbers are copied.

    What a module returns at random rows, in evaluation, is compared with the network's outputs, so that an activation,
    an order of layers or a computation that is not the module's is refused. A warning says so where it could not be
    compared: the module takes no rows (n, d), or does not return (n, k). A state dict says nothing to compare with.
    """
    if activation is not None and not isinstance(activation, str):
        activation = repr(activation) if hasattr(activation, "modules") else getattr(activation, "__name__", activation)
    if not hasattr(model, "state_dict"):
        return network_from_tensors(_arrays(model), activation=activation, slope=slope)
    found = _activation_in(model)
    if activation is None:
        if found is None and sum(type(leaf).__name__ == "Linear" for leaf in _leaves(model)) > 1:
            raise InputError('from_torch: found no activation among the layers, expected it to be said: activation="relu"')
        activation = found
    network = network_from_tensors(_arrays(model.state_dict()), activation=activation, slope=slope)
    _compare(model, network)
    return network


def _arrays(tensors: Any) -> dict[str, np.ndarray]:
    if not isinstance(tensors, Mapping):
        raise InputError(f"from_torch: found {type(tensors).__name__}, expected an nn.Module or its state dict")
    return {str(name): _array(tensor) for name, tensor in tensors.items()}


def _array(tensor: Any) -> np.ndarray:
    if not hasattr(tensor, "detach"):
        return np.asarray(tensor)
    tensor = tensor.detach().cpu()
    # NumPy has no bfloat16, and float32 holds every value of it and of float16.
    is_short = str(tensor.dtype) in ("torch.bfloat16", "torch.float16")
    return np.asarray((tensor.float() if is_short else tensor).numpy())


def _leaves(module: Any) -> list[Any]:
    return [leaf for leaf in module.modules() if not list(leaf.children())]


def _activation_in(module: Any) -> str | None:
    """The activation of the module's layers, as it prints; refuses a layer that no network here has."""
    activations = []
    for leaf in _leaves(module):
        name = type(leaf).__name__
        if name == "Linear" or name.startswith(_WITHOUT_EFFECT):
            continue
        if next(iter(leaf.parameters()), None) is not None or next(iter(leaf.buffers()), None) is not None:
            raise InputError(f"from_torch: found a layer {name}, expected linear layers and activations without parameters")
        activations.append(repr(leaf))
    if len(set(activations)) > 1:
        raise InputError(
            f"from_torch: found the activations {', '.join(sorted(set(activations)))}, expected one between all layers; "
            "one behind the last layer, such as Softmax, is left out by taking the module before it"
        )
    return activations[0] if activations else None


def _compare(module: Any, network: Network) -> None:
    """Refuses a network that computes something else than the module in evaluation; warns where that is not known."""
    inputs = np.random.default_rng(0).normal(size=(16, network.widths[0]))  # PyTorch's own generator stays as it is
    parameter = next(iter(module.parameters())).detach()
    rows = parameter.new_tensor(inputs.tolist())
    training = [part for part in module.modules() if part.training]
    module.eval()
    found, reason = np.zeros(0), ""
    try:
        found = np.asarray(_array(module(rows)), dtype=float)
    except Exception as error:
        reason = f"it does not take rows ({type(error).__name__}: {str(error).partition(chr(10))[0]})"
    finally:
        for part in training:
            part.training = True
    expected = network(np.asarray(_array(rows), dtype=float))
    if found.size != expected.size:
        reason = reason or f"it returns the shape {found.shape} for {len(inputs)} rows"
        warnings.warn(f"from_torch: the network is not compared with the module: {reason}", stacklevel=3)
        return
    # Of what differs among the rows, beyond what rounding in the module's precision explains.
    tolerance = {"torch.float64": 1e-9, "torch.float32": 1e-4}.get(str(parameter.dtype), 0.03)
    scale = max(float(np.ptp(expected, axis=0).max()), 1e-300)
    difference = float(np.abs(found.reshape(expected.shape) - expected).max())
    if not difference <= tolerance * scale:
        raise InputError(
            f"from_torch: found outputs that differ by {difference:.3g} between the module and its linear layers with "
            f"{network.activation} between them, expected the same: another activation, or a module that does more"
        )
