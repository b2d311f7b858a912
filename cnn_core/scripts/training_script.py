"""The Keras scripts that build and train a network as the pages set it. Each runs as it stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnn_core.engine.config import TrainingConfig
    from cnn_core.network import NetworkSpec


def training(config: TrainingConfig) -> str:
    """Write the article's whole script with the settings of `config`: pictures, split, network, training, model.

    Parameters
    ----------
    config : TrainingConfig

    Returns
    -------
    str
        Python that runs as it stands; it needs tensorflow, pandas and scikit-learn, and writes
        ``cats-and-dogs.keras``. The drawn pictures exist only here, so for them it asks ``cnn_core.sketches``.

    Examples
    --------
    >>> from cnn_core.engine.config import TrainingConfig
    >>> "epochs=7" in training(TrainingConfig(data="photos", epochs=7))
    True
    """
    size, drawn = config.network.input_size, config.data == "sketches"
    parts = [
        '"""Cats or dogs: read the pictures, split them, train a convolutional network, save it."""',
        _IMPORTS.format(
            shutil="import shutil\n" if config.data.lower().endswith(".zip") else "",
            sketches="\nfrom cnn_core import sketches\n" if drawn else "",
            seed=config.seed,
        ),
        f"# 1. The pictures: the name of a file, or of its folder, says what it shows.\n{_source(config)}",
        _TABLE.rstrip(),
    ]
    if config.images is not None and not drawn:
        parts.append(
            f"each, seed = {config.images // 2}, {config.seed}\n"
            'pets = [rows.sample(min(each, len(rows)), random_state=seed) for _, rows in table.groupby("label")]\n'
            "table = pd.concat(pets).sort_index().reset_index(drop=True)"
        )
    parts += [
        "# 2. Some pictures are kept for testing: the network never learns from them.\n"
        f"training, test = train_test_split(table, test_size={config.test_size}, random_state={config.seed})",
        f"# 3. Batches of {config.batch_size} pictures of {size}×{size} pixels"
        + (f", each one a little different in every epoch.\n{_AUGMENTATION}" if config.augment else ".\n"),
        _BATCHES.format(
            size=size,
            batch=config.batch_size,
            leave_out="" if drawn else ".ignore_errors()  # a broken picture is left out",
            change=_CHANGE if config.augment else "",
        ),
        "# 4. The network.\n" + _network(config.network),
        "# 5. The training.\n" + _fit(config),
    ]
    return "\n\n".join(parts) + "\n"


_IMPORTS = """\
{shutil}from pathlib import Path

import keras
import pandas as pd
import tensorflow as tf
from keras import layers
from sklearn.model_selection import train_test_split
{sketches}
keras.utils.set_random_seed({seed})"""

_TABLE = """\
LABELS = ["cat", "dog"]
KINDS = {".jpg", ".jpeg", ".png", ".gif", ".bmp"}


def label_of(file):
    for name in reversed(file.relative_to(folder).parts):
        if name[:3].lower() in LABELS:
            return LABELS.index(name[:3].lower())
    return None


files = [file for file in sorted(folder.rglob("*")) if file.suffix.lower() in KINDS]
table = pd.DataFrame({"file": [str(file) for file in files], "label": [label_of(file) for file in files]})
table = table.dropna().astype({"label": int})
"""

_AUGMENTATION = """\
augment = keras.Sequential(
    [
        layers.RandomFlip("horizontal"),
        layers.RandomRotation(15 / 360, fill_mode="nearest"),
        layers.RandomZoom(0.2, fill_mode="nearest"),
        layers.RandomTranslation(0.1, 0.1, fill_mode="nearest"),
        layers.RandomShear(0.1, 0.0, fill_mode="nearest"),
    ]
)
"""

_BATCHES = """\
def read(file, label):
    picture = tf.io.decode_image(tf.io.read_file(file), channels=3, expand_animations=False)
    return tf.ensure_shape(tf.image.resize(picture, ({size}, {size}), antialias=True), ({size}, {size}, 3)), label


def batches(table, learn):
    data = tf.data.Dataset.from_tensor_slices((table["file"].to_list(), table["label"].to_list()))
    if learn:
        data = data.shuffle(len(table))
    data = data.map(read, num_parallel_calls=tf.data.AUTOTUNE){leave_out}
    data = data.batch({batch}){change}
    return data.prefetch(2)
"""

_CHANGE = """
    if learn:
        data = data.map(lambda picture, label: (augment(picture, training=True), label))"""


def _source(config: TrainingConfig) -> str:
    if config.data == "sketches":
        from cnn_core import sketches

        return f"folder = sketches.folder({config.images or sketches.DEFAULT_COUNT}, seed={config.seed})"
    path = Path(config.data).expanduser().absolute()
    if path.suffix.lower() != ".zip":
        return f"folder = Path({_quoted(path)})"
    return (
        f"folder = Path({_quoted(path.stem)})\nshutil.unpack_archive({_quoted(path)}, folder)\n"
        'if (folder / "train.zip").exists():  # Kaggle\'s zip holds another one\n'
        '    shutil.unpack_archive(folder / "train.zip", folder)'
    )


def _quoted(path: str | Path) -> str:
    return json.dumps(str(path), ensure_ascii=False)


def network(spec: NetworkSpec) -> str:
    """Write the Keras script that builds a network and prints its layers.

    Parameters
    ----------
    spec : NetworkSpec

    Returns
    -------
    str
        Python that runs as it stands; it needs tensorflow.

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
    from cnn_core.engine.config import CLIP_NORM as clip

    rate = f"{config.learning_rate:g}"
    if config.schedule == "cosine":
        steps = f"{config.epochs} * -(-len(training) // {config.batch_size})"
        rate = f"keras.optimizers.schedules.CosineDecay({rate}, {steps})"
    callbacks = ""
    if config.patience:
        callbacks = (
            f",\n    callbacks=[keras.callbacks.EarlyStopping(patience={config.patience}, restore_best_weights=True)]"
        )
    return (
        f"rate = {rate}\n"
        f"optimizer = keras.optimizers.Adam(rate, global_clipnorm={clip})\n"
        'model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])\n'
        "history = model.fit(\n"
        "    batches(training, learn=True),\n"
        "    validation_data=batches(test, learn=False),\n"
        f"    epochs={config.epochs}{callbacks},\n)\n"
        "print(pd.DataFrame(history.history))\n"
        'model.save("cats-and-dogs.keras")'
    )
