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
    if len(table) == KAGGLE_PHOTOS:
        names = training["file"].map(lambda file: Path(file).name)
        training = training[~names.isin(WRONG_LABELS.read_text(encoding="utf-8").split())]
    journal.write(state="reading", message="Opening the backbone.")
    backbone, classes, name = _open_backbone(config.backbone)

    began = time.monotonic()
    views, labels = features(backbone, training, name, journal.reading), _numbers(training)
    unseen = features(backbone, test, name, journal.reading)[0]
    journal.write(state="running", message="", epoch=1, epochs=1)
    head = learn(views, labels, config.seed) | classes
    head["least"] = np.quantile(_share_of_pets(views[0], classes), REFUSED)
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


def _open_backbone(weights: str | None) -> tuple[keras.Model, dict[str, np.ndarray], str]:
    """Return the backbone, ImageNet's classes, and the name of the weights."""
    import keras

    from cnn_core.backbones import efficientnet_lite0

    kinds = ("kernel", "bias")
    if weights:
        if not Path(weights).is_file():
            raise RecipeError(f"There is no file “{weights}”. Make it with cnn_core/port_lite0.py, which says how.")
        with np.load(weights) as arrays:
            classes = {f"classes/{kind}": arrays[f"classes/{kind}"] for kind in kinds}
        return efficientnet_lite0(Path(weights)), classes, _fingerprint(Path(weights))
    if not BUNDLED.exists():
        raise RecipeError("The bundled model is missing. Name the backbone's weights: --backbone lite0.npz")
    model = keras.saving.load_model(BUNDLED, compile=False)
    imagenet = model.get_layer("imagenet").get_weights()
    classes = {f"classes/{kind}": values for kind, values in zip(kinds, imagenet, strict=True)}
    return keras.Model(model.input, model.get_layer("features").output), classes, _fingerprint(BUNDLED)


def _fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _numbers(table: pd.DataFrame) -> np.ndarray:
    return table["label"].map(dataset.LABELS.index).to_numpy(np.int32)


def _softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _share_of_pets(seen: np.ndarray, classes: dict[str, np.ndarray]) -> np.ndarray:
    """Return how much of ImageNet's probability goes to cats and dogs, (N,)."""
    return _softmax(seen @ classes["classes/kernel"] + classes["classes/bias"])[:, PETS].sum(axis=1)


def build(backbone: keras.Model, head: dict[str, np.ndarray]) -> keras.Model:
    """Join the backbone and what was learned on its features into one model.

    Parameters
    ----------
    backbone : keras.Model
        Of pictures to (batch, 1280).
    head : dict of str to ndarray
        ``verdict/kernel`` (1280, 2), ``verdict/bias`` (2,), ``classes/kernel`` (1280, 1000), ``classes/bias`` (1000,),
        and ``least``, the share of ImageNet's classes in `PETS` below which a picture shows neither.

    Returns
    -------
    keras.Model
        Of float32 (batch, S, S, 3) in 0-255 to the probabilities of cat and dog, (batch, 2), and to the score of
        there being one of them, (batch, 1): the logistic function of 4 (share / least - 1), so 0.5 where share = least.
    """
    import keras
    from keras import layers

    features = backbone.output
    classes = layers.Dense(1000, activation="softmax", name="imagenet")
    verdict, pet = (
        layers.Dense(2, activation="softmax", name="verdict"),
        layers.Dense(1, activation="sigmoid", name="pet"),
    )
    model = keras.Model(backbone.input, [verdict(features), pet(classes(features))], name="accurate")
    verdict.set_weights([head["verdict/kernel"], head["verdict/bias"]])
    classes.set_weights([head["classes/kernel"], head["classes/bias"]])
    of_pets = np.zeros((1000, 1), np.float32)
    of_pets[PETS] = 4 / head["least"]
    pet.set_weights([of_pets, np.array([-4.0], np.float32)])
    return model


def features(backbone: keras.Model, table: pd.DataFrame, name: str, progress: Progress | None = None) -> np.ndarray:
    """Let the backbone look at every photo and at its mirror image; kept in the cache, piece by piece.

    Parameters
    ----------
    backbone : keras.Model
    table : pandas.DataFrame
        As `dataset.open_dataset` returns it.
    name : str
        Of the backbone's weights: other weights, other features.
    progress : callable, optional
        Called as ``progress(done, total, what)``.

    Returns
    -------
    ndarray of float32, shape (2, N, 1280)
        Of the photos as they are, and mirrored.
    """
    size = backbone.input_shape[1]
    pieces = []
    for start in range(0, len(table), IN_ONE_FILE):
        rows = table.iloc[start : start + IN_ONE_FILE]
        key = hashlib.sha256("|".join([name, str(size), *rows["file"]]).encode()).hexdigest()[:16]
        piece = home() / "cache" / f"features-{key}.npy"
        if not piece.exists():
            views = [
                _views(backbone, rows["file"].iloc[at : at + AT_ONCE], size) for at in range(0, len(rows), AT_ONCE)
            ]
            _save(piece, np.concatenate(views, axis=1))
        pieces.append(np.load(piece))
        if progress:
            progress(min(start + IN_ONE_FILE, len(table)), len(table), "Looking at the pictures")
    return np.concatenate(pieces, axis=1)


def _views(backbone: keras.Model, files: pd.Series, size: int) -> np.ndarray:
    images = np.stack([resize(open_image(file), size, size) for file in files]).astype(np.float32)
    return np.stack([backbone.predict_on_batch(view) for view in (images, images[:, :, ::-1])])


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
    views : ndarray of float32, shape (2, N, 1280)
        As `features` returns them.
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
    known, answers = np.concatenate(views[:, ours]), np.tile(labels[ours], 2)
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
