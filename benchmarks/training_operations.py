"""Where the time of a training step goes: the article's network, part by part, as Keras and as CNN Lab compute it.

CNN Lab has two ways to compute convolution and pooling, the second one for a long training.

    python benchmarks/training_operations.py [--rounds 15]

Each part is a batch of 15 pictures forward and backward, in a process with the training's own memory settings; the
times are medians. The last lines compare the whole with what this processor can do at best: a plain matrix product of
as many multiplications, in the same float32.
"""

import argparse
import io
import os
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from cnn_core.engine.child import ALLOCATOR  # noqa: E402

BATCH = 15


def milliseconds(work, rounds: int) -> float:
    """Return the median of some calls, after two that build what is built once."""
    times = []
    for _ in range(rounds + 2):
        began = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times[2:])


def with_gradients(part, values, weights):
    """Make a graph of a part and of its gradients, by its weights and by what goes in if another part made it."""
    import tensorflow as tf

    learned = values.shape[-1] > 3

    @tf.function
    def run():
        with tf.GradientTape() as tape:
            if learned:
                tape.watch(values)
            answer = part(values)
            total = tf.reduce_sum(answer * answer)
        return tape.gradient(total, [*weights, *([values] if learned else [])])

    return run


def measure(rounds: int) -> list[tuple[str, float, float, float | None]]:
    """Return each part's name, and its milliseconds as Keras and as CNN Lab compute it, in a short training and a long.

    A long training's time is None for what it computes only together with other parts.
    """
    import keras
    import numpy as np
    import tensorflow as tf

    from cnn_core.engine import fast_blocks, image_by_image
    from cnn_core.engine.augmentation import RandomAffine
    from cnn_core.engine.fused_adam import fuse
    from cnn_core.network import ARTICLE

    random = np.random.default_rng(0)
    network = ARTICLE.build()
    layer = network.get_layer
    images = tf.constant(random.uniform(0, 255, (BATCH, 128, 128, 3)).astype("float32"))
    scaled = layer("rescaling")(images)
    middle = layer("pool_1")(layer("conv_1")(scaled))
    pooled = layer("pool_2")(layer("conv_2")(middle))

    def keras_way(values, *numbers):
        for number in numbers:
            values = layer(f"pool_{number}")(layer(f"conv_{number}")(values))
        return values

    def short_way(values, *numbers):
        for number in numbers:
            values = fast_blocks.convolve_and_pool(values, layer(f"conv_{number}"), 2)
        return values

    def long_way(values, *numbers):
        return image_by_image.convolve_and_pool(values, [layer(f"conv_{number}") for number in numbers])

    def took(way, values, *numbers):
        weights = [weight for number in numbers for weight in layer(f"conv_{number}").weights]
        return milliseconds(with_gradients(lambda x: way(x, *numbers), values, weights), rounds)

    rows: list[tuple[str, float, float, float | None]] = []
    for number, values in ((1, scaled), (2, middle)):
        times = [took(way, values, number) for way in (keras_way, short_way)]
        rows.append((f"  convolution, ReLU and pooling {number}", *times, None))
    rows.append(("both of these", *(took(way, scaled, 1, 2) for way in (keras_way, short_way, long_way))))
    dense = keras.Sequential([layer("flatten"), layer("dense"), layer("softmax")])
    rows.append(("flatten and dense layers", *3 * [milliseconds(with_gradients(dense, pooled, dense.weights), rounds)]))

    steps = []
    gradients = [tf.constant(random.normal(0, 0.01, weight.shape).astype("float32")) for weight in network.weights]
    for fused in (False, True):
        adam = keras.optimizers.Adam()
        if fused:
            fuse(adam)
        adam.build(network.trainable_variables)
        steps.append(milliseconds(tf.function(lambda adam=adam: adam.apply(gradients)), rounds))
    rows.append(("Adam", *steps, steps[1]))

    guarded = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.0, global_clipnorm=1.0), initial_scale=1.0)
    guarded.build(network.trainable_variables)
    guard = milliseconds(tf.function(lambda: guarded.apply(gradients)), rounds)
    rows.append(("clipping, and a look for infinite gradients", 0.0, guard, guard))

    affine = tf.function(RandomAffine())
    generator = articles_generator()
    theirs = milliseconds(lambda: [generator.random_transform(image) for image in images.numpy()], rounds)
    rows.append(("augmentation", theirs, *2 * [milliseconds(lambda: affine(images, 0), rounds)]))
    content = photo()
    rows.append(("decoding (CNN Lab: only once)", milliseconds(lambda: decode(content), rounds) * BATCH, 0.0, 0.0))
    return rows


def articles_generator():
    """Return the article's augmentation."""
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    shifts = {"width_shift_range": 0.1, "height_shift_range": 0.1}
    return ImageDataGenerator(rotation_range=15, shear_range=0.1, zoom_range=0.2, horizontal_flip=True, **shifts)


def photo() -> bytes:
    """Return a JPEG file as large as Kaggle's are on average, 400 by 360 pixels, of scikit-image's cat."""
    from PIL import Image
    from skimage.data import chelsea

    stream = io.BytesIO()
    Image.fromarray(chelsea()).resize((400, 360)).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def decode(content: bytes) -> None:
    """Read and shrink it as the article's script does."""
    from PIL import Image

    Image.open(io.BytesIO(content)).convert("RGB").resize((128, 128), Image.Resampling.NEAREST)


def multiplications() -> float:
    """Count the floating-point operations of a step: a product and a sum for each weight that is used, both ways."""
    from cnn_core.network import ARTICLE

    total, before = 0.0, 3
    for row in ARTICLE.table().itertuples():
        if row.type == "Conv2D":
            height, width, filters = row.output_shape
            forward = 2 * height * width * filters * 9 * before
            total += forward * (2 if row.layer == "conv_1" else 3)  # the picture needs no gradient
            before = filters
        elif row.type == "Dense":
            total += 3 * 2 * row.parameters
    return BATCH * total


def product_per_second(rounds: int) -> float:
    """Return the floating-point operations a second of a large matrix product."""
    import tensorflow as tf

    side = 2048
    matrix = tf.random.normal((side, side))
    return 2 * side**3 / (milliseconds(tf.function(lambda: tf.linalg.matmul(matrix, matrix)), rounds) / 1000)


def main() -> None:
    """Measure the parts, and print them beside the processor's limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    if any(os.environ.get(name) != value for name, value in ALLOCATOR.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ALLOCATOR, "TF_CPP_MIN_LOG_LEVEL": "2"})
    rows = measure(options.rounds)
    print(f"{'milliseconds for 15 pictures':46}{'Keras':>8}{'CNN Lab, short':>16}{'long training':>15}")
    whole = [row for row in rows if row[3] is not None]
    for name, theirs, short, long in [*rows, ("together", *(sum(row[way] for row in whole) for way in (1, 2, 3)))]:
        print(f"{name:46}{theirs:8.1f}{short:16.1f}" + ("" if long is None else f"{long:15.1f}"))
    least = 1000 * multiplications() / product_per_second(options.rounds)
    print(f"\nThe step's {multiplications() / 1e9:.1f} billion operations take a plain matrix product {least:.0f} ms.")


if __name__ == "__main__":
    main()
