"""Augmentation moves pixels as its settings say, and as SciPy does with the same matrix."""

import numpy as np
import pytest
from scipy import ndimage

pytestmark = pytest.mark.slow

SIDE = 65
MIDDLE = SIDE // 2
NOTHING = {"rotation": 0, "shear": 0, "zoom": 0, "shift": 0, "flip": False}


def moved(images: np.ndarray, **settings) -> np.ndarray:
    from cnn_core.engine.augmentation import RandomAffine

    return np.asarray(RandomAffine(**settings)(images.astype(np.float32)))


def matrices(count: int = 40, **settings) -> np.ndarray:
    """Read off where each pixel came from, (count, 2, 3), out of a picture whose values are the pixels' places."""
    places = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="xy"), axis=2).astype(np.float32)
    came_from = moved(np.repeat(places[None], count, axis=0), **settings)
    inner = ((came_from > 1) & (came_from < SIDE - 2)).all(axis=3)
    found = []
    for picture, inside in zip(came_from, inner, strict=True):
        given = np.c_[places[inside], np.ones(inside.sum())]
        fitted, *_ = np.linalg.lstsq(given, picture[inside], rcond=None)
        np.testing.assert_allclose(given @ fitted, picture[inside], atol=1e-3)  # straight lines stay straight
        found.append(fitted.T)
    return np.array(found)


def test_all_together_equal_scipys_affine_transform():
    images = np.random.default_rng(0).uniform(0, 255, (6, SIDE, SIDE, 1))
    for image, out, matrix in zip(images, moved(images, seed=3), matrices(6, seed=3), strict=True):
        rows_first = matrix[::-1, [1, 0, 2]]  # SciPy counts rows, then columns
        expected = ndimage.affine_transform(image[..., 0], rows_first[:, :2], rows_first[:, 2], order=1, mode="nearest")
        np.testing.assert_allclose(out[..., 0], expected, atol=0.1)


def test_rotation_turns_around_the_middle_and_keeps_lengths():
    found = matrices(**NOTHING | {"rotation": 15})
    turns = found[:, :, :2]
    np.testing.assert_allclose(turns @ turns.transpose(0, 2, 1), np.broadcast_to(np.eye(2), turns.shape), atol=1e-4)
    np.testing.assert_allclose(found @ [MIDDLE, MIDDLE, 1], MIDDLE, atol=1e-2)
    degrees = np.degrees(np.arctan2(turns[:, 1, 0], turns[:, 0, 0]))
    assert 10 < np.abs(degrees).max() <= 15.01
    assert degrees.min() < 0 < degrees.max()


def test_zoom_changes_height_and_width_each_on_its_own():
    sizes = matrices(**NOTHING | {"zoom": 0.2})[:, [0, 1], [0, 1]]
    assert 0.799 < sizes.min() < 0.85
    assert 1.15 < sizes.max() < 1.201
    assert np.abs(np.corrcoef(sizes.T)[0, 1]) < 0.5


def test_shear_moves_rows_sideways_only():
    found = matrices(**NOTHING | {"shear": 0.1})
    np.testing.assert_allclose(found[:, 1], np.broadcast_to([0, 1, 0], (40, 3)), atol=1e-3)
    assert 0.07 < np.abs(found[:, 0, 1]).max() <= 0.1001


def test_shift_is_a_share_of_the_picture():
    found = matrices(**NOTHING | {"shift": 0.1})
    np.testing.assert_allclose(found[:, :, :2], np.broadcast_to(np.eye(2), (40, 2, 2)), atol=1e-3)
    assert 0.08 * SIDE < np.abs(found[:, :, 2]).max() <= 0.1001 * SIDE


def test_flip_mirrors_about_half_of_the_pictures_and_changes_nothing_else():
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3))
    out = moved(images, **NOTHING | {"flip": True})
    mirrored = np.array([np.array_equal(after, before[:, ::-1]) for before, after in zip(images, out, strict=True)])
    kept = np.array([np.array_equal(after, before) for before, after in zip(images, out, strict=True)])
    assert (mirrored ^ kept).all()
    assert 8 < mirrored.sum() < 32


def test_examples_differ_stay_pictures_and_repeat_with_their_seed():
    from cnn_core.engine.augmentation import augmented_examples

    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    image[..., 2] = 99
    examples = augmented_examples(image, 6, seed=1)
    assert examples.shape == (6, 32, 32, 3)
    assert examples.dtype == np.uint8
    assert len({example.tobytes() for example in examples}) == 6
    assert (examples[..., 2] == 99).all()  # edges are repeated: no black corners come in
    np.testing.assert_array_equal(examples, augmented_examples(image, 6, seed=1))
    assert not np.array_equal(examples, augmented_examples(image, 6, seed=2))


def test_the_strengths_change_a_picture_more_and_more():
    from cnn_core.engine.augmentation import augmented_examples

    rows = np.linspace(0, 255, 32)
    image = np.repeat(np.rint(rows + rows[:, None]) / 2, 3).reshape(32, 32, 3).astype(np.uint8)
    changes = [
        np.abs(augmented_examples(image, 60, strength).astype(float) - image).mean()
        for strength in ("none", "light", "article")
    ]
    assert changes[0] == 0
    assert changes[0] < changes[1] < changes[2]


def test_the_same_batch_is_varied_in_the_same_way_and_another_one_in_another():
    from cnn_core.engine.augmentation import RandomAffine

    images = np.random.default_rng(0).uniform(0, 255, (6, 16, 16, 3)).astype(np.float32)
    first, again, other = (np.asarray(RandomAffine(seed=3)(images, number)) for number in (7, 7, 8))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    assert not np.allclose(first, np.asarray(RandomAffine(seed=4)(images, 7)))


def test_a_part_of_a_batch_is_changed_as_in_the_whole_batch():
    from cnn_core.engine.augmentation import RandomAffine

    images = np.random.default_rng(0).uniform(0, 255, (7, 12, 12, 3)).astype(np.float32)
    change = RandomAffine(seed=3)
    parts = [np.asarray(change(images[first:end], 5, first, 7)) for first, end in ((0, 3), (3, 3), (3, 7))]
    np.testing.assert_allclose(np.concatenate(parts), np.asarray(change(images, 5)), rtol=1e-5)
