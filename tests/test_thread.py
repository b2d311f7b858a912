"""One number followed back, against Keras's own layers, its own pooling, and the photo's own pixels."""

import numpy as np
import pytest

from cnn_core import thread, walk
from cnn_core.models import PetModel, open_model
from cnn_core.network import ConvBlock, NetworkSpec
from cnn_core.pixels import resize
from pages.widgets import picture
from tests.activations import activate

pytestmark = pytest.mark.slow

RANDOM = np.random.default_rng(7)
CLOSE = 1e-4


@pytest.fixture(scope="module")
def chelsea():
    return picture.sample("chelsea")[0]


@pytest.fixture(scope="module")
def article():
    return open_model("article")


@pytest.fixture(scope="module")
def noise():
    return RANDOM.integers(0, 256, (40, 40, 3), dtype=np.uint8)


def pet_model(network, seed=1) -> PetModel:
    """Give every weight a value of its own, biases too, which Keras begins with 0."""
    random = np.random.default_rng(seed)
    network.set_weights([random.normal(0, 0.2, weights.shape) for weights in network.get_weights()])
    return PetModel("random", network, 1)


@pytest.fixture(scope="module")
def spec():
    blocks = (
        ConvBlock(6, 5, "same", "tanh", 3),
        ConvBlock(5, 3, "valid", "elu", 1),
        ConvBlock(4, 3, "same", "sigmoid"),
    )
    return pet_model(NetworkSpec(40, blocks, dense_units=7).build())


@pytest.fixture(scope="module")
def strange():
    """Strides, dilation, groups, every kind of layer that stands between two sums, and a network in the network."""
    import keras

    layers = keras.layers
    picture = keras.Input((40, 40, 3))
    x = layers.Rescaling(1 / 127, -1, name="scale")(picture)
    x = layers.Conv2D(8, 5, 2, "same", name="strided")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.ReLU(6, name="relu")(x)
    x = layers.ZeroPadding2D(1, name="frame")(x)
    y = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, name="each")(x)
    y = layers.Conv2D(8, 3, padding="same", groups=4, dilation_rate=2, activation="tanh", name="groups")(y)
    x = layers.Add(name="sum")([x, y])
    x = layers.MaxPooling2D(3, 2, "same", name="pool")(layers.Dropout(0.5, name="rest")(x))
    x = layers.AveragePooling2D(2, name="mean")(layers.Cropping2D(1, name="crop")(x))
    inner = keras.Model(picture, layers.Dense(5, name="mixed")(x), name="inner")
    outside = keras.Input((40, 40, 3))
    x = layers.Dense(6, name="list")(layers.Dropout(0.1)(layers.Flatten(name="flat")(inner(outside))))
    x = layers.Dense(2, name="scores")(layers.Activation("relu", name="bend")(x))
    network = keras.Model(outside, layers.Activation("softmax", name="shares")(x))
    model = pet_model(network)
    norm = inner.get_layer("norm")
    norm.moving_variance.assign(abs(norm.moving_variance) + 0.5)
    return model


def own_outputs(model, image) -> dict[str, np.ndarray]:
    """What Keras itself gives for every layer, asked as one network: nothing of the walk."""
    import keras

    x = resize(image, model.input_size, model.input_size)[None].astype(np.float32)
    found, todo = {}, [model.keras]
    while todo:
        part = todo.pop()
        todo += [layer for layer in part.layers if isinstance(layer, keras.Model)]
        layers = [layer for layer in part.layers if not isinstance(layer, (keras.Model, keras.layers.InputLayer))]
        outputs = keras.Model(part.inputs, [layer.output for layer in layers]).predict(x, verbose=0)
        found |= {layer.name: values[0] for layer, values in zip(layers, outputs, strict=True)}
    return found


@pytest.mark.parametrize(
    ("model", "image", "layers"),
    [
        ("article", "chelsea", ["conv_1", "conv_2", "dense", "softmax"]),
        ("spec", "noise", ["conv_1", "conv_2", "conv_3", "dense", "softmax"]),
        ("strange", "noise", ["strided", "each", "groups", "mixed", "list", "scores"]),
    ],
)
def test_the_partial_sums_and_the_bias_are_the_models_own_number(request, model, image, layers):
    """At the corners, and at random places."""
    model, image = request.getfixturevalue(model), request.getfixturevalue(image)
    outputs, trail = own_outputs(model, image), thread.Trail(model, image)
    worst = 0.0
    for layer in layers:
        own = outputs[layer]
        corners = [(0,) * own.ndim, tuple(side - 1 for side in own.shape)]
        for at in [*corners, *(tuple(map(int, RANDOM.integers(own.shape))) for _ in range(8))]:
            one = trail.knot(thread.Place(layer, at)).sum
            assert one.partial_sums.sum() + one.bias == pytest.approx(one.total)
            again = activate(one.activation, one.total, one.scores)
            assert one.value == pytest.approx(float(own[at]), abs=CLOSE)
            worst = max(worst, abs(again - float(own[at])))
    print(f"largest difference: {worst:.2g}")
    assert worst < CLOSE


@pytest.mark.parametrize(("model", "start"), [("article", "softmax"), ("accurate", "block_4_narrow")])
def test_a_thread_through_a_bundled_model_ends_at_the_photos_own_pixel(chelsea, model, start):
    model = open_model(model)
    outputs = {
        visit.name: np.asarray(visit.output)[0] for visit in walk.run(model.keras, walk.as_input(model, chelsea))[1]
    }
    pixels = resize(chelsea, model.input_size, model.input_size)
    place = thread.Place(start, (0,) * outputs[start].ndim)
    trail, sums = thread.Trail(model, chelsea), []
    while True:
        knot = trail.knot(place)
        sums.append(place.layer)
        one, way = knot.sum, knot.way
        assert activate(one.activation, one.total, one.scores) == pytest.approx(
            float(outputs[place.layer][place.at]), abs=CLOSE
        )
        assert way.value == pytest.approx(float(one.window[way.cell]))
        for passage in way.passages:
            assert passage.value == pytest.approx(float(outputs[passage.place.layer][passage.place.at]), abs=CLOSE)
        assert way.end is not None
        if way.end.layer == thread.PHOTO:
            break
        place = way.end
    np.testing.assert_array_equal(way.pixel, pixels[way.end.at[:2]])
    np.testing.assert_array_equal(knot.photo, pixels)
    np.testing.assert_array_equal(knot.pixels[way.cell[:2]], way.pixel)
    assert one.of_photo
    assert one.name(way.cell[-1]) == ("red", "green", "blue")[way.end.at[2]]
    rescaling = model.keras.layers[0] if model.name == "article" else None
    if rescaling is not None:
        assert sums == ["softmax", "dense", "conv_2", "conv_1"]
        assert way.value == pytest.approx(float(pixels[way.end.at]) * rescaling.scale, abs=1e-6)


def test_the_way_through_max_pooling_lands_on_the_pooled_number(article, chelsea, spec, noise):
    for model, image, layer, pool, before in (
        (article, chelsea, "conv_2", "pool_1", "conv_1"),
        (article, chelsea, "dense", "pool_2", "conv_2"),
        (spec, noise, "conv_2", "pool_1", "conv_1"),
    ):
        outputs, trail = own_outputs(model, image), thread.Trail(model, image)
        for _ in range(6):
            at = tuple(map(int, RANDOM.integers(outputs[layer].shape)))
            one = trail.knot(thread.Place(layer, at)).sum
            which = int(RANDOM.integers(len(one.maps)))
            cell = tuple(map(int, RANDOM.integers(one.inside.shape)))
            way = trail.knot(thread.Place(layer, at), which, cell).way
            pooled = outputs[pool][way.place.at]
            assert way.place.layer == pool
            assert way.value == pytest.approx(float(pooled), abs=CLOSE)
            assert way.end.layer == before
            assert float(outputs[before][way.end.at]) == pytest.approx(float(pooled), abs=CLOSE)
            size = model.keras.get_layer(pool).pool_size[0]
            assert tuple(side // size for side in way.end.at[:2]) == way.place.at[:2]
            assert way.end.at[2] == way.place.at[2]


def test_a_dense_layer_after_flatten_has_a_bar_for_each_map(article, chelsea):
    outputs = own_outputs(article, chelsea)
    weights = np.asarray(article.keras.get_layer("dense").kernel).reshape(30, 30, 64, 64)
    number = int(outputs["dense"].argmax())
    knot = thread.follow(article, chelsea, thread.Place("dense", (number,)))
    sums = (outputs["pool_2"] * weights[..., number]).sum(axis=(0, 1))
    np.testing.assert_allclose(knot.sum.partial_sums, sums, atol=CLOSE)
    assert abs(sums[knot.sum.order[0]]) == pytest.approx(abs(sums).max(), abs=CLOSE)
    assert knot.sum.source == "pool_2"
    assert knot.sum.name(int(knot.sum.order[0])) == f"map {knot.sum.order[0] + 1}"
    np.testing.assert_allclose(knot.way.source_map, outputs["pool_2"][..., knot.way.cell[-1]], atol=CLOSE)
    row, column, which = knot.way.cell
    assert [passage.place.layer for passage in knot.way.passages] == ["flatten", "pool_2"]
    assert f"row {row}, column {column} of map {which + 1}" in knot.way.passages[0].says


def test_a_dense_layer_after_a_dense_layer_has_a_bar_for_each_number(article, chelsea):
    outputs = own_outputs(article, chelsea)
    knot = thread.follow(article, chelsea, thread.Place("softmax", (1,)))
    assert knot.sum.window.shape == (1, 1, 64)
    assert knot.sum.name(4) == "number 5"
    assert knot.way.end == thread.Place("dense", (knot.way.cell[-1],))
    assert knot.way.value == pytest.approx(float(outputs["dense"][knot.way.end.at]), abs=CLOSE)
    powers = np.exp(knot.sum.scores)
    np.testing.assert_allclose(powers / powers.sum(), outputs["softmax"], atol=CLOSE)
    assert knot.sum.total == pytest.approx(knot.sum.scores[1])


def test_every_kind_of_layer_between_two_sums_is_passed(strange, noise):
    outputs, trail = own_outputs(strange, noise), thread.Trail(strange, noise)
    passed, place = [], thread.Place("scores", (0,))
    for _ in range(12):
        knot = trail.knot(place)
        for passage in knot.way.passages:
            name = passage.place.layer
            assert passage.value == pytest.approx(float(outputs[name][passage.place.at]), abs=CLOSE), passage
            passed.append(name)
        if knot.way.end is None or knot.way.end.layer == thread.PHOTO:
            break
        place = knot.way.end
    assert {"bend", "flat", "mean", "crop", "pool", "sum", "scale"} <= set(passed)
    assert place.layer == "strided"
    np.testing.assert_array_equal(knot.way.pixel, noise[knot.way.end.at[:2]])
    norm = strange.keras.get_layer("inner").get_layer("norm")
    way = trail.knot(thread.Place("each", (4, 4, 3)), 0, (1, 1)).way
    assert [passage.place.layer for passage in way.passages] == ["frame", "relu", "norm"]
    row, column, which = way.end.at
    before = outputs["strided"][way.end.at]
    scaled = (before - norm.moving_mean[which]) / np.sqrt(norm.moving_variance[which] + norm.epsilon)
    assert way.passages[-1].value == pytest.approx(float(scaled * norm.gamma[which] + norm.beta[which]), abs=CLOSE)
    assert (row, column) == (way.place.at[0] - 1, way.place.at[1] - 1)


def test_the_zeros_around_a_map_come_from_nothing(strange, noise):
    way = thread.follow(strange, noise, thread.Place("each", (0, 4, 3)), 0, (1, 1)).way
    assert way.end is None
    assert way.value == 0
    assert "zeros that the padding puts around the map" in way.passages[-1].says
    one = thread.follow(strange, noise, thread.Place("each", (0, 0, 3))).sum
    np.testing.assert_array_equal(one.inside, [[False] * 3, [False, True, True], [False, True, True]])
    assert not one.window[~one.inside].any()
    with pytest.raises(walk.WalkError, match="no number at row 0, column 0"):
        thread.follow(strange, noise, thread.Place("each", (0, 0, 3)), 0, (0, 0))


def test_what_is_no_plain_sum_ends_the_thread_with_a_sentence(noise):
    import keras

    layers = keras.layers
    picture = keras.Input((40, 40, 3))
    x = layers.SeparableConv2D(4, 3, name="two")(picture)
    x = layers.Dense(2, name="answer")(layers.GlobalAveragePooling2D(name="mean")(x))
    model = pet_model(keras.Model(picture, x))
    way = thread.follow(model, noise, thread.Place("answer", (1,))).way
    assert way.end is None
    assert [passage.place.layer for passage in way.passages] == ["mean", "two"]
    assert "SeparableConv2D computes this number from several others" in way.passages[-1].says
    with pytest.raises(walk.WalkError, match="“two” is a SeparableConv2D layer"):
        thread.follow(model, noise, thread.Place("two", (0, 0, 0)))


@pytest.mark.parametrize(
    ("place", "which", "sentence"),
    [
        (("nose", (0,)), None, "no layer called “nose”. Choose one of: .*conv_1"),
        (("conv_1", (0, 0, 64)), None, r"shape \(126, 126, 64\)"),
        (("conv_1", (0, -1, 0)), None, r"shape \(126, 126, 64\)"),
        (("dense", (0, 0, 0)), None, r"shape \(64,\)"),
        (("conv_2", (0, 0, 0)), 64, "64 inputs, counted from 0; there is no 64"),
        (("pool_1", (0, 0, 0)), None, "MaxPooling2D layer, whose numbers are not sums"),
    ],
)
def test_a_place_that_is_not_there_is_a_sentence(article, chelsea, place, which, sentence):
    with pytest.raises(walk.WalkError, match=sentence):
        thread.follow(article, chelsea, thread.Place(*place), which)


def test_a_thread_starts_where_something_happens(article, chelsea):
    outputs = own_outputs(article, chelsea)
    found = walk.strongest(article, chelsea, "conv_2")
    place = thread.first_place(found, 0)
    assert place.at[2] == found.numbers[0]
    assert outputs["conv_2"][place.at] == pytest.approx(outputs["conv_2"][..., place.at[2]].max(), abs=CLOSE)
    assert thread.first_place(walk.strongest(article, chelsea, "softmax"), 0).at == (int(outputs["softmax"].argmax()),)
