"""The Keras scripts that build and train the network that is set on the pages. Each runs as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnn_core.engine.config import AUGMENTATIONS, CLIP_NORM, MIN_WARMUP, WARMUP
from cnn_core.scripts.corrections_script import corrected
from cnn_core.scripts.literals import quoted
from cnn_core.storage.files import expanded, visiting

if TYPE_CHECKING:
    from cnn_core.engine.config import TrainingConfig
    from cnn_core.network import NetworkSpec


def training(config: TrainingConfig) -> str:
    """Return the complete script of a run with the settings of `config`: images, split, network, training, model.

    With the same seed it starts from the same weights and learns from the same batches in the same order, augmented in
    the same way: the history is that of the run. It differs in this: it keeps all images in memory, it always computes
    in float32, a picture with transparency or with more than 8 bits a channel is converted in Pillow's way, a batch
    whose gradient is no number is not left out, and one of which no picture can be read ends it.

    Parameters
    ----------
    config : TrainingConfig

    Returns
    -------
    str
        Python code; it needs tensorflow, pandas, pillow and scikit-learn, and writes ``cats-and-dogs.keras``. For the
        drawn pets it also needs ``cnn_core.sketches``.

    Examples
    --------
    >>> from cnn_core.engine.config import TrainingConfig
    >>> "EPOCHS, BATCH, SEED = 7, 15, 42" in training(TrainingConfig(data="photos", epochs=7))
    True
    """
    size, drawn = config.network.input_size, config.source.drawn
    change = AUGMENTATIONS[config.augment]
    parts = [
        _SUBJECT,
        _IMPORTS.format(
            shutil="import shutil\n" if config.data.lower().endswith(".zip") else "",
            sketches="\nfrom cnn_core import sketches\n" if drawn else "",
            epochs=config.epochs,
            batch=config.batch_size,
            seed=config.seed,
            size=size,
            deterministic=_DETERMINISTIC if config.deterministic else "",
        ),
        f"# 1. The images: the name of a file or of its folder begins with its label.\n{_source(config)}",
        _TABLE.rstrip(),
    ]
    if config.images is not None and not drawn:
        parts.append(_SAMPLE.format(images=config.images, cats=config.images - config.images // 2))
    parts += [
        "# 2. The test images are kept apart: the network is not trained on them.\n"
        f"training_set, test_set = train_test_split(table, test_size={config.test_size}, random_state=SEED)"
        + corrected(config.source.in_force)
        + (
            "\ntraining_set, validation_set = train_test_split("
            f"training_set, test_size={config.validation}, random_state=SEED)"
            if config.validation
            else ""
        ),
        f"# 3. Batches of {config.batch_size} images of {size}×{size} pixels, in another order in every epoch"
        + (f", each changed at random (augmentation).\n{_augmentation(change)}\n" if change else "."),
        (_WEIGHTS if config.class_weights else "")
        + _BATCHES.format(
            images="augment(images, epoch * steps + step)" if change else "images",
            weights=", weights[labels]" if config.class_weights else "",
        ),
        "# 4. The network\n" + _network(config.network),
        "# 5. The training\n" + _fit(config),
    ]
    return "\n\n".join(parts) + "\n"


_SUBJECT = '''\
"""Cats and dogs: read the images, split them, train a convolutional network, save it.

It repeats a run of CNN Lab: the same seed gives the same first weights, batches and augmentation. Unlike CNN Lab, it
keeps all images in memory, always computes in float32, and leaves images with transparency or 16 bits to Pillow.
"""'''

_IMPORTS = """\
import re
{shutil}from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras import layers
from PIL import Image, ImageOps
from sklearn.model_selection import train_test_split
{sketches}
EPOCHS, BATCH, SEED = {epochs}, {batch}, {seed}
SIZE = {size}  # height and width of the images, in pixels

keras.utils.set_random_seed(SEED){deterministic}"""

_DETERMINISTIC = """
tf.config.experimental.enable_op_determinism()  # every operation adds in a fixed order"""

_TABLE = """\
LABELS = ["cat", "dog"]
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"}


def label_of(file):
    name, *folders = reversed(file.relative_to(folder).parts)
    if found := re.match(r"(cat|dog)s?(?![a-z])", name.lower()):
        return LABELS.index(found[1])
    for part in folders:
        if part.lower() in ("cat", "cats", "dog", "dogs"):
            return LABELS.index(part.lower()[:3])
    return None


def read(file):
    try:
        image = ImageOps.exif_transpose(Image.open(file)).convert("RGB")
    except Exception:  # Pillow raises many kinds on a broken file
        return None
    return np.array(image.resize((SIZE, SIZE), Image.Resampling.BILINEAR))


files = [file for file in sorted(folder.rglob("*"), key=lambda file: file.parts) if file.suffix.lower() in SUFFIXES]
files = [file for file in files if label_of(file) is not None]
names = [file.relative_to(folder).as_posix() for file in files]
table = pd.DataFrame({"name": names, "label": map(label_of, files), "image": map(read, files)})  # image: None if broken
"""

_SAMPLE = """\
if len(table) > {images}:  # some of them, half cats and half dogs
    pets = [table[table["label"] == label] for label in (0, 1)]
    pets = [rows.sample(min(n, len(rows)), random_state=SEED) for rows, n in zip(pets, ({cats}, {images} - {cats}))]
    table = pd.concat(pets).sort_index().reset_index(drop=True)"""

_AUGMENTATION = """\
def augment(images, number):
    random = tf.random.stateless_uniform((7, len(images)), [SEED, number])  # 0 to 1, always the same for this batch
    angle, shear, zoom_x, zoom_y, flip, shift_x, shift_y = tf.unstack(random)
    angle = np.pi / 180 * (2 * angle - 1) * {rotation:g}
    shear = (2 * shear - 1) * {shear:g}
    zoom_x, zoom_y = {low:g} + {span:g} * zoom_x, {low:g} + {span:g} * zoom_y
    zoom_x = tf.where(flip < 0.5, -zoom_x, zoom_x)
    # Rotation times shear times zoom, around the middle, and then the shift: one matrix for each image.
    a, b = tf.cos(angle) * zoom_x, (tf.cos(angle) * shear - tf.sin(angle)) * zoom_y
    d, e = tf.sin(angle) * zoom_x, (tf.sin(angle) * shear + tf.cos(angle)) * zoom_y
    middle = (SIZE - 1) / 2
    c = middle - a * middle - b * middle + SIZE * (2 * shift_x - 1) * {shift:g}
    f = middle - d * middle - e * middle + SIZE * (2 * shift_y - 1) * {shift:g}
    matrices = tf.stack([a, b, c, d, e, f, tf.zeros_like(a), tf.zeros_like(a)], axis=1)
    return keras.ops.image.affine_transform(images, matrices, interpolation="bilinear", fill_mode="nearest")
"""

_WEIGHTS = """\
counts = training_set["label"].value_counts().sort_index().to_numpy()
weights = len(training_set) / (2 * counts)  # an image of the rarer class counts more
"""

_BATCHES = """\
steps = -(-len(training_set) // BATCH)  # batches of an epoch


def training_batches():
    for epoch in range(EPOCHS):
        order = np.random.default_rng([SEED, epoch]).permutation(len(training_set))
        for step in range(steps):
            rows = training_set.iloc[order[step * BATCH : (step + 1) * BATCH]].dropna()  # without broken files
            images = np.stack(rows["image"]).astype("float32")
            labels = rows["label"].to_numpy()
            yield np.asarray({images}), labels{weights}
"""


def _augmentation(settings: dict[str, Any]) -> str:
    low, high = settings["zoom"]
    return _AUGMENTATION.format(**settings, low=low, span=round(high - low, 6)).rstrip()


def _source(config: TrainingConfig) -> str:
    if config.source.drawn:
        from cnn_core import sketches

        return f"folder = sketches.folder({config.images or sketches.DEFAULT_COUNT}, seed={config.seed})"
    path = expanded(config.source.shown)
    path = path if visiting() else path.absolute()
    if path.suffix.lower() != ".zip":
        return f"folder = Path({quoted(path)})"
    return (
        f"folder = Path({quoted(path.stem)})\nshutil.unpack_archive({quoted(path)}, folder)\n"
        'if (folder / "train.zip").exists():  # Kaggle\'s zip contains another zip\n'
        '    shutil.unpack_archive(folder / "train.zip", folder)'
    )


def network(spec: NetworkSpec) -> str:
    """Return the Keras script that builds a network and prints its layers.

    Parameters
    ----------
    spec : NetworkSpec

    Returns
    -------
    str
        Python code; it needs keras.

    Examples
    --------
    >>> from cnn_core.network import ARTICLE
    >>> "layers.Conv2D(64, 3" in network(ARTICLE)
    True
    """
    return "import keras\nfrom keras import layers\n\n" + _network(spec)


def _network(spec: NetworkSpec) -> str:
    lines = [
        "model = keras.Sequential(",
        "    [",
        f"        keras.Input(({spec.input_size}, {spec.input_size}, 3)),",
        "        layers.Rescaling(1 / 255),",
    ]
    for block in spec.blocks:
        padding = "" if block.padding == "valid" else f', padding="{block.padding}"'
        lines.append(
            f'        layers.Conv2D({block.filters}, {block.kernel_size}{padding}, activation="{block.activation}"),'
        )
        if block.pool_size > 1:
            lines.append(f"        layers.MaxPooling2D({block.pool_size}),")
    lines.append("        layers.Flatten(),")
    if spec.dense_units:
        lines.append(f'        layers.Dense({spec.dense_units}, activation="relu"),')
    lines += [
        f'        layers.Dense({spec.classes}, activation="softmax"),',
        "    ]",
        ")",
        "model.summary()",
    ]
    return "\n".join(lines)


def _fit(config: TrainingConfig) -> str:
    rate = f"rate = {config.learning_rate:g}\n"
    if config.schedule == "cosine":
        rate = f"rate = keras.optimizers.schedules.CosineDecay({config.learning_rate:g}, EPOCHS * steps)\n"
    elif config.schedule == "warmup_cosine":
        rate = (
            "total = EPOCHS * steps\n"
            "# The learning rate first rises, then falls.\n"
            f"warmup = max(1, round({WARMUP} * total), min({MIN_WARMUP}, total // 2))\n"
            "rate = keras.optimizers.schedules.CosineDecay(\n"
            f"    {config.learning_rate:g} / warmup, max(1, total - warmup),\n"
            f"    warmup_target={config.learning_rate:g}, warmup_steps=warmup,\n)\n"
        )
    callbacks = ""
    if config.keeps_best:
        patience = config.patience or config.epochs
        callbacks = f"    callbacks=[keras.callbacks.EarlyStopping(patience={patience}, restore_best_weights=True)],\n"
    held_out = f"{config.held_out}_set"
    return (
        f"{held_out} = {held_out}.dropna()\n"
        f"{rate}"
        f"optimizer = keras.optimizers.Adam(rate, global_clipnorm={CLIP_NORM})\n"
        "# On a CPU, XLA (jit_compile) is several times as slow for this network.\n"
        'model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)\n'
        "history = model.fit(\n"
        "    training_batches(),\n"
        "    steps_per_epoch=steps,\n"
        f'    validation_data=(np.stack({held_out}["image"]), {held_out}["label"].to_numpy()),\n'
        "    validation_batch_size=64,\n"
        f"    epochs=EPOCHS,\n{callbacks})\n"
        "print(pd.DataFrame(history.history))\n"
        'model.save("cats-and-dogs.keras")'
    )
