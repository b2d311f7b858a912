"""The recipe of the model `accurate`: what a network learned from ImageNet, asked about cats and dogs.

EfficientNet-Lite0 looks at every photo once and its 1,280 features are kept. On them a logistic regression learns cat
and dog, and its probabilities are made honest on photos kept aside (temperature scaling). Nothing else is trained, so
two processor cores do. ImageNet's own classes say whether there is a cat or a dog at all.
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cnn_core import CnnLabError, dataset, sketches
from cnn_core.files import home, replace_file
from cnn_core.journal import HISTORY, Journal
from cnn_core.pixels import open_image, resize

if TYPE_CHECKING:
    import keras
    import pandas as pd

    from cnn_core.dataset import Progress
    from cnn_core.training import TrainingConfig

PETS = [*range(151, 276), *range(281, 288)]
"""ImageNet's classes of dogs, wolves and wild dogs (151 to 275) and of cats large and small (281 to 287)."""

KAGGLE_PHOTOS = 25_000
"""A dataset of so many photos is taken for Dogs vs. Cats, whose wrong labels are known by name."""

STRENGTHS = (0.0003, 0.001, 0.003, 0.01)
"""Of the regularisation, scikit-learn's C: the smaller, the smaller the weights."""

AT_ONCE, IN_ONE_FILE = 32, 1024
"""Photos that the network looks at together, and whose features are written to the cache together."""


REFUSED = 0.005
"""The fraction of the training photos that may be taken for neither."""

BUNDLED = Path(__file__).parent / "weights" / "accurate.keras"
WRONG_LABELS = Path(__file__).parent / "weights" / "dogs-vs-cats-wrong-labels.txt"
"""Training photos of Dogs vs. Cats that show something else than their name says, looked at one by one."""


class RecipeError(CnnLabError):
    """The recipe lacks something; the message says what."""


def fit(config: TrainingConfig, folder: Path, journal: Journal) -> None:
    """Carry out the recipe in a run folder; what has been looked at before is not looked at again.

    Parameters
    ----------
    config : TrainingConfig
        Of which data, images, seed, test_size and backbone count.
    folder : Path
        The run's.
    journal : Journal
        Told how far it is.

    Raises
    ------
    RecipeError
        When there is no backbone to begin with.
    """
    import pandas as pd
    from sklearn.metrics import accuracy_score, log_loss

    table = sketches.open_source(config.data, config.images, config.seed, progress=journal.reading)
    training, test = dataset.split(table, config.test_size, config.seed)
    journal.write(state="reading", message="Opening the backbone.")
    backbone, classes = _open_backbone(config.backbone)

    began = time.monotonic()
    views = np.stack([features(backbone, training, journal.reading, mirrored) for mirrored in (False, True)])
    labels = _numbers(training)
    if len(table) == KAGGLE_PHOTOS:  # left out only here, so that a longer list needs no new features
        known_wrong = set(WRONG_LABELS.read_text(encoding="utf-8").split())
        right = np.array([Path(file).name not in known_wrong for file in training["file"]])
        views, labels = views[:, right], labels[right]
    unseen = features(backbone, test, journal.reading)
    journal.write(state="running", message="", epoch=1, epochs=1)
    head = learn(views, labels, config.seed) | classes
    head["least"] = np.quantile(_evidence(views[0], classes), REFUSED)
    row: dict[str, float] = {"epoch": 1}
    for prefix, seen, answers in (("", views[0], labels), ("val_", unseen, _numbers(test))):
        probabilities = _softmax(seen @ head["verdict/kernel"] + head["verdict/bias"])
        row[f"{prefix}accuracy"] = round(accuracy_score(answers, probabilities.argmax(axis=1)), 5)
        row[f"{prefix}loss"] = round(log_loss(answers, probabilities[:, 1]), 5)
    row["seconds"] = round(time.monotonic() - began, 2)
    replace_file(folder / "history.csv", pd.DataFrame([row], columns=HISTORY).to_csv(index=False))
    beside = folder / ".model.part.keras"
    try:
        build(backbone, head).save(beside)
        beside.replace(folder / "model.keras")
    finally:
        beside.unlink(missing_ok=True)


def _open_backbone(weights: str | None) -> tuple[keras.Model, dict[str, np.ndarray]]:
    """Return the backbone and ImageNet's classes of cats and dogs."""
    import keras

    from cnn_core.backbones import efficientnet_lite0

    kinds = ("kernel", "bias")
    if weights:
        if not Path(weights).is_file():
            raise RecipeError(f"There is no file “{weights}”. Make it with cnn_core/port_lite0.py, which says how.")
        with np.load(weights) as arrays:
            classes = {f"classes/{kind}": arrays[f"classes/{kind}"][..., PETS] for kind in kinds}
        return efficientnet_lite0(Path(weights)), classes
    if not BUNDLED.exists():
        raise RecipeError("The bundled model is missing. Name the backbone's weights: --backbone lite0.npz")
    model = keras.saving.load_model(BUNDLED, compile=False)
    imagenet = model.get_layer("imagenet").get_weights()
    classes = {f"classes/{kind}": values for kind, values in zip(kinds, imagenet, strict=True)}
    return keras.Model(model.input, model.get_layer("features").output), classes


def _fingerprint(backbone: keras.Model) -> str:
    """Name what decides its features: layers and weights, and with them how pictures are rescaled."""
    numbers = ("scale", "offset", "strides", "padding", "max_value")
    layers = [
        (type(layer).__name__, [layer.get_config().get(number) for number in numbers]) for layer in backbone.layers
    ]
    digest = hashlib.sha256(repr(layers).encode())
    for weights in backbone.get_weights():
        digest.update(weights.tobytes())
    return digest.hexdigest()


def _numbers(table: pd.DataFrame) -> np.ndarray:
    return table["label"].map(dataset.LABELS.index).to_numpy(np.int32)


def _softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _evidence(seen: np.ndarray, classes: dict[str, np.ndarray]) -> np.ndarray:
    """Return the sum of exp(score) over ImageNet's classes of cats and dogs, (N,)."""
    return np.exp(seen @ classes["classes/kernel"] + classes["classes/bias"]).sum(axis=1)


def build(backbone: keras.Model, head: dict[str, np.ndarray]) -> keras.Model:
    """Join the backbone and what was learned on its features into one model.

    Parameters
    ----------
    backbone : keras.Model
        Of pictures to (batch, 1280).
    head : dict of str to ndarray
        ``verdict/kernel`` (1280, 2), ``verdict/bias`` (2,), ``classes/kernel`` (1280, P), ``classes/bias`` (P,) of
        ImageNet's P classes in `PETS`, and ``least``, the sum of exp(score) over them below which a picture shows
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
    refused, the share refused 91.8 % of 488 other pictures, the sum 97.7 % (by which it was chosen; 97.6 %
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


def features(
    backbone: keras.Model, table: pd.DataFrame, progress: Progress | None = None, mirrored: bool = False
) -> np.ndarray:
    """Let the backbone look at every photo; what it says is kept in the cache, piece by piece.

    Parameters
    ----------
    backbone : keras.Model
    table : pandas.DataFrame
        As `dataset.open_dataset` returns it.
    progress : callable, optional
        Called as ``progress(done, total, what)``.
    mirrored : bool
        Whether it looks at the photos' mirror images.

    Returns
    -------
    ndarray of float32, shape (N, 1280)
    """
    size, name = backbone.input_shape[1], _fingerprint(backbone)
    pieces = []
    for start in range(0, len(table), IN_ONE_FILE):
        files = table["file"].iloc[start : start + IN_ONE_FILE]
        key = hashlib.sha256("|".join([name, str(size), str(mirrored), *files]).encode()).hexdigest()[:16]
        piece = home() / "cache" / f"features-{key}.npy"
        if not piece.exists():
            views = [_look(backbone, files.iloc[at : at + AT_ONCE], mirrored) for at in range(0, len(files), AT_ONCE)]
            _save(piece, np.concatenate(views))
        pieces.append(np.load(piece))
        if progress:
            what = "Looking at the mirrored pictures" if mirrored else "Looking at the pictures"
            progress(min(start + IN_ONE_FILE, len(table)), len(table), what)
    return np.concatenate(pieces)


def _look(backbone: keras.Model, files: pd.Series, mirrored: bool) -> np.ndarray:
    size = backbone.input_shape[1]
    images = np.stack([resize(open_image(file), size, size) for file in files]).astype(np.float32)
    return backbone.predict_on_batch(images[:, :, ::-1] if mirrored else images)


def _save(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}")
    try:
        with beside.open("wb") as file:
            np.save(file, values)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def learn(views: np.ndarray, labels: np.ndarray, seed: int = 42) -> dict[str, np.ndarray]:
    """Learn cat and dog from features: logistic regression, then one number that makes its probabilities honest.

    A tenth of the photos is kept aside. On it the strength of the regularisation is chosen, and the temperature, by
    which all scores are divided so that photos called 90 % sure are right in nine of ten cases.

    Parameters
    ----------
    views : ndarray of float32, shape (V, N, 1280)
        As `features` returns them, of the photos and, for a V above 1, of their mirror images or other variants.
    labels : ndarray of int, shape (N,)
    seed : int

    Returns
    -------
    dict of str to ndarray
        ``verdict/kernel`` (1280, 2) and ``verdict/bias`` (2,).

    References
    ----------
    C. Guo et al., On Calibration of Modern Neural Networks, 2017 (arXiv:1706.04599), section 4.2.
    """
    from scipy.optimize import minimize_scalar
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss
    from sklearn.model_selection import train_test_split

    ours, aside = train_test_split(np.arange(len(labels)), test_size=0.1, random_state=seed, stratify=labels)
    known, answers = np.concatenate(views[:, ours]), np.tile(labels[ours], len(views))
    mean, spread = known.mean(axis=0), known.std(axis=0) + 1e-6
    tried = []
    for strength in STRENGTHS:
        found = LogisticRegression(C=strength, max_iter=500).fit((known - mean) / spread, answers)
        scores = found.decision_function((views[0, aside] - mean) / spread)

        def loss(temperature: float, scores: np.ndarray = scores) -> float:
            return log_loss(labels[aside], 1 / (1 + np.exp(-scores / temperature)))

        fitted = minimize_scalar(loss, bounds=(0.2, 5), method="bounded")
        tried.append((fitted.fun, strength, fitted.x, found))
    _, _, temperature, found = min(tried, key=lambda one: one[0])
    weights = found.coef_[0] / spread / temperature
    bias = (found.intercept_[0] - (found.coef_[0] * mean / spread).sum()) / temperature
    return {
        "verdict/kernel": np.stack([-weights / 2, weights / 2], axis=1).astype(np.float32),
        "verdict/bias": np.array([-bias / 2, bias / 2], np.float32),
    }
