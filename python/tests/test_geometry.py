"""Local geometry, slices, the whole complex, power diagrams, certificates and attacks, against what NumPy says."""

import numpy as np
import pytest

import normalign as na
from conftest import points


def code_at(net, x):
    """Which hidden units are on at the rows of x."""
    codes, z = [], x
    for weight, bias in zip(net.weights[:-1], net.biases[:-1]):
        t = z @ weight.T + bias
        codes.append(t > 0)
        z = np.maximum(t, 0)
    return np.hstack(codes)


def inside(polygon):
    return polygon.mean(axis=0)


# ---- local geometry -------------------------------------------------------------------------------------------------


def test_measures_are_those_of_numpy(net):
    x, y = points(9, 4), np.arange(9) % 3
    found = na.local_geometry(net, x, y)
    assert len(found) == 9 and found.jacobian.shape == (9, 3, 4)
    np.testing.assert_array_equal(found.jacobian, net.jacobian(x))
    np.testing.assert_allclose(found.output, net(x), rtol=1e-14)
    np.testing.assert_allclose(np.einsum("nkd,nd->nk", found.jacobian, x) + found.offset, found.output, atol=1e-13)
    lengths = np.linalg.norm(x, axis=1)
    for i, jacobian in enumerate(found.jacobian):
        s, v = np.linalg.svd(jacobian)[1:]
        centroid = jacobian.sum(axis=0)
        row = jacobian[y[i]] - jacobian.mean(axis=0)
        assert found.effective_rank[i] == pytest.approx(s.sum() ** 2 / (s**2).sum())
        assert found.explained_variance[i] == pytest.approx(s[0] ** 2 / (s**2).sum())
        assert found.normal_alignment[i] == pytest.approx(abs(v[0] @ x[i]) / lengths[i])
        assert found.centroid_alignment[i] == pytest.approx(centroid @ x[i] / np.linalg.norm(centroid) / lengths[i])
        assert found.class_alignment[i] == pytest.approx(row @ x[i] / np.linalg.norm(row) / lengths[i])
        assert found.jacobian_norm[i] == pytest.approx(np.linalg.norm(jacobian))
        assert found.offset_norm[i] == pytest.approx((found.offset[i] ** 2).sum())
    assert found.mean()["effective_rank"] == pytest.approx(found.effective_rank.mean())


def test_what_is_undefined_is_nan(net):
    assert np.isnan(na.local_geometry(net, points(3, 4)).class_alignment).all()
    dead = na.Network([np.zeros((2, 3))])
    found = na.local_geometry(dead, points(2, 3))
    assert np.isnan(found.effective_rank).all() and (found.jacobian_norm == 0).all()


def test_jacobians_need_not_be_kept(net):
    x = points(5, 4)
    without = na.local_geometry(net, x, jacobians=False)
    assert without.jacobian.shape == (0, 3, 4)
    np.testing.assert_array_equal(without.normal_alignment, na.local_geometry(net, x).normal_alignment)


def test_local_complexity_counts_units_that_flip(net):
    x = points(6, 4)
    found = na.local_complexity(net, x, radius=0.3, directions=4)
    assert found.shape == (6, 2) and found.max() > 0
    assert (na.local_complexity(net, x, radius=1e-9, directions=4) == 0).all()


# ---- slices ---------------------------------------------------------------------------------------------------------


def test_a_slice_is_the_network(planar):
    found = na.slice(planar, half_width=2)
    assert found.areas.sum() == pytest.approx(16)
    assert found.regions_after_layer[-1] == len(found) == len(found.codes) == len(found.maps)
    centres = np.array([inside(found.polygon(r)) for r in range(len(found))])
    # At a region's middle its code, its map and its map of the input are the network's.
    np.testing.assert_array_equal(found.codes, code_at(planar, centres))
    plane_maps = found.maps
    outputs = plane_maps[:, 0] * centres[:, :1] + plane_maps[:, 1] * centres[:, 1:] + plane_maps[:, 2]
    np.testing.assert_allclose(outputs, planar(centres), atol=1e-9)
    jacobian, offset = found.input_maps()
    np.testing.assert_allclose(np.einsum("nkd,nd->nk", jacobian, centres) + offset, planar(centres), atol=1e-9)
    np.testing.assert_allclose(found.outputs, planar(found.vertices), atol=1e-9)
    # No region is missing: the codes of random points are all there, and no code comes twice.
    packed = {code.tobytes() for code in found.codes}
    assert len(packed) == len(found)
    samples = np.random.default_rng(0).uniform(-2, 2, size=(2000, 2))
    assert all(code.tobytes() in packed for code in code_at(planar, samples))


def test_edges_and_corners_fit_together(planar):
    found = na.slice(planar)
    for r in (0, len(found) // 2, len(found) - 1):
        corners = found.corners[found.first[r] : found.first[r + 1]]
        np.testing.assert_array_equal(found.vertices[corners], found.polygon(r))
        np.testing.assert_array_equal(found.polygons()[r], found.polygon(r))
        beside = (found.edges[:, 2] == r) | (found.edges[:, 3] == r)
        assert beside.sum() == len(corners)
        assert set(found.edges[beside][:, :2].ravel()) == set(corners)
    # Across an edge of a unit's wall that unit flips, and nothing else does.
    inner = found.edges[(found.edges[:, 2] >= 0) & (found.edges[:, 3] >= 0)]
    flips = found.codes[inner[:, 2]] != found.codes[inner[:, 3]]
    units = inner[:, 5] + np.concatenate([[0], np.cumsum(found.units)])[inner[:, 4]]
    assert (flips.sum(axis=1) == 1).all() and (flips.argmax(axis=1) == units).all()


def test_outputs_tie_on_the_decision_boundary(planar):
    lines = na.slice(planar, half_width=2).boundary()
    assert lines
    for line, (first, second) in lines:
        outputs = planar(line)
        np.testing.assert_allclose(outputs[:, first], outputs[:, second], atol=1e-9)
        np.testing.assert_allclose(outputs.max(axis=1), outputs[:, first], atol=1e-9)


def test_planes_in_many_inputs(net):
    three = points(3, 4)
    plane = na.Plane.through(three)
    np.testing.assert_allclose([plane.u @ plane.u, plane.v @ plane.v, plane.u @ plane.v], [1, 1, 0], atol=1e-12)
    t, distances = plane.project(three)
    np.testing.assert_allclose(distances, 0, atol=1e-12)
    np.testing.assert_allclose(plane.points(t), three, atol=1e-12)
    by_points = na.slice(net, three)  # with room around them
    np.testing.assert_allclose(by_points.points, t, atol=1e-12)
    half_width = 1.2 * np.abs(t).max()
    assert by_points.areas.sum() == pytest.approx((2 * half_width) ** 2)
    by_plane = na.slice(net, plane, half_width=half_width)
    assert len(by_plane) == len(by_points) and len(by_plane.points) == 0
    np.testing.assert_allclose(net(plane.points(by_plane.vertices)), by_plane.outputs, atol=1e-9)
    axes = na.Plane.along_axes(np.arange(4.0), 1, 3)
    np.testing.assert_array_equal(axes.points([[2, 5]]), [[0, 3, 2, 8]])
    np.testing.assert_array_equal(na.Plane([0, 0], [1, 0], [0, 1]).points([[2.0, 5.0]]), [[2, 5]])


def test_windows_are_polygons(planar):
    triangle = [[-1, -1], [1, -1], [0, 1]]
    assert na.slice(planar, window=triangle).areas.sum() == pytest.approx(2)


def test_arrays_outlive_their_slice(planar):
    found = na.slice(planar)
    vertices, maps, copies = found.vertices, found.maps, (found.vertices.copy(), found.maps.copy())
    assert not vertices.flags.writeable and not vertices.flags.owndata
    del found
    junk = [na.slice(planar) for _ in range(3)]
    np.testing.assert_array_equal(vertices, copies[0])
    np.testing.assert_array_equal(maps, copies[1])
    del junk


@pytest.mark.parametrize("colour", ["slope", "area", "class"])
@pytest.mark.parametrize("outputs", [1, 3])
def test_pictures(colour, outputs, tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    net = na.Network.random([2, 12, outputs], scale=3, seed=1, dtype="float64")
    found = na.slice(net)
    axes = found.plot(colour=colour)
    axes.figure.savefig(tmp_path / "slice.png")
    pieces = axes.collections[0].get_paths()
    axes.figure.canvas.draw()
    colours = {tuple(colour) for colour in axes.collections[0].get_facecolors()}
    assert len(colours) > 1  # it is filled, and not all alike
    areas = [abs(signed_area(path.vertices[:-1])) for path in pieces]
    assert sum(areas) == pytest.approx(4)
    assert len(pieces) >= len(found)
    assert found.plot(axes) is axes
    with pytest.raises(na.InputError, match="colour"):
        found.plot(colour="red")


def signed_area(polygon):
    x, y = polygon.T
    return 0.5 * (x @ np.roll(y, -1) - y @ np.roll(x, -1))


def test_no_regions_and_no_hidden_units(planar):
    jacobian, offset = na.slice(planar).input_maps([])
    assert jacobian.shape == (0, 3, 2) and offset.shape == (0, 3)
    linear = na.Network([np.eye(2)])
    assert na.slice(linear).codes.shape == (1, 0) and na.regions(linear).codes.shape == (1, 0)


# ---- the whole complex ----------------------------------------------------------------------------------------------


def test_regions_in_a_box_are_those_of_the_slice(planar):
    whole, flat = na.regions(planar, 2.0), na.slice(planar, half_width=2)
    assert len(whole) == len(flat) == na.count_regions(planar, 2.0)
    assert {code.tobytes() for code in whole.codes} == {code.tobytes() for code in flat.codes}
    assert whole.volume.sum() == pytest.approx(16)
    np.testing.assert_array_equal(whole.codes, code_at(planar, whole.inside))
    np.testing.assert_array_equal(whole.labels, planar.labels(whole.inside))
    jacobian, offset = whole.maps([3, -1])
    np.testing.assert_allclose(jacobian, planar.jacobian(whole.inside[[3, -1]]), atol=1e-9)
    inner = flat.edges[(flat.edges[:, 2] >= 0) & (flat.edges[:, 3] >= 0)]
    assert len(whole.facets) == len(inner) == len(whole.facet_is_decision)
    assert whole.piece_volume.sum() == pytest.approx(16)
    assert (whole.component_labels[whole.piece_component] == whole.piece_label).all()


def test_regions_of_the_whole_space():
    # Lines in general position in the plane make 1 + n + n (n - 1) / 2 regions.
    net = na.Network.random([2, 7, 2], dtype="float64")
    assert len(na.regions(net)) == 1 + 7 + 21
    assert na.count_regions(net, max_regions=10) is None
    with pytest.raises(na.RunError, match="10"):
        na.regions(net, max_regions=10)


# ---- power diagrams -------------------------------------------------------------------------------------------------


def test_a_point_lies_in_the_cell_of_the_smallest_power(planar):
    cells = na.power_diagram(planar, half_width=2)
    centroids, radii = np.array([c.centroid for c in cells]), np.array([c.radius for c in cells])
    codes = np.array([c.code for c in cells])
    x = np.random.default_rng(1).uniform(-2, 2, size=(500, 2))
    powers = ((x[:, None, :] - centroids) ** 2).sum(axis=2) - radii
    np.testing.assert_array_equal(codes[powers.argmin(axis=1)], code_at(planar, x)[:, : codes.shape[1]])
    assert all(len(c.vertices) >= 3 for c in cells)


# ---- certificates and attacks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm,order", [("l2", 2), ("linf", np.inf)])
def test_certificates_hold_against_attacks(net, norm, order):
    x = points(8, 4)
    found = na.certificates(net, x, norm=norm)
    assert found.exact.all() and (found.lower > 0).all()
    np.testing.assert_allclose(np.linalg.norm(found.adversarial - x, order, axis=1), found.upper, rtol=1e-9)
    outputs = np.sort(net(found.adversarial), axis=1)
    np.testing.assert_allclose(outputs[:, -1], outputs[:, -2], atol=1e-9)
    for i in range(len(x)):
        row = x[i : i + 1]
        assert not na.attack(net, row, radius=0.999 * found.lower[i], norm=norm).is_fooled[0]
        assert na.attack(net, row, radius=1.5 * found.lower[i], norm=norm, restarts=3).is_fooled[0]


def test_a_known_adversarial_point_shortens_the_search(net):
    x = points(4, 4)
    found = na.certificates(net, x)
    again = na.certificates(net, x, adversarial=x + 1.0001 * (found.adversarial - x))
    np.testing.assert_allclose(again.lower, found.lower, rtol=1e-9)
    assert again.parts.sum() <= found.parts.sum()


def test_limited_searches_give_bounds():
    net = na.Network.random([6, 24, 24, 3], scale=2, dtype="float64")
    x = points(3, 6)
    limited, whole = na.certificates(net, x, parts=3), na.certificates(net, x)
    assert (limited.lower <= whole.upper * (1 + 1e-9)).all() and (limited.upper >= whole.lower * (1 - 1e-9)).all()
    assert (limited.parts <= 3 + 3).all() and not limited.exact.all()


def test_attacks_stay_in_ball_and_range(net):
    x = np.random.default_rng(3).uniform(0, 1, size=(20, 4))
    labels = net.labels(x)
    for kind in ("apgd", "apgd_ce", "apgd_targeted", "pgd"):
        found = na.attack(net, x, labels, radius=[0.0, 0.05, 0.3], kind=kind, clamp=(0, 1), steps=30)
        assert found.points.shape == (3, 20, 4) and found.is_fooled.shape == (3, 20)
        assert found.accuracy[0] == 100 and (np.diff(found.accuracy) <= 0).all()
        assert np.abs(found.points[2] - x).max() <= 0.3 * (1 + 1e-12)
        assert found.points.min() >= 0 and found.points.max() <= 1
        moved = net.labels(found.points[2]) != labels
        assert (moved == found.is_fooled[2]).all()
    one = na.attack(net, x, radius=0.05)
    assert one.points.shape == (20, 4) and isinstance(one.accuracy, float)
