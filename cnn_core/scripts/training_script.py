"""The Keras scripts that build and train the network that is set on the pages. Each runs as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnn_core.engine.config import AUGMENTATIONS, CLIP_NORM, WARMUP
from cnn_core.scripts.corrections_script import corrected

if TYPE_CHECKING:
    from cnn_core.engine.config import TrainingConfig
    from cnn_core.network import NetworkSpec


def training(config: TrainingConfig) -> str:
    """Return the article's complete script with the settings of `config`: images, split, network, training, model.

    Parameters
    ----------
    config : TrainingConfig

    Returns
    -------
    str
        Python code; it needs tensorflow, pandas and scikit-learn, and writes ``cats-and-dogs.keras``. For the drawn
        pets it also needs ``cnn_core.sketches``.

    Examples
    --------
    >>> from cnn_core.engine.config import TrainingConfig
    >>> "epochs=7" in training(TrainingConfig(data="photos", epochs=7))
    True
    """
    size, drawn = config.network.input_size, config.source.drawn
    change = AUGMENTATIONS[config.augment]
    parts = [
        '"""Cats and dogs: read the images, split them, train a convolutional network, save it."""',
        _IMPORTS.format(
            shutil="import shutil\n" if config.data.lower().endswith(".zip") else "",
            sketches="\nfrom cnn_core import sketches\n" if drawn else "",
            seed=config.seed,
        ),
        f"# 1. The images: the name of a file or of its folder begins with its label.\n{_source(config)}",
        _TABLE.rstrip(),
    ]
    if config.images is not None and not drawn:
        parts.append(
            f"each, seed = {config.images // 2}, {config.seed}\n"
            'pets = [rows.sample(min(each, len(rows)), random_state=seed) for _, rows in table.groupby("label")]\n'
            "table = pd.concat(pets).sort_index().reset_index(drop=True)"
        )
    parts += [
        "# 2. The test images are kept apart: the network is not trained on them.\n"
        f"training_set, test_set = train_test_split(table, test_size={config.test_size}, random_state={config.seed})"
        + corrected(config.source.in_force)
        + (
            "\ntraining_set, validation_set = train_test_split("
            f"training_set, test_size={config.validation}, random_state={config.seed})"
            if config.validation
            else ""
        ),
        f"# 3. Batches of {config.batch_size} images of {size}×{size} pixels"
        + (f", randomly changed in every epoch (augmentation).\n{_augmentation(change)}" if change else ".\n"),
        _BATCHES.format(
            size=size,
            batch=config.batch_size,
            skip="" if drawn else ".ignore_errors()  # skip files that cannot be read",
            change=_CHANGE if change else "",
        ),
        "# 4. The network\n" + _network(config.network),
        "# 5. The training\n" + _fit(config),
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
EXTENSIONS = {".jpg", ".jpeg", ".png", ".gif", ".bmp"}


def label_of(file):
    for name in reversed(file.relative_to(folder).parts):
        if name[:3].lower() in LABELS:
            return LABELS.index(name[:3].lower())
    return None


files = [file for file in sorted(folder.rglob("*")) if file.suffix.lower() in EXTENSIONS]
table = pd.DataFrame({"file": [str(file) for file in files], "label": [label_of(file) for file in files]})
table = table.dropna().astype({"label": int})
"""

_AUGMENTATION = """\
augment = keras.Sequential(
    [
        layers.RandomFlip("horizontal"),
        layers.RandomRotation({rotation:g} / 360, fill_mode="nearest"),
        layers.RandomZoom({zoom}, {zoom}, fill_mode="nearest"),
        layers.RandomTranslation({shift:g}, {shift:g}, fill_mode="nearest"),
        layers.RandomShear({shear:g}, 0.0, fill_mode="nearest"),
    ]
)
"""

_BATCHES = """\
def read(file, label):
    image = tf.io.decode_image(tf.io.read_file(file), channels=3, expand_animations=False)
    return tf.ensure_shape(tf.image.resize(image, ({size}, {size}), antialias=True), ({size}, {size}, 3)), label


def batches(table, training):
    data = tf.data.Dataset.from_tensor_slices((table["file"].to_list(), table["label"].to_list()))
    if training:
        data = data.shuffle(len(table))
    data = data.map(read, num_parallel_calls=tf.data.AUTOTUNE){skip}
    data = data.batch({batch}){change}
    return data.prefetch(2)
"""

_CHANGE = """
    if training:
        data = data.map(lambda image, label: (augment(image, training=True), label))"""


def _augmentation(settings: dict[str, Any]) -> str:
    low, high = (round(side - 1, 6) for side in settings["zoom"])
    return _AUGMENTATION.format(**{**settings, "zoom": f"({low:g}, {high:g})"})


def _source(config: TrainingConfig) -> str:
    if config.source.drawn:
        from cnn_core import sketches

        return f"folder = sketches.folder({config.images or sketches.DEFAULT_COUNT}, seed={config.seed})"
    path = Path(config.data).expanduser().absolute()
    if path.suffix.lower() != ".zip":
        return f"folder = Path({_quoted(path)})"
    return (
        f"folder = Path({_quoted(path.stem)})\nshutil.unpack_archive({_quoted(path)}, folder)\n"
        'if (folder / "train.zip").exists():  # Kaggle\'s zip contains another zip\n'
        '    shutil.unpack_archive(folder / "train.zip", folder)'
    )


def _quoted(path: str | Path) -> str:
    return json.dumps(str(path), ensure_ascii=False)


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
    if config.schedule != "constant":
        steps = f"steps = {config.epochs} * -(-len(training_set) // {config.batch_size})\n"
        if config.schedule == "cosine":
            rate = f"{steps}rate = keras.optimizers.schedules.CosineDecay({config.learning_rate:g}, steps)\n"
        else:
            rate = (
                f"{steps}warmup = max(1, round({WARMUP} * steps))  # the learning rate first rises, then falls\n"
                "rate = keras.optimizers.schedules.CosineDecay(\n"
                f"    {config.learning_rate:g} / warmup, max(1, steps - warmup),\n"
                f"    warmup_target={config.learning_rate:g}, warmup_steps=warmup,\n)\n"
            )
    weights = argument = callbacks = ""
    if config.class_weights:
        weights = (
            'counts = training_set["label"].value_counts()  # the rarer class counts more\n'
            "weights = {label: len(training_set) / (len(counts) * count) for label, count in counts.items()}\n"
        )
        argument = ",\n    class_weight=weights"
    if config.keeps_best:
        patience = config.patience or config.epochs
        callbacks = f",\n    callbacks=[keras.callbacks.EarlyStopping(patience={patience}, restore_best_weights=True)]"
    held_out = f"{config.held_out}_set"
    return (
        f"{rate}"
        f"optimizer = keras.optimizers.Adam(rate, global_clipnorm={CLIP_NORM})\n"
        'model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])\n'
        f"{weights}"
        "history = model.fit(\n"
        "    batches(training_set, training=True),\n"
        f"    validation_data=batches({held_out}, training=False),\n"
        f"    epochs={config.epochs}{argument}{callbacks},\n)\n"
        "print(pd.DataFrame(history.history))\n"
        'model.save("cats-and-dogs.keras")'
    )
