"""The recipe of the model `accurate`: a network already trained on ImageNet learns to tell cats from dogs.

EfficientNet-Lite2 computes 1,280 features of every photo, and a logistic regression learns cat and dog from them. Then
the network's upper blocks are fine-tuned. Photos kept aside calibrate its probabilities (temperature scaling) and set
the threshold below which an image shows neither.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnn_core import CnnLabError, dataset
from cnn_core.accurate.features import cached_features, compute_features
from cnn_core.data_files import corrections
from cnn_core.data_files.survey import readable
from cnn_core.engine import checkpoint, environment, loading
from cnn_core.engine.journal import Journal
from cnn_core.storage.files import save_model

if TYPE_CHECKING:
    import keras
    import pandas as pd
    import tensorflow as tf

    from cnn_core.engine.config import TrainingConfig

PETS = [*range(151, 276), *range(281, 288)]
"""ImageNet's classes of dogs, wolves and wild dogs (151 to 275) and of cats large and small (281 to 287)."""

KAGGLE_PHOTOS = 25_000
"""A dataset with this number of photos is assumed to be Dogs vs. Cats, whose wrong labels are known by name."""

CALIBRATION_SHARE = 0.1
"""The share of the training photos that is kept for calibration: only the temperature and the threshold of
`REFUSED_SHARE` are learned from them."""

MIN_PHOTOS = 20
"""The smallest number of training photos: some of each class must be left for calibration."""

INVERSE_REGULARIZATION = (0.001, 0.003, 0.01, 0.1)
"""Values of scikit-learn's C that are tried: the smaller C, the stronger the regularization."""

REFUSED_SHARE = 0.005
"""The share of the calibration photos that may be classified as neither."""

BUNDLED = Path(__file__).parents[1] / "weights" / "accurate.keras"
WRONG_LABELS = Path(__file__).parents[1] / "weights" / "dogs-vs-cats-wrong-labels.txt"
"""Training photos of Dogs vs. Cats that show something else than their name says, looked at one by one: a file of
corrections that leaves them out, by their names alone."""


class RecipeError(CnnLabError):
    """The recipe lacks something; the message says what."""


def fit(config: TrainingConfig, folder: Path, journal: Journal) -> None:
    """Carry out the recipe in a run folder, or go on where it stopped.

    Parameters
    ----------
    config : TrainingConfig
        Of which data, images, seed, test_size and backbone count.
    folder : Path
        The run's.
    journal : Journal
        Receives the progress, and in the end how long each part took.

    Raises
    ------
    RecipeError
        When there are too few photos, or no backbone to begin with.
    """
    began = time.monotonic()
    training, calibration, test = _photos(config, journal)  # what is wrong with them need not wait for the import
    journal.starting("Loading TensorFlow.")
    loading.import_tensorflow()
    from cnn_core.accurate import finetuning, sizes
    from cnn_core.engine.batches import batches, count
    from cnn_core.engine.learning import learn as fine_tune
    from cnn_core.engine.learning import open_or_build, set_seed

    journal.write(state="reading", message="Opening the backbone.")
    backbone, classes = _open_backbone(config.backbone)
    set_seed(config)
    environment.record(folder, config, sorted({*training["file"], *calibration["file"], *test["file"]}))
    steps = count(len(training), sizes.BATCH_SIZE)

    def tunable() -> keras.Model:
        if (folder / checkpoint.NAME).exists():  # which holds what would be learned
            head = {"verdict/kernel": np.zeros((backbone.output_shape[-1], 2)), "verdict/bias": np.zeros(2)}
        else:
            computed = [cached_features(backbone, photos, journal.reading) for photos in (training, calibration)]
            head = learn(computed[0], dataset.class_numbers(training), computed[1], dataset.class_numbers(calibration))
        return finetuning.tunable(backbone, head | classes, steps * sizes.EPOCHS)

    tuned, place = open_or_build(folder, steps, tunable, folder / "tunable.keras")
    computed_at = time.monotonic()

    def save(name: str) -> None:
        head = finetuning.copy_weights(backbone, tuned) | classes
        features = compute_features(backbone, list(calibration["file"]))
        save_model(build(backbone, calibrate(head, features, dataset.class_numbers(calibration))), folder / name)

    images, labels = dataset.images_and_labels(training, sizes.IMAGE_SIZE)
    unseen = dataset.images_and_labels(test, backbone.input_shape[1])

    def serve(numbers: range) -> tf.data.Dataset:
        return finetuning.augmented_batches(images, labels, numbers, config.seed)

    tests = batches(*unseen, sizes.BATCH_SIZE)
    network = finetuning.answering(tuned)
    fine_tune(tuned, network, place, config.settled(), journal, len(labels), serve, tests, save, [])
    (folder / "tunable.keras").unlink(missing_ok=True)
    journal.write(
        message=f"{computed_at - began:.0f} s for computing features and learning the last layer, "
        f"{time.monotonic() - computed_at:.0f} s for fine-tuning."
    )


def _photos(config: TrainingConfig, journal: Journal) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the training set, the calibration set (kept aside from the training set) and the test set."""
    table = config.source.table(journal.reading)
    whole, parts = len(table), config.source.parts(table)
    training, test = (readable(part, table.attrs["folder"], journal.reading) for part in parts)
    counts = training["label"].value_counts().reindex(dataset.LABELS, fill_value=0)
    if len(training) < MIN_PHOTOS or counts.min() < 2:
        found = f"{counts['cat']} cats and {counts['dog']} dogs"
        raise RecipeError(
            f"Only {found} to learn from. The recipe needs at least {MIN_PHOTOS} photos, two of each class."
        )
    from sklearn.model_selection import train_test_split

    # Those kept aside keep their labels, right or wrong: what the model may be sure of depends on them.
    training, calibration = train_test_split(
        training, test_size=CALIBRATION_SHARE, random_state=config.seed, stratify=training["label"]
    )
    if whole == KAGGLE_PHOTOS:
        known_wrong = corrections.read(WRONG_LABELS)
        training = training[[Path(file).name not in known_wrong for file in training["file"]]]
    return training, calibration, test


def _open_backbone(weights: str | None) -> tuple[keras.Model, dict[str, NDArray[np.float32]]]:
    """Return the backbone and ImageNet's classes of cats and dogs."""
    import keras

    from cnn_core.accurate.backbone import efficientnet_lite2

    kinds = ("kernel", "bias")
    if weights:
        if not Path(weights).is_file():
            raise RecipeError(f"There is no file “{weights}”. Make it with cnn_core/accurate/port.py, which says how.")
        with np.load(weights) as arrays:
            classes = {f"classes/{kind}": arrays[f"classes/{kind}"][..., PETS] for kind in kinds}
        return efficientnet_lite2(Path(weights)), classes
    if not BUNDLED.exists():
        raise RecipeError("The bundled model is missing. Name the backbone's weights: --backbone lite2.npz")
    model = keras.saving.load_model(BUNDLED, compile=False)
    imagenet = model.get_layer("imagenet").get_weights()
    classes = {f"classes/{kind}": values for kind, values in zip(kinds, imagenet, strict=True)}
    return keras.Model(model.input, model.get_layer("features").output), classes


def _evidence(features: NDArray[np.float32], classes: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the sum of exp(score) over ImageNet's classes of cats and dogs, (N,)."""
    return np.asarray(np.exp(features @ classes["classes/kernel"] + classes["classes/bias"]).sum(axis=1))


def build(backbone: keras.Model, head: dict[str, NDArray[np.float32]]) -> keras.Model:
    """Join the backbone and what was learned on its features into one model.

    Parameters
    ----------
    backbone : keras.Model
        Of images to (batch, 1280).
    head : dict of str to ndarray
        ``verdict/kernel`` (1280, 2), ``verdict/bias`` (2,), ``classes/kernel`` (1280, P), ``classes/bias`` (P,) of
        ImageNet's P classes in `PETS`, and ``least``, the sum of exp(score) over them below which an image shows
        neither.

    Returns
    -------
    keras.Model
        Of float32 (batch, S, S, 3) in 0-255 to the probabilities of cat and dog, (batch, 2), and to the score of
        there being one of them, (batch, 1): the logistic function of 4 (sum / least - 1), so 0.5 where sum = least.

    Notes
    -----
    The sum is not divided by that of the other classes, as softmax does: a cat in a basket is a basket too, and a
    text or a plain wall is nothing that ImageNet knows, so that chance makes a share of it. With 0.5 % of the photos
    refused, the share refused 91.8 % of 488 other images, the sum 97.7 % (by which it was chosen; 97.6 %
    of 929 when counted again).

    References
    ----------
    W. Liu et al., Energy-based Out-of-distribution Detection, 2020 (arXiv:2010.03759), here of some classes.
    """
    import keras
    from keras import layers

    features = backbone.output
    classes = layers.Dense(len(PETS), activation="exponential", name="imagenet")
    verdict, pet = (
        layers.Dense(2, activation="softmax", name="verdict"),
        layers.Dense(1, activation="sigmoid", name="pet"),
    )
    model = keras.Model(backbone.input, [verdict(features), pet(classes(features))], name="accurate")
    verdict.set_weights([head["verdict/kernel"], head["verdict/bias"]])
    classes.set_weights([head["classes/kernel"], head["classes/bias"]])
    pet.set_weights([np.full((len(PETS), 1), 4 / head["least"], np.float32), np.array([-4.0], np.float32)])
    return model


def learn(
    features: NDArray[np.float32],
    labels: NDArray[np.int32],
    calibration_features: NDArray[np.float32],
    calibration_labels: NDArray[np.int32],
) -> dict[str, NDArray[np.float32]]:
    """Learn cat and dog from features: logistic regression, as strongly regularized as suits the photos kept aside.

    Parameters
    ----------
    features, calibration_features : ndarray of float32, shape (N, n) and (M, n)
        As `features.cached_features` returns them.
    labels, calibration_labels : ndarray of int, shape (N,) and (M,)

    Returns
    -------
    dict of str to ndarray
        ``verdict/kernel`` (n, 2) and ``verdict/bias`` (2,).
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss

    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    tried = []
    for strength in INVERSE_REGULARIZATION:
        found = LogisticRegression(C=strength, max_iter=500).fit((features - mean) / spread, labels)
        loss = log_loss(calibration_labels, found.predict_proba((calibration_features - mean) / spread)[:, 1])
        tried.append((loss, strength, found))
    found = min(tried)[2]
    weights = found.coef_[0] / spread
    bias = found.intercept_[0] - mean @ weights
    return {
        "verdict/kernel": np.stack([-weights / 2, weights / 2], axis=1).astype(np.float32),
        "verdict/bias": np.array([-bias / 2, bias / 2], np.float32),
    }


def calibrate(
    head: dict[str, NDArray[np.float32]], features: NDArray[np.float32], labels: NDArray[np.int32]
) -> dict[str, NDArray[np.float32]]:
    """Divide the verdict's scores by a temperature, so that what is called 90 % sure is right in nine of ten cases.

    Parameters
    ----------
    head : dict of str to ndarray
        As `build` takes it.
    features : ndarray of float32, shape (N, n)
        Features of photos from which the verdict has not been learned.
    labels : ndarray of int, shape (N,)

    Returns
    -------
    dict of str to ndarray
        The head with other values for the verdict, and with ``least``: so much evidence all these photos give but for
        the share `REFUSED_SHARE`.

    References
    ----------
    C. Guo et al., On Calibration of Modern Neural Networks, 2017 (arXiv:1706.04599), section 4.2.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import softmax
    from sklearn.metrics import log_loss

    scores = features @ head["verdict/kernel"] + head["verdict/bias"]

    def loss(temperature: float) -> float:
        return float(log_loss(labels, softmax(scores / temperature, axis=1)[:, 1], labels=[0, 1]))

    temperature = minimize_scalar(loss, bounds=(0.2, 5), method="bounded").x
    return head | {
        "verdict/kernel": head["verdict/kernel"] / np.float32(temperature),
        "verdict/bias": head["verdict/bias"] / np.float32(temperature),
        "least": np.quantile(_evidence(features, head), REFUSED_SHARE),
    }
