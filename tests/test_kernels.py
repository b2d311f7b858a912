"""The named kernels do what their sentences say, checked with SciPy's correlation as the oracle."""

import dataclasses

import numpy as np
import pytest
from scipy.ndimage import correlate

from cnn_core.kernels import EDGE, KERNELS, PREWITT_SMOOTH, SCHARR_SMOOTH, SOBEL_SMOOTH

PROMISED = [
    "identity",
    "box_blur",
    "gaussian_blur",
    "sharpen",
    "outline",
    "emboss",
    "sobel_x",
    "sobel_y",
    "prewitt_x",
    "prewitt_y",
    "scharr_x",
    "scharr_y",
]
KEEPING_BRIGHTNESS = ["identity", "box_blur", "gaussian_blur", "sharpen", "emboss", "motion_blur", "shift_right"]
NUMBERS = {  # each row, and the number that all are divided by
    "identity": ([[0, 0, 0], [0, 1, 0], [0, 0, 0]], 1),
    "box_blur": ([[1, 1, 1], [1, 1, 1], [1, 1, 1]], 9),
    "gaussian_blur": ([[1, 2, 1], [2, 4, 2], [1, 2, 1]], 16),
    "sharpen": ([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], 1),
    "outline": ([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]], 1),
    "emboss": ([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], 1),
    "sobel_x": ([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], 1),
    "sobel_y": ([[-1, -2, -1], [0, 0, 0], [1, 2, 1]], 1),
    "prewitt_x": ([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]], 1),
    "prewitt_y": ([[-1, -1, -1], [0, 0, 0], [1, 1, 1]], 1),
    "scharr_x": ([[-3, 0, 3], [-10, 0, 10], [-3, 0, 3]], 1),
    "scharr_y": ([[-3, -10, -3], [0, 0, 0], [3, 10, 3]], 1),
    "laplacian": ([[0, 1, 0], [1, -4, 1], [0, 1, 0]], 1),
    "roberts_falling": ([[0, 0, 0], [0, 1, 0], [0, 0, -1]], 1),
    "roberts_rising": ([[0, 0, 0], [0, 0, 1], [0, -1, 0]], 1),
    "kirsch_north": ([[5, 5, 5], [-3, 0, -3], [-3, -3, -3]], 1),
    "kirsch_northwest": ([[5, 5, -3], [5, 0, -3], [-3, -3, -3]], 1),
    "line_level": ([[-1, -1, -1], [2, 2, 2], [-1, -1, -1]], 1),
    "line_upright": ([[-1, 2, -1], [-1, 2, -1], [-1, 2, -1]], 1),
    "line_falling": ([[2, -1, -1], [-1, 2, -1], [-1, -1, 2]], 1),
    "line_rising": ([[-1, -1, 2], [-1, 2, -1], [2, -1, -1]], 1),
    "motion_blur": ([[1, 0, 0], [0, 1, 0], [0, 0, 1]], 3),
    "shift_right": ([[0, 0, 0], [1, 0, 0], [0, 0, 0]], 1),
    "negative": ([[0, 0, 0], [0, -1, 0], [0, 0, 0]], 1),
}
RAMP = np.tile(np.arange(8, dtype=np.float32), (8, 1))


def response(name: str, image: np.ndarray) -> np.ndarray:
    """The picture after the kernel, away from the edge."""
    return correlate(image.astype(np.float32), KERNELS[name].values)[1:-1, 1:-1]


def test_the_promised_kernels_exist():
    assert set(PROMISED) <= set(KERNELS)
    assert list(KERNELS)[: len(PROMISED)] == PROMISED


@pytest.mark.parametrize("name", KERNELS)
def test_each_is_well_formed(name):
    kernel = KERNELS[name]
    assert kernel.name == name
    assert kernel.values.shape == (3, 3)
    assert kernel.values.dtype == np.float32
    assert kernel.title
    assert kernel.finds.endswith(".")
    assert ". " not in kernel.finds, "one sentence"
    assert len(kernel.source) > 10


def test_the_numbers_of_every_kernel():
    assert list(KERNELS) == list(NUMBERS)
    for name, (rows, divisor) in NUMBERS.items():
        np.testing.assert_array_equal(KERNELS[name].values, np.float32(rows) / np.float32(divisor), err_msg=name)


@pytest.mark.parametrize(
    ("operator", "smooth"), [("sobel", SOBEL_SMOOTH), ("prewitt", PREWITT_SMOOTH), ("scharr", SCHARR_SMOOTH)]
)
def test_an_edge_filter_is_a_blur_and_then_a_difference(operator, smooth):
    image = np.random.default_rng(0).integers(0, 256, (9, 9))
    blurred_down, blurred_along = correlate(image, smooth[:, None]), correlate(image, smooth[None])
    x, y = correlate(blurred_down, EDGE[None]), correlate(blurred_along, EDGE[:, None])
    np.testing.assert_array_equal(response(f"{operator}_x", image), x[1:-1, 1:-1])
    np.testing.assert_array_equal(response(f"{operator}_y", image), y[1:-1, 1:-1])


@pytest.mark.parametrize("name", KERNELS)
def test_none_can_be_changed(name):
    with pytest.raises(ValueError, match="read-only"):
        KERNELS[name].values[0, 0] = 5
    with pytest.raises(dataclasses.FrozenInstanceError):
        KERNELS[name].title = "mine"


def test_titles_and_values_are_all_different():
    assert len({kernel.title for kernel in KERNELS.values()}) == len(KERNELS)
    assert len({kernel.values.tobytes() for kernel in KERNELS.values()}) == len(KERNELS)


@pytest.mark.parametrize("name", sorted(set(KERNELS) - {"negative"}))
def test_a_flat_picture_stays_or_becomes_zero(name):
    expected = 100 if name in KEEPING_BRIGHTNESS else 0
    np.testing.assert_allclose(response(name, np.full((6, 6), 100)), expected, atol=1e-4)


def test_identity_changes_nothing():
    np.testing.assert_array_equal(response("identity", RAMP), RAMP[1:-1, 1:-1])


def test_shift_right_moves_the_picture_right():
    image = np.zeros((5, 5))
    image[2, 1] = 9
    assert np.argwhere(correlate(image, KERNELS["shift_right"].values)).tolist() == [[2, 2]]


def test_negative_with_a_bias():
    assert (response("negative", np.full((4, 4), 55)) + 255 == 200).all()


@pytest.mark.parametrize("operator", ["sobel", "prewitt", "scharr"])
def test_gradients_have_the_sign_and_direction_that_they_say(operator):
    assert (response(f"{operator}_x", RAMP) > 0).all()
    assert (response(f"{operator}_y", RAMP) == 0).all()
    assert (response(f"{operator}_y", RAMP.T) > 0).all()
    np.testing.assert_array_equal(KERNELS[f"{operator}_x"].values, KERNELS[f"{operator}_y"].values.T)


def angle_error(operator: str) -> float:
    """The largest error of the edge direction that an operator finds on slanting waves, in degrees."""
    rows, columns = np.mgrid[:64, :64]
    errors = []
    for degrees in range(0, 91, 5):
        angle = np.radians(degrees)
        wave = np.sin(0.8 * (np.cos(angle) * columns + np.sin(angle) * rows))
        x, y = response(f"{operator}_x", wave), response(f"{operator}_y", wave)
        found = np.degrees(
            np.arctan2((x * y).sum(), (x * x).sum()) if degrees < 45 else np.arctan2((y * y).sum(), (x * y).sum())
        )
        errors.append(abs(found - degrees))
    return max(errors)


def test_scharr_measures_slanting_edges_more_truly_than_sobel_and_sobel_than_prewitt():
    assert angle_error("scharr") < angle_error("sobel") < angle_error("prewitt")


def test_laplacian_ignores_an_even_slope():
    assert (response("laplacian", RAMP) == 0).all()


@pytest.mark.parametrize("name", ["box_blur", "gaussian_blur", "motion_blur"])
def test_blurs_soften_noise(name):
    noise = np.random.default_rng(0).normal(size=(50, 50))
    assert response(name, noise).std() < 0.7 * noise.std()


def test_sharpen_steepens_an_edge():
    edge = np.where(np.arange(8) < 4, 50, 100) * np.ones((8, 1))
    assert np.ptp(response("sharpen", edge)) > np.ptp(edge)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("line_level", np.eye(7)[[3]].T @ np.ones((1, 7))),
        ("line_upright", np.ones((7, 1)) @ np.eye(7)[[3]]),
        ("line_falling", np.eye(7)),
        ("line_rising", np.fliplr(np.eye(7))),
    ],
)
def test_each_line_finder_answers_most_to_its_own_line(name, line):
    finders = ["line_level", "line_upright", "line_falling", "line_rising"]
    at_the_middle = {finder: response(finder, line)[2, 2] for finder in finders}
    assert max(at_the_middle, key=at_the_middle.get) == name
    assert at_the_middle[name] == 6


def test_kirsch_kernels_answer_most_to_their_own_direction():
    bright_above = np.where(np.arange(8) < 4, 1, 0)[:, None] * np.ones(8)
    bright_upper_left = (np.add.outer(np.arange(8), np.arange(8)) < 7).astype(float)
    for image, best, other in (
        (bright_above, "kirsch_north", "kirsch_northwest"),
        (bright_upper_left, "kirsch_northwest", "kirsch_north"),
    ):
        assert response(best, image).max() == 15
        assert response(best, image).max() >= response(other, image).max()
        assert response(best, 1 - image).max() < 15


def test_roberts_arms_find_the_two_diagonals():
    falling = np.add.outer(np.arange(8), np.arange(8)).astype(float)
    rising = np.subtract.outer(np.arange(8), np.arange(8)).astype(float)
    assert (response("roberts_falling", falling) == -2).all()
    assert (response("roberts_rising", falling) == 0).all()
    assert (response("roberts_rising", rising) == -2).all()
    assert (response("roberts_falling", rising) == 0).all()
