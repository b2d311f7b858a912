"""A dense layer in a convolution's place: counted by hand, and (small enough to build) by Keras."""

import pytest

from cnn_core.layers.dense import compare_with_dense, parameters_without_blocks
from cnn_core.network import ARTICLE, ConvBlock, NetworkError, NetworkSpec


def test_the_articles_first_convolution():
    conv, dense = compare_with_dense(ARTICLE).itertuples()
    assert conv.outputs == dense.outputs == 126 * 126 * 64 == 1_016_064
    assert (conv.reads, dense.reads) == (27, 128 * 128 * 3)
    assert conv.parameters == 1792
    assert dense.parameters == 49_152 * 1_016_064 + 1_016_064
    assert dense.times == pytest.approx(dense.parameters / 1792)
    assert dense.gigabytes == pytest.approx(199.77, abs=0.01)


def test_without_blocks_the_articles_block_stands_in():
    assert compare_with_dense(NetworkSpec(128, ())).equals(compare_with_dense(ARTICLE))


def test_a_network_that_ends_later_or_is_too_large_is_compared_all_the_same():
    assert compare_with_dense(NetworkSpec(16, (ConvBlock(),) * 4))["outputs"][0] == 14 * 14 * 64
    assert compare_with_dense(NetworkSpec(1024, (ConvBlock(1024, pool_size=0),)))["parameters"][0] == 28 * 1024


def test_a_picture_smaller_than_the_kernel_is_a_sentence():
    with pytest.raises(NetworkError, match="conv_1"):
        compare_with_dense(NetworkSpec(4, (ConvBlock(kernel_size=5),)))


@pytest.mark.slow
def test_keras_counts_the_same():
    import keras

    spec = NetworkSpec(8, (ConvBlock(4, 3, "same"),))
    picture = keras.Input((8, 8, 3))
    conv, dense = compare_with_dense(spec).itertuples()
    layer = keras.layers.Dense(dense.outputs)(keras.layers.Flatten()(picture))
    assert keras.Model(picture, layer).count_params() == dense.parameters
    assert keras.Model(picture, keras.layers.Conv2D(4, 3, padding="same")(picture)).count_params() == conv.parameters


def test_dense_layers_alone_are_counted_even_where_they_are_too_large_to_build():
    assert parameters_without_blocks(ARTICLE) == NetworkSpec(blocks=()).parameters
    assert parameters_without_blocks(NetworkSpec(256, dense_units=512)) == 512 * (256 * 256 * 3 + 1) + 2 * 513
