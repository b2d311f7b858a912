"""Every exported file, run by the program it is for, gives the page's probabilities."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cnn_core import cli, models, pixels, sketches
from cnn_core.model_io import export
from cnn_core.model_io.export import ExportError
from cnn_core.models import ModelError
from cnn_core.storage import files

PHOTOS = sorted(Path(__file__).parents[3].glob("shared/data/pet-photos/*.jpg"))[:60]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """100 pictures of many sizes: photos where they are at hand, drawn pets, noise."""
    random = np.random.default_rng(0)
    photos = [pixels.open_image(path) for path in PHOTOS]
    noise = [random.integers(0, 256, (*random.integers(20, 300, 2), 3), dtype=np.uint8) for _ in range(10)]
    drawn = [sketches.draw(("cat", "dog")[i % 2], random) for i in range(90 - len(photos))]
    return photos + noise + drawn


@pytest.fixture(scope="module")
def page_answers() -> dict[str, list[np.ndarray]]:
    """What the page's model answers to the pictures, by the model's name."""
    return {}


@pytest.fixture(scope="module")
def mobile(tmp_path_factory) -> Path:
    """A small network of the layers that EfficientNet-Lite is made of, its batch statistics not at their defaults."""
    import keras

    keras.utils.set_random_seed(5)
    layers = keras.layers
    taken = layers.Input((40, 40, 3))
    x = layers.Rescaling(1 / 127, offset=-1)(taken)
    x = layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
    x = layers.Conv2D(8, 3, strides=2, use_bias=False)(x)
    x = before = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    x = layers.DepthwiseConv2D(5, padding="same", use_bias=False)(x)
    x = layers.Activation("relu6")(layers.BatchNormalization()(x))
    x = layers.Add()([layers.Conv2D(8, 1)(x), before])
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    network = keras.Model(taken, layers.Dense(2, activation="softmax")(x))
    random = np.random.default_rng(1)
    network.set_weights(
        [random.uniform(0.3, 1.2, weight.shape) * np.sign(weight + 1e-9) for weight in network.get_weights()]
    )
    path = tmp_path_factory.mktemp("mobile") / "mobile.keras"
    network.save(path)
    return path


def with_keras(path: Path, *batches: np.ndarray) -> Iterator[list[np.ndarray]]:
    """Open the file once and, as the other runtimes do, yield what it answers to each batch."""
    import keras

    model = keras.saving.load_model(path, compile=False)
    for batch in batches:
        answers = model.predict_on_batch(batch)
        yield answers if isinstance(answers, list) else [answers]


def with_litert(path: Path, *batches: np.ndarray) -> Iterator[list[np.ndarray]]:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:  # there are systems that it has no build for
        from tensorflow.lite.python.interpreter import Interpreter
    run = Interpreter(model_path=str(path)).get_signature_runner()
    for batch in batches:
        answers = run(image=batch)
        yield [answers.pop("probabilities"), *answers.values()]


def with_onnx(path: Path, *batches: np.ndarray) -> Iterator[list[np.ndarray]]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = sorted((output.name for output in session.get_outputs()), key="probabilities".__ne__)
    for batch in batches:
        yield session.run(names, {"image": batch})


RUNTIMES = {"keras": with_keras, "tflite": with_litert, "onnx": with_onnx}
BUNDLED = [card.name for card in models.list_models() if card.kind == "bundled"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", export.FORMATS)
@pytest.mark.parametrize("name", [*BUNDLED, "mobile"])
def test_an_exported_file_predicts_what_the_page_predicts(name, kind, pictures, mobile, page_answers, tmp_path):
    source = mobile if name == "mobile" else name
    model = models.open_model(source)
    path = export.export(source, kind, tmp_path)
    assert path == tmp_path / f"{name}.{kind}"
    size = model.input_size
    if size > 200:  # accurate: a third of them takes long enough
        pictures = pictures[::3]
    batch = np.stack([pixels.resize(picture, size, size) for picture in pictures]).astype(np.float32)
    if name not in page_answers:  # asked once for the three formats
        page_answers[name] = model.answers(pictures)
    expected = page_answers[name]  # from accurate also the score behind "neither"
    assert np.ptp(expected[0][:, 0]) > 0.2  # they differ, so a file that always says the same would be found out
    for count, answers in zip((len(batch), 1), RUNTIMES[kind](path, batch, batch[:1]), strict=True):
        for answer, right in zip(answers, expected, strict=True):
            np.testing.assert_allclose(answer, right[:count], atol=1e-3)


@pytest.mark.slow
def test_a_model_saved_in_half_precision_is_exported_as_the_page_computes_it(mobile, pictures, tmp_path):
    import keras

    network = keras.saving.load_model(mobile, compile=False)
    half = keras.models.clone_model(
        network, clone_function=lambda layer: type(layer).from_config(layer.get_config() | {"dtype": "mixed_bfloat16"})
    )
    half.set_weights(network.get_weights())
    half.save(tmp_path / "half.keras")
    path = export.export(tmp_path / "half.keras", "keras", tmp_path / "whole.keras")
    batch = np.stack([pixels.resize(picture, 40, 40) for picture in pictures]).astype(np.float32)
    page = models.open_model(tmp_path / "half.keras").predict(pictures)
    whole, half = (next(with_keras(file, batch))[0] for file in (path, tmp_path / "half.keras"))
    np.testing.assert_allclose(whole, page, atol=1e-3)
    assert abs(half - page).max() > 1e-3  # or the check above checks nothing


def test_a_keras_file_in_float32_is_the_models_own(tmp_path):
    assert export.exported("article", "keras") == models.find("article").path


@pytest.mark.slow
def test_the_apps_export_is_made_once_and_by_another_process(mobile, monkeypatch):
    folder = files.home() / "models"
    folder.mkdir(parents=True)
    (folder / "mine.keras").write_bytes(mobile.read_bytes())
    path = export.exported("mine", "onnx")
    assert path.parent == files.home() / "cache"
    monkeypatch.setattr(export.subprocess, "run", lambda *_, **__: pytest.fail("made again"))
    assert export.exported("mine", "onnx") == path


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (subprocess.CompletedProcess([], 1, '{"error": "No room. Make some."}', ""), "No room"),
        (subprocess.CompletedProcess([], -9, "", ""), "code -9"),
        (subprocess.TimeoutExpired("export", 600), "longer than 10 minutes"),
    ],
)
def test_a_failed_export_says_why(outcome, words, monkeypatch):
    def run(*_, **__):
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(export.subprocess, "run", run)
    with pytest.raises(ExportError, match=words):
        export.exported("article", "tflite")


@pytest.mark.slow
def test_without_its_converter_the_error_names_the_command_that_installs_it(mobile, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(ExportError, match=r"pip install -r requirements\.txt"):
        export.export(mobile, "onnx")


@pytest.mark.slow
def test_what_cannot_be_exported_is_refused_in_a_sentence(mobile, tmp_path):
    with pytest.raises(ModelError, match="no model called"):
        export.export("nobody", "onnx")
    with pytest.raises(ExportError, match="--out"):
        export.export(mobile, "keras", tmp_path / "missing" / "x.keras")


@pytest.mark.slow
def test_the_command_line_writes_the_file_and_says_where(mobile, tmp_path, capsys):
    assert cli.main(["export", "--model", str(mobile), "--format", "keras", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer == {"file": str(tmp_path / "mobile.keras"), "bytes": mobile.stat().st_size}
    assert zipfile.is_zipfile(tmp_path / "mobile.keras")
    with pytest.raises(SystemExit) as stopped:
        cli.main(["export", "--format", "png"])
    assert stopped.value.code == 2
