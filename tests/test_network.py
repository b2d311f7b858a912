"""The arithmetic of a network against the Keras model it describes."""

import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_core.layers import first_kernels
from cnn_core.layers.depth import compare_kernel_sizes, max_depth, sizes_by_depth
from cnn_core.network import (
    ARTICLE,
    MAX_PARAMETERS,
    ConvBlock,
    NetworkError,
    NetworkSpec,
)
from cnn_core.scripts import training_script

blocks = st.builds(
    ConvBlock,
    filters=st.integers(1, 6),
    kernel_size=st.integers(1, 7),
    padding=st.sampled_from(["valid", "same"]),
    activation=st.sampled_from(["relu", "tanh", "linear"]),
    pool_size=st.integers(0, 3),
)
specs = st.builds(
    NetworkSpec,
    input_size=st.integers(4, 40),
    blocks=st.lists(blocks, max_size=4).map(tuple),
    dense_units=st.integers(0, 5),
    classes=st.integers(2, 3),
)


def test_articles_network_by_hand():
    table = ARTICLE.table()
    assert table["output_shape"].tolist() == [
        (128, 128, 3), (126, 126, 64), (63, 63, 64), (61, 61, 64), (30, 30, 64), (57600,), (64,), (2,),
    ]  # fmt: skip
    assert table["parameters"].tolist() == [0, 1792, 0, 36928, 0, 0, 3686464, 130]
    assert ARTICLE.parameters == 3_725_314
    assert table["receptive_field"].tolist()[:5] == [1, 3, 4, 8, 10]


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(specs)
def test_table_agrees_with_keras_or_says_why_not(spec):
    try:
        table = spec.table()
    except NetworkError as error:
        assert "pixels: too few" in str(error)
        with pytest.raises(ValueError, match=r"negative|output size|exceed|window|kernel|dimension"):
            keras_without_check(spec)
        return
    model = spec.build()
    assert [tuple(layer.output.shape[1:]) for layer in model.layers] == table["output_shape"].tolist()
    assert [layer.count_params() for layer in model.layers] == table["parameters"].tolist()
    assert [type(layer).__name__ for layer in model.layers] == table["type"].tolist()
    assert model.count_params() == spec.parameters


def keras_without_check(spec):
    from keras import layers

    shape = (1, spec.input_size, spec.input_size, 3)
    for block in spec.blocks:
        shape = layers.Conv2D(1, block.kernel_size, padding=block.padding).compute_output_shape(shape)
        if block.pool_size > 1 and min(shape) > 0:
            shape = layers.MaxPooling2D(block.pool_size).compute_output_shape(shape)
        if min(shape) < 1:
            raise ValueError("a dimension vanished")


@pytest.mark.slow
def test_receptive_field_is_what_a_pixel_reaches():
    """Change one input pixel at a time: an output value answers exactly within its receptive field."""
    import keras

    spec = NetworkSpec(
        input_size=24, blocks=(ConvBlock(2, 3, activation="linear"), ConvBlock(2, 3, activation="linear"))
    )
    field = int(spec.table().set_index("layer").loc["pool_2", "receptive_field"])
    model = spec.build()
    upto = keras.Model(model.inputs, model.get_layer("pool_2").output)
    rng = np.random.default_rng(0)
    base = rng.uniform(0, 255, (24, 24, 3)).astype(np.float32)
    changed = np.repeat(base[None], 24, axis=0)
    for row in range(24):
        changed[row, row] += rng.uniform(50, 100, (24, 3))
    moved = np.abs(np.asarray(upto(changed)) - np.asarray(upto(base[None]))).sum(axis=(2, 3))[:, 0] > 1e-4
    reached = np.flatnonzero(moved)  # rows of the picture that the first output row answers to
    assert reached.max() < field
    assert reached.max() >= field - 3  # pooling picks one of its window: not every pixel wins


def test_vanished_picture_names_the_layer():
    with pytest.raises(NetworkError, match=r"conv_3 \(5×5, valid\) receives 2×2.*the padding “same”"):
        NetworkSpec(20, (ConvBlock(2, 5), ConvBlock(2, 3, "same", pool_size=4), ConvBlock(2, 5))).table()
    with pytest.raises(NetworkError, match=r"pool_1 \(3×3\) receives 2×2"):
        NetworkSpec(4, (ConvBlock(2, 3, pool_size=3),)).build()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (NetworkSpec(2), "input size"),
        (NetworkSpec(blocks=(ConvBlock(0),)), "filters of conv_1"),
        (NetworkSpec(blocks=(ConvBlock(), ConvBlock(kernel_size=99))), "kernel size of conv_2"),
        (NetworkSpec(blocks=(ConvBlock(padding="full"),)), "padding of conv_1"),
        (NetworkSpec(blocks=(ConvBlock(activation="swoosh"),)), "activation of conv_1"),
        (NetworkSpec(blocks=(ConvBlock(pool_size=-1),)), "window of pool_1"),
        (NetworkSpec(dense_units=True), "dense units"),
        (NetworkSpec(classes=1), "classes"),
    ],
)
def test_settings_out_of_range(spec, words):
    with pytest.raises(NetworkError, match=words):
        spec.table()


def test_too_many_parameters_names_the_heaviest_layer():
    with pytest.raises(NetworkError, match="most of them in layer dense"):
        NetworkSpec(1024, (ConvBlock(64, pool_size=1),), dense_units=512).table()
    assert NetworkSpec(128).parameters < MAX_PARAMETERS


def test_dict_round_trip_and_junk():
    spec = NetworkSpec(64, (ConvBlock(8, 5, "same", "tanh", 3),), 0, 3)
    assert NetworkSpec.from_dict(spec.to_dict()) == spec
    for junk in ({"blocks": [{"color": 1}]}, {"depth": 3}, []):
        with pytest.raises(NetworkError, match="not the description"):
            NetworkSpec.from_dict(junk)


@given(st.integers(4, 300), st.integers(1, 7), st.sampled_from(["valid", "same"]), st.integers(1, 4))
def test_max_depth_is_the_last_that_can_be_built(size, kernel, padding, pool):
    depth = max_depth(size, kernel, padding, pool)
    block = ConvBlock(1, kernel, padding, pool_size=pool)
    if depth is None:
        NetworkSpec(size, (block,) * 50, 1).table()
        return
    NetworkSpec(size, (block,) * depth, 1).table()
    with pytest.raises(NetworkError, match="too few"):
        NetworkSpec(size, (block,) * (depth + 1), 1).table()
    assert len(sizes_by_depth(size, kernel, padding, pool)) == depth + 1


def test_compared_kernels_agree_with_a_networks_table():
    compared = compare_kernel_sizes(16).set_index("layers")
    for name, kernel, count in (("one 5×5", 5, 1), ("two 3×3 in a row", 3, 2), ("three 3×3 in a row", 3, 3)):
        block = ConvBlock(16, kernel, pool_size=0)
        table = NetworkSpec(32, (ConvBlock(16, 1, pool_size=0), *[block] * count)).table()
        convolutions = table[table["type"] == "Conv2D"].iloc[1:]
        assert convolutions["parameters"].sum() == compared.loc[name, "parameters"]
        assert convolutions["receptive_field"].iloc[-1] == compared.loc[name, "receptive_field"]


@pytest.mark.slow
def test_script_builds_the_same_network(capsys):
    spec = NetworkSpec(32, (ConvBlock(5, 5, "same", "tanh", 3), ConvBlock(7, 3, pool_size=0)), 9)
    scope: dict = {}
    exec(training_script.network(spec), scope)
    assert scope["model"].count_params() == spec.parameters
    assert [layer.output.shape[1:] for layer in scope["model"].layers] == spec.table()["output_shape"].tolist()


@pytest.mark.slow
def test_learned_kernels_are_the_saved_ones(tmp_path):
    model = NetworkSpec(16, (ConvBlock(5),), 2).build()
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        first_kernels.learned_kernels(tmp_path / "model.keras"), model.get_layer("conv_1").get_weights()[0]
    )


def test_random_kernels_are_spread_like_keras():
    drawn = first_kernels.random_kernels(64, seed=1)
    limit = np.sqrt(6 / (27 + 576))
    assert drawn.std() == pytest.approx(limit / np.sqrt(3), rel=0.05)
    assert not np.array_equal(drawn, first_kernels.random_kernels(64, seed=2))


def test_kernels_of_no_model(tmp_path):
    (tmp_path / "text.keras").write_text("text")
    with zipfile.ZipFile(tmp_path / "empty.keras", "w") as archive:
        archive.writestr("model.weights.h5", b"no hdf5")
    for name in ("text", "empty"):
        with pytest.raises(first_kernels.KernelError, match="cannot be read"):
            first_kernels.learned_kernels(tmp_path / f"{name}.keras")


def test_layers_that_fit_end_where_the_table_says():
    spec = NetworkSpec(20, (ConvBlock(2, 5), ConvBlock(2, 3, "same", pool_size=4), ConvBlock(2, 5)))
    table, error = spec.layers_that_fit()
    assert table["layer"].tolist() == ["rescaling", "conv_1", "pool_1", "conv_2", "pool_2"]
    assert table["output_shape"].tolist()[-1] == (2, 2, 2)
    assert error.layer == "conv_3"
    with pytest.raises(NetworkError) as raised:
        spec.table()
    assert str(raised.value) == str(error)
    assert ARTICLE.layers_that_fit()[1] is None


def test_neighbors_are_similar_in_an_edge_and_not_in_noise():
    edge = np.repeat([[1.0], [1.0], [-1.0]], 3, axis=1)
    many = np.stack([np.ones((3, 3)), edge, np.indices((3, 3)).sum(0) % 2 * 2 - 1.0], axis=-1)[:, :, None]
    np.testing.assert_allclose(first_kernels.neighbor_similarity(many), [1, 0.5, -1])
    assert abs(first_kernels.neighbor_similarity(first_kernels.random_kernels(2000)).mean()) < 0.02
