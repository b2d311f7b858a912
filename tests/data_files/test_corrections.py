"""A dataset is corrected without touching its photos, in one place, and every part of the lab follows."""

import json

import numpy as np
import pytest
from PIL import Image

from cnn_core import dataset, runs
from cnn_core.data_files import corrections
from cnn_core.data_files.corrections import CorrectionsError
from cnn_core.engine.config import TrainingConfig
from cnn_core.scripts import training_script
from cnn_core.source import DRAWN, Source


@pytest.fixture
def pets(tmp_path, home):
    """Forty images, named so that each is told apart."""
    folder = tmp_path / "pets"
    for number in range(40):
        label = dataset.LABELS[number % 2]
        (folder / label).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (number, 0, 0)).save(folder / label / f"{number}.png")
    return str(folder)


def inside(table, folder) -> dict[str, str]:
    return dict(zip(corrections.names(table["file"], folder), table["label"], strict=True))


def test_a_correction_changes_labels_and_leaves_out_but_moves_no_photo_into_the_other_set(pets):
    source = Source(pets, images=30)
    before = [inside(part, pets) for part in source.split()]
    (first, label), (second, _), *_ = before[0].items()
    asked = next(iter(before[1]))
    other = dataset.LABELS[1 - dataset.LABELS.index(label)]
    corrections.correct(pets, [first], other)
    corrections.correct(pets, [second, asked], None)
    training, test = (inside(part, pets) for part in source.split())
    assert set(training) == set(before[0]) - {second}
    assert training[first] == other
    assert set(test) == set(before[1]) - {asked}
    assert inside(source.subset("test"), pets) == test
    assert inside(source.subset("all"), pets) == training | test
    assert source.subset("test").attrs["folder"] == pets


def test_it_can_be_undone_and_then_leaves_no_file(pets):
    corrections.correct(pets, ["cat/0.png", "cat/2.png"], "dog")
    corrections.correct(pets, ["dog/1.png"], None)
    corrections.correct(pets, ["cat/2.png"], "cat")  # as its name says
    assert corrections.of(pets) == {"cat/0.png": "dog", "dog/1.png": None}
    corrections.undo(pets, ["cat/0.png"])
    assert corrections.of(pets) == {"dog/1.png": None}
    corrections.undo(pets, ["dog/1.png"])
    assert not corrections.path_of(pets).exists()


def test_the_photos_stay_as_they_are(pets, tmp_path):
    before = {file: file.read_bytes() for file in sorted((tmp_path / "pets").rglob("*")) if file.is_file()}
    corrections.correct(pets, ["cat/0.png"], None)
    assert before == {file: file.read_bytes() for file in sorted((tmp_path / "pets").rglob("*")) if file.is_file()}


@pytest.mark.parametrize("content", ["cat/0.png\tbird\n", b"\xff\xfe", "cat/0.png\tcat\tdog"])
def test_a_damaged_file_is_a_sentence_that_names_it(pets, content):
    path = corrections.path_of(pets)
    path.parent.mkdir(parents=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CorrectionsError, match=str(path)):
        Source(pets).split()


def test_names_of_all_kinds_are_kept(pets):
    photos = ["a b/ä cat.1.jpg", " cat.2.jpg", "Dogs/3.jpg"]
    corrections.correct(pets, photos, None)
    assert set(corrections.of(pets)) == set(photos)
    with pytest.raises(CorrectionsError, match="tab or a line break"):
        corrections.correct(pets, ["cat\t1.jpg"], None)


def test_a_run_keeps_the_corrections_that_it_began_with(pets, home, monkeypatch):
    monkeypatch.setattr(runs, "spawn", lambda folder: None)
    corrections.correct(pets, ["cat/0.png"], "dog")
    run = runs.start(TrainingConfig(data=pets))
    corrections.undo(pets, ["cat/0.png"])
    assert json.loads((run.folder / "config.json").read_text())["corrections"] == {"cat/0.png": "dog"}
    assert run.config.source.in_force == {"cat/0.png": "dog"}
    assert Source(pets).in_force == {}
    assert Source(DRAWN).in_force == {}


def test_the_shown_script_corrects_the_same_photos(pets):
    config = TrainingConfig(data=pets, corrections={"cat/0.png": "dog", "dog/1.png": None})
    text = training_script.training(config)
    part = text[text.index("LABELS = ") : text.index("# 3. ")]
    names: dict = {}
    exec(
        "import re\nfrom pathlib import Path\nimport numpy as np\nimport pandas as pd\nfrom PIL import Image, ImageOps",
        names,
    )
    exec(
        f"from sklearn.model_selection import train_test_split\nSIZE, SEED, folder = 4, 42, Path({pets!r})\n{part}",
        names,
    )
    for script, run in zip((names["training_set"], names["test_set"]), config.source.split(), strict=True):
        np.testing.assert_array_equal(script["label"], dataset.class_numbers(run))
        assert script["name"].tolist() == corrections.names(run["file"], pets)
