"""Pictures of slices by matplotlib, which is imported when one is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._core import InputError

if TYPE_CHECKING:
    from ._core import Slice

BOUNDARY_COLOUR = "#d62728"


def plot_slice(slice: Slice, ax: Any = None, colour: str = "slope", boundary: bool = True) -> Any:
    """Draws the regions of a slice on matplotlib axes, new ones where `ax` is None, and returns the axes.

    colour: 'slope' (|A|_F of each region's map, on a logarithmic scale), 'area' (likewise) or 'class'.
    boundary: whether the decision boundary is drawn over them. The points that the plane was made of are white.
    """
    if colour not in ("slope", "area", "class"):
        raise InputError(f"colour: found {colour!r}, expected one of 'slope', 'area', 'class'")
    from matplotlib import pyplot
    from matplotlib.collections import LineCollection, PolyCollection
    from matplotlib.patches import Patch

    if ax is None:
        ax = pyplot.figure(figsize=(6, 5)).add_subplot()
    polygons = np.split(slice.vertices[slice.corners], slice.first[1:-1])
    if colour == "class":
        pieces, labels = _class_pieces(slice, polygons)
        colours = pyplot.get_cmap("tab10")(labels % 10, alpha=0.6)
        ax.add_collection(PolyCollection(pieces, facecolors=colours))
        shown = [Patch(color=colours[labels == label][0], label=f"class {label}") for label in np.unique(labels)]
        ax.legend(handles=shown, loc="upper left", bbox_to_anchor=(1.02, 1), borderaxespad=0)
    regions = PolyCollection(polygons, linewidths=0.2, edgecolors="black")
    if colour == "class":
        regions.set_facecolors("none")
    else:
        _colour_by_value(regions, slice.slope_norms if colour == "slope" else slice.areas)
        label = "slope of the region's map" if colour == "slope" else "area of the region"
        ax.figure.colorbar(regions, ax=ax, label=label)
    ax.add_collection(regions)
    if len(slice.points):
        ax.plot(*slice.points.T, "o", color="white", markeredgecolor="black", markersize=5, zorder=3)
    if boundary:
        lines = [points for points, _ in slice.boundary()]
        ax.add_collection(LineCollection(lines, colors=BOUNDARY_COLOUR, linewidths=1.5))
    ax.set_aspect("equal")
    ax.margins(0)
    ax.autoscale_view()
    ax.set_xlabel("$t_1$")
    ax.set_ylabel("$t_2$")
    return ax


def _colour_by_value(regions: Any, values: np.ndarray) -> None:
    from matplotlib import pyplot
    from matplotlib.colors import LogNorm

    positive = values[values > 0]
    if positive.size == 0:
        regions.set_facecolors("lightgrey")
        return
    low, high = positive.min(), positive.max()
    regions.set_array(np.ma.masked_less_equal(values, 0))  # a map of slope 0 has no place on the scale: grey
    regions.set_cmap(pyplot.get_cmap("viridis").with_extremes(bad="lightgrey"))
    regions.set_norm(LogNorm(low, high if high > low else 1.001 * low))


def _class_pieces(slice: Slice, polygons: list[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray]:
    """The regions, those in which several classes win cut along the boundary between them, and the class of each."""
    outputs = slice.outputs
    if outputs.shape[1] == 1:  # one output f is class 1 where f > 0, else class 0
        outputs = np.hstack([-outputs, outputs])
    winners = outputs.argmax(axis=1)[slice.corners]
    starts = slice.first[:-1]
    lowest, highest = np.minimum.reduceat(winners, starts), np.maximum.reduceat(winners, starts)
    pieces, labels = [], []
    for region, polygon in enumerate(polygons):
        if lowest[region] == highest[region]:
            pieces.append(polygon)
            labels.append(lowest[region])
            continue
        at_corners = outputs[slice.corners[slice.first[region] : slice.first[region + 1]]]
        for label in range(outputs.shape[1]):
            piece = _won_by(polygon, at_corners, label)
            if len(piece) > 2:
                pieces.append(piece)
                labels.append(label)
    return pieces, np.asarray(labels, dtype=int)


def _won_by(polygon: np.ndarray, outputs: np.ndarray, label: int) -> np.ndarray:
    """The part of a convex polygon in which no other output is larger; outputs (m, k) at its m corners are affine."""
    corners = np.hstack([polygon, outputs])
    for other in range(outputs.shape[1]):
        if other == label or len(corners) == 0:
            continue
        lead = corners[:, 2 + label] - corners[:, 2 + other]
        after, lead_after = np.roll(corners, -1, axis=0), np.roll(lead, -1)
        kept = []
        for corner, following, here, there in zip(corners, after, lead, lead_after):
            if here >= 0:
                kept.append(corner)
            if (here > 0 > there) or (here < 0 < there):
                kept.append(corner + here / (here - there) * (following - corner))
        corners = np.array(kept).reshape(-1, corners.shape[1])
    return corners[:, :2]
