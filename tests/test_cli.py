"""The command line's contract: what is on stdout, what is not, and the exit code."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from cnn_core import cli, models, runs
from cnn_core.engine.config import TrainingConfig
from cnn_core.figures import report
from cnn_core.network import ConvBlock, NetworkSpec
from cnn_core.terminal.arguments import parser
from tests.pages.fake_runs import fake_run
from tests.tiny_runs import folder_with

PETS = Path(__file__).parents[2] / "shared" / "data" / "pet-photos"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "tiny.keras"
    NetworkSpec(input_size=16, blocks=(ConvBlock(2),), dense_units=2).build().save(path)
    return path


def photo(path: Path) -> str:
    Image.fromarray(np.full((20, 30, 3), 200, np.uint8)).save(path)
    return str(path)


def lines(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    "words",
    [[], ["classify"], ["classify", "--epochs", "3", "x.jpg"], ["evaluate"], ["train", "--epochs", "few"], ["fly"]],
)
def test_wrong_usage_is_2(words, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(words)
    assert stopped.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "usage:" in captured.err


def test_the_defaults_of_train_are_those_of_a_run():
    options, config = parser().parse_args(["train"]), TrainingConfig()
    shared = ("data", "images", "epochs", "batch_size", "learning_rate", "schedule", "patience", "validation",
              "class_weights", "augment", "recipe", "seed", "deterministic")  # fmt: skip
    said = {name: getattr(options, name) for name in shared}
    assert said == {**{name: getattr(config, name) for name in shared}, "images": None}  # all, of any dataset


@pytest.fixture
def litert(monkeypatch):
    """A bundled model answers without Keras."""
    models.forget_loaded()
    monkeypatch.setattr(models.keras_file, "load", lambda path: pytest.fail("Keras was asked"))


def test_classify_answers_every_file_and_1_when_any_failed(tmp_path, litert, capsys):
    good = photo(tmp_path / "good.png")
    bad = tmp_path / "bad.jpg"
    bad.write_text("text")
    assert cli.main(["classify", good, "--model", "article", "--json"]) == 0
    (answer,) = lines(capsys)
    assert set(answer) == {"file", "label", "probability", "probabilities", "model"}
    assert answer["file"] == good
    assert answer["probability"] == answer["probabilities"][answer["label"]] >= 0.5
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    missing = str(tmp_path / "missing.jpg")
    assert cli.main(["classify", str(bad), good, missing, "--model", "article", "--json"]) == 1
    answers = lines(capsys)
    assert [set(answer) == {"file", "error"} for answer in answers] == [True, False, True]
    assert answers[1]["file"] == good


def test_classify_for_people(tmp_path, litert, capsys):
    good = photo(tmp_path / "good.png")
    assert cli.main(["classify", good, str(tmp_path / "none.jpg"), "--model", "article"]) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith(f"{good}: ")
    assert captured.out.endswith("\u00a0%\n")
    assert "none.jpg" in captured.err


def test_unknown_model_is_a_sentence(tmp_path, capsys):
    assert cli.main(["classify", photo(tmp_path / "a.png"), "--model", "parrot", "--json"]) == 1
    (answer,) = lines(capsys)
    assert "parrot" in answer["error"]
    assert cli.main(["evaluate", "--data", "sketches", "--model", "parrot"]) == 1
    assert "parrot" in capsys.readouterr().err


def test_a_very_sure_model_is_not_said_to_be_certain(tmp_path, monkeypatch, capsys):
    sure = models.Prediction("cat", 0.99996, {"cat": 0.99996, "dog": 0.00004}, "tiny")
    monkeypatch.setattr(models, "open_model", lambda name: SimpleNamespace(classify=lambda image: sure))
    good = photo(tmp_path / "good.png")
    assert cli.main(["classify", good]) == 0
    assert capsys.readouterr().out == f"{good}: cat, over 99.9\u00a0%\n"
    assert cli.main(["classify", good, "--json"]) == 0
    assert lines(capsys)[0]["probability"] == 0.99996


@pytest.mark.slow
def test_train_then_evaluate(tmp_path, capfd):
    """What is caught are the process's own outputs: Keras's chatter must not reach stdout either."""
    out = tmp_path / "run"
    words = ["train", "--images", "40", "--epochs", "2", "--batch-size", "10", "--out", str(out), "--json"]
    command = [sys.executable, "-m", "cnn_core", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["run"] == str(out)
    assert answer["epochs"] == 2
    assert set(answer["history"]) == {"accuracy", "loss", "val_accuracy", "val_loss"}
    assert all(len(values) == 2 for values in answer["history"].values())
    assert Path(answer["model"]).is_file()
    assert answer["seconds"] > 0
    assert answer["images_per_second"] > 0
    assert "epoch 2:" in done.stderr
    assert cli.main(["train", "--out", str(out), "--json"]) == 1  # the folder is in use
    assert "not empty" in lines(capfd)[0]["error"]

    cats = tmp_path / "pets"
    for label in ("cat", "dog"):
        (cats / label).mkdir(parents=True)
        for n in range(4):
            photo(cats / label / f"{n}.png")
    (cats / "cat" / "broken.png").write_bytes(b"")
    assert cli.main(["evaluate", "--data", str(cats), "--model", answer["model"], "--subset", "all", "--json"]) == 0
    (scores,) = lines(capfd)
    names = {"model", "images", "skipped", "accuracy", "log_loss", "confusion", "roc_auc", "calibration_error"}
    names |= {"refused", "answered_accuracy"}
    assert set(scores) == names
    assert (scores["images"], scores["skipped"]) == (8, 1)
    (cat, cat_as_dog), (dog_as_cat, dog) = scores["confusion"]
    assert cat + cat_as_dog == dog_as_cat + dog == 4
    assert scores["accuracy"] == (cat + dog) / 8


def test_bad_data_is_a_sentence_on_the_command_line(tmp_path, capsys):
    bad = tmp_path / "photos.zip"
    bad.write_text("no zip")
    assert cli.main(["evaluate", "--data", str(bad), "--json"]) == 1
    assert "error" in lines(capsys)[0]
    assert cli.main(["train", "--epochs", "0"]) == 1
    assert "epochs must be" in capsys.readouterr().err


def test_train_resume_goes_on_with_the_run_in_its_folder(tmp_path, monkeypatch, capsys):
    spawned = []

    def spawn(folder):
        spawned.append(folder)
        (folder / "status.json").write_text(json.dumps({"state": "finished"}))

    monkeypatch.setattr(runs, "spawn", spawn)
    folder = folder_with(tmp_path / "run", status_json=json.dumps({"state": "stopped"}))
    assert cli.main(["train", "--out", str(folder), "--resume", "--json"]) == 0
    assert spawned == [folder]
    (answer,) = lines(capsys)
    assert (answer["run"], answer["state"]) == (str(folder), "finished")
    assert cli.main(["train", "--out", str(folder), "--resume", "--json"]) == 1
    assert "has finished" in lines(capsys)[0]["error"]
    assert cli.main(["train", "--out", str(tmp_path), "--resume"]) == 1
    assert "not a training run" in capsys.readouterr().err
    assert cli.main(["train", "--resume"]) == 1
    assert "--out DIR" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["1,0.51,0.7026,0.49,0.6931", "2,0.5,0.6932,0.49,0.6933"], "has not learned: it only guesses"),
        (["1,0.7,0.6,0.7,0.55", "2,0.97,0.1,0.7,0.9"], "It has overfitted: its best epoch was epoch 1."),
        (["1,0.6,0.6,0.6,0.6", "2,0.7,0.5,0.7,0.5"], "model.keras\n"),
    ],
)
def test_train_says_what_its_curves_mean(tmp_path, monkeypatch, capsys, rows, words):
    def spawn(folder):
        rows_of = ["epoch,accuracy,loss,val_accuracy,val_loss", *rows]
        (folder / "history.csv").write_text("\n".join(rows_of) + "\n")
        (folder / "model.keras").touch()
        (folder / "status.json").write_text('{"state": "finished"}')

    monkeypatch.setattr(runs, "spawn", spawn)
    assert cli.main(["train", "--out", str(tmp_path / "run")]) == 0
    assert words in capsys.readouterr().out


def test_train_passes_deterministic_on(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "spawn", lambda folder: (folder / "status.json").write_text('{"state": "finished"}'))
    assert cli.main(["train", "--deterministic", "--out", str(tmp_path / "run")]) == 0
    assert runs.Run(tmp_path / "run").config.deterministic


def test_a_run_of_the_recipe_accurate_says_its_own_number_of_epochs(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "spawn", lambda folder: (folder / "status.json").write_text('{"state": "finished"}'))
    assert cli.main(["train", "--recipe", "accurate", "--out", str(tmp_path / "run")]) == 0
    config = runs.Run(tmp_path / "run").config
    assert (config.epochs, config.batch_size) == (4, 32)
    words = report.html(runs.Run(tmp_path / "run"))
    assert "recipe" in words
    assert not [name for name in ("<h2>Network</h2>", ">learning rate<") if name in words]  # they are others


def test_models_lists_the_bundled_article(capsys):
    assert cli.main(["models", "--json"]) == 0
    cards = {card["name"]: card for card in lines(capsys)}
    assert cards["article"]["kind"] == "bundled"
    assert cards["article"]["accuracy"] > 0.7505  # the article's
    assert cards["article"]["input_size"] == 128


@pytest.mark.slow
@pytest.mark.skipif(not PETS.exists(), reason="the real pet photos, ../shared/data/pet-photos, are not here")
def test_bundled_model_is_mostly_right_on_real_photos(capsys):
    """The photos are part of the dataset, most of them of its training set: this checks the way, not the score."""
    photos = sorted(PETS.glob("*.jpg"))
    assert cli.main(["classify", *map(str, photos), "--json"]) == 0
    right = [Path(answer["file"]).name.startswith(answer["label"]) for answer in lines(capsys)]
    assert len(right) == len(photos)
    assert np.mean(right) > 0.75


def test_report_writes_one_file_of_a_run_by_its_name_or_folder(tmp_path, capsys):
    folder = fake_run(model=False)
    for run in (folder.name, str(folder)):
        assert cli.main(["report", run, "--out", str(tmp_path / "report.html"), "--json"]) == 0
        (answer,) = lines(capsys)
        assert answer == {"file": str(tmp_path / "report.html"), "bytes": (tmp_path / "report.html").stat().st_size}
    assert folder.name in (tmp_path / "report.html").read_text("utf-8")


def test_report_of_no_run_is_1_with_a_sentence(tmp_path, capsys):
    for run in ("20260101-000000-gone", str(tmp_path)):
        assert cli.main(["report", run, "--out", str(tmp_path / "report.html"), "--json"]) == 1
        assert "run" in lines(capsys)[0]["error"]
    assert cli.main(["report", fake_run().name, "--out", str(tmp_path / "none" / "report.html")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_dataset_says_what_is_in_it_and_corrects_it(tmp_path, capsys):
    random = np.random.default_rng(0)
    (tmp_path / "pets").mkdir()
    for number in range(8):
        image = Image.fromarray(random.integers(0, 256, (20, 30, 3), np.uint8))
        image.save(tmp_path / "pets" / f"{'cat' if number < 6 else 'dog'}.{number}.png")
    (tmp_path / "pets" / "cat.9.png").write_bytes(b"no picture")
    words = ["dataset", str(tmp_path / "pets"), "--json"]
    assert cli.main([*words, "--leave-out", "cat.0.png", "--relabel", "cat.1.png", "dog"]) == 0
    (facts,) = lines(capsys)
    assert facts["images"] == 7
    assert {label: row["photos"] for label, row in facts["classes"].items()} == {"cat": 4, "dog": 3}
    assert (facts["width"], facts["height"]) == ([30, 30, 30], [20, 20, 20])
    assert facts["broken"] == ["cat.9.png"]
    assert facts["duplicates"] == []
    assert facts["corrections"] == {"cat.0.png": None, "cat.1.png": "dog"}
    assert cli.main([*words, "--images", "6", "--relabel", "cat.2.png", "dog"]) == 0  # in the sample or not
    assert lines(capsys)[0]["corrections"]["cat.2.png"] == "dog"
    assert cli.main([*words, "--undo", "cat.3.png"]) == 1
    assert "no correction of cat.3.png" in lines(capsys)[0]["error"]
    assert cli.main([*words, *(word for number in range(3) for word in ("--undo", f"cat.{number}.png"))]) == 0
    assert lines(capsys)[0]["corrections"] == {}
    assert cli.main(words[:2]) == 0
    assert "cats: 6 (75.0\u00a0%)" in capsys.readouterr().out
    for wrong in (["--leave-out", "cat.77.png"], ["--relabel", "cat.1.png", "bird"]):
        assert cli.main([*words, *wrong]) == 1
        assert "cat" in lines(capsys)[0]["error"]
    for arguments in (["dataset", "--json"], [*words, "--download"]):
        assert cli.main(arguments) == 1
        assert "--download" in lines(capsys)[0]["error"]
