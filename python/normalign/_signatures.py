"""Compiled functions as Python has its own: with a signature, picklable by name, and with errors in one line."""

from __future__ import annotations

import difflib
import functools
import inspect
import re
from typing import Any, Callable


def with_signature(compiled: Callable[..., Any], name: str, owner: Any = None) -> Callable[..., Any]:
    """A function that calls a compiled one. Its signature is that on the first line of the docstring.

    A call that the compiled one has no place for raises a TypeError that says which argument was found and what was
    expected, without the values that pybind11 prints.
    """
    head = (compiled.__doc__ or "").split("\n", 1)[0]
    parsed = _parsed(head)
    if parsed is None:
        return compiled
    signature: inspect.Signature = parsed

    @functools.wraps(compiled, updated=())
    def function(*args: Any, **kwargs: Any) -> Any:
        try:
            return compiled(*args, **kwargs)
        except TypeError as error:
            if "incompatible function arguments" not in str(error) and "incompatible constructor" not in str(error):
                raise
            place = name if owner is None else owner if name == "__init__" else f"{owner}.{name}"
            refusal = _refusal(place, signature, args, kwargs)
        raise TypeError(refusal)

    function.__name__, function.__qualname__ = name, f"{owner}.{name}" if owner else name
    function.__signature__ = signature  # type: ignore[attr-defined]
    if owner is None:
        function.__doc__ = (compiled.__doc__ or "").split("\n", 1)[-1].strip()
    return function


def give_signatures(class_: Any) -> None:
    """The same for the constructor and the public methods of a compiled class."""
    for name, value in list(vars(class_).items()):
        if (name == "__init__" or not name.startswith("_")) and inspect.isroutine(value) and not isinstance(value, staticmethod):
            if "*args" not in (value.__doc__ or "").split("\n", 1)[0]:
                setattr(class_, name, with_signature(value, name, class_.__name__))


def _parsed(head: str) -> inspect.Signature | None:
    """The signature in "f(net: normalign._core.Network, *, threads: Optional[int] = None) -> object", annotations as text."""
    found = re.match(r"\w+\((.*)\) -> (.*)$", head)
    if not found or "*args" in head:
        return None
    arguments = re.sub(r"= <[^>]*>", "= ...", re.sub(r"= (-?)inf\b", r"= \1float('inf')", found[1]))
    arguments = re.sub(r"(normalign\._core|numpy\.typing)\.", "", arguments)
    scope: dict[str, Any] = {}
    try:
        exec(f"from __future__ import annotations\ndef function({arguments}): ...", {}, scope)
    except SyntaxError:
        return None
    return inspect.signature(scope["function"])


def _refusal(name: str, signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    parameters = {word: parameter for word, parameter in signature.parameters.items() if word != "self"}
    unknown = [word for word in kwargs if word not in parameters]
    if unknown:
        near = difflib.get_close_matches(unknown[0], parameters, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"{name}: found the argument {unknown[0]}, expected {', '.join(parameters)}{hint}"
    try:
        given = signature.bind(*args, **kwargs).arguments
    except TypeError as error:
        plain = [parameter.replace(annotation=parameter.empty) for parameter in parameters.values()]
        return f"{name}: {error}, expected {name}{signature.replace(parameters=plain)}"
    found = ", ".join(f"{word}: {type(value).__name__}" for word, value in given.items() if word != "self")
    expected = ", ".join(f"{word}: {parameters[word].annotation}" for word in given if word != "self")
    return f"{name}: found {found}; expected {expected}"
