"""The commands of the command line, and the arguments of each."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def parser() -> argparse.ArgumentParser:
    """Describe all commands.

    Examples
    --------
    >>> parser().parse_args(["models", "--json"])
    Namespace(json=True, command='models')
    """
    installed = Path(sys.argv[0]).stem == "cnn-lab"
    program = "cnn-lab" if installed else "python -m cnn_core"
    whole = argparse.ArgumentParser(prog=program, description="CNN Lab on the command line.")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("app", help="install what is missing, then open the app", add_help=False)
    commands.add_parser(
        "test",
        help="install what is missing, then run all checks and tests; --fast: without the slow ones",
        add_help=False,
    )

    classify = _command(commands, "classify", "say whether photos show a cat or a dog")
    classify.add_argument("photo", nargs="+", metavar="PHOTO", help="image file")
    _add_model(classify)

    train = _command(commands, "train", "train a network on drawn pets or on your own dataset")
    train.add_argument(
        "--data",
        default="sketches",
        metavar="PATH|sketches",
        help="zip file or folder of images, or the drawn pets (default: sketches)",
    )
    train.add_argument("--images", type=int, metavar="N", help="maximum number of images (default: all)")
    train.add_argument("--epochs", type=int, default=3, metavar="N", help="number of epochs (default: 3)")
    train.add_argument("--batch-size", type=int, default=15, metavar="N", help="images in one step (default: 15)")
    train.add_argument(
        "--learning-rate", type=float, default=7e-4, metavar="X", help="highest learning rate (default: 0.0007)"
    )
    train.add_argument(
        "--schedule",
        choices=["constant", "cosine", "warmup_cosine"],
        default="warmup_cosine",
        help="learning rate schedule (default: warmup_cosine)",
    )
    train.add_argument(
        "--patience",
        type=int,
        metavar="N",
        help="stop after N epochs without a lower loss on the held-out set, and keep the best epoch",
    )
    train.add_argument(
        "--validation",
        type=float,
        default=0.0,
        metavar="X",
        help="keep this fraction of the training set aside, and keep the epoch with the lowest loss on it (default: 0)",
    )
    train.add_argument("--class-weights", action="store_true", help="let images of the rarer class count more")
    train.add_argument(
        "--augment",
        choices=["none", "light", "article", "strong"],
        default="light",
        help="how much the training images vary (default: light)",
    )
    train.add_argument(
        "--no-augment", dest="augment", action="store_const", const="none", help="the same as --augment none"
    )
    train.add_argument(
        "--recipe",
        choices=["article", "accurate"],
        default="article",
        help="train as this bundled model was trained (default: article)",
    )
    train.add_argument(
        "--backbone", metavar="NPZ", help="for accurate: start from these weights, not from the bundled model"
    )
    train.add_argument("--seed", type=int, default=42, help="random seed (default: 42)")
    train.add_argument(
        "--deterministic",
        action="store_true",
        help="the same seed, data and machine give the same history to the last digit",
    )
    train.add_argument("--out", type=Path, metavar="DIR", help="the run's folder (default: a new one in CNN_LAB_HOME)")
    train.add_argument(
        "--resume",
        action="store_true",
        help="continue the run in DIR where it stopped, with its own settings",
    )

    dataset = _command(commands, "dataset", "say what is in a dataset: classes, sizes, broken files, duplicates")
    dataset.add_argument("data", nargs="?", metavar="PATH", help="zip file or folder of images")
    dataset.add_argument(
        "--download",
        action="store_true",
        help="first download Microsoft's copy of Dogs vs. Cats (825 MB)",
    )
    dataset.add_argument("--images", type=int, metavar="N", help="maximum number of images (default: all)")
    dataset.add_argument("--seed", type=int, default=42, help="random seed of the split (default: 42)")
    dataset.add_argument(
        "--leave-out", action="append", default=[], metavar="PHOTO", help="leave this photo out from now on"
    )
    dataset.add_argument(
        "--relabel", action="append", default=[], nargs=2, metavar=("PHOTO", "cat|dog"), help="what a photo shows"
    )
    dataset.add_argument(
        "--undo", action="append", default=[], metavar="PHOTO", help="undo the correction of this photo"
    )

    evaluate = _command(commands, "evaluate", "measure a model on a dataset")
    evaluate.add_argument(
        "--data", required=True, metavar="PATH|sketches", help="zip file or folder of images, or the drawn pets"
    )
    evaluate.add_argument(
        "--subset", choices=["test", "all"], default="test", help="images to measure on (default: test)"
    )
    _add_model(evaluate)

    _command(commands, "models", "list all models")

    bundle = _command(commands, "bundle", "turn a finished run into a bundled model, with its history and a model card")
    bundle.add_argument("run_folder", type=Path, metavar="RUN", help="the run's folder")
    bundle.add_argument("--name", required=True, help="the model's name")
    _add_words(bundle, required=True)

    card = _command(commands, "card", "show a model card; with --data, measure a bundled model and write its card")
    card.add_argument("name", nargs="?", default="accurate", metavar="NAME", help="the model (default: accurate)")
    card.add_argument("--data", metavar="PATH|sketches", help="dataset that the model was trained on")
    _add_words(card)

    export = _command(commands, "export", "write a model in a format for other programs")
    _add_model(export)
    export.add_argument("--format", required=True, choices=["keras", "tflite", "onnx"], help="file format")
    export.add_argument(
        "--out", type=Path, metavar="PATH", help="output file (default: the model's name, in this folder)"
    )

    report = _command(commands, "report", "write a run's settings, curves, scores and kernels into one HTML file")
    report.add_argument("run", metavar="RUN", help="the run's folder, or its name in CNN_LAB_HOME/runs")
    report.add_argument(
        "--out", type=Path, metavar="FILE", help="output file (default: the run's name, in this folder)"
    )
    return whole


def _command(commands: Any, name: str, text: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text.capitalize() + ".")
    command.add_argument("--json", action="store_true", help="print one JSON object a line")
    command.set_defaults(command=name)
    return command


def _add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--model", default="accurate", metavar="NAME|PATH", help="bundled model, run or file (default: accurate)"
    )


def _add_words(command: argparse.ArgumentParser, required: bool = False) -> None:
    command.add_argument("--title", required=required, help="display name")
    command.add_argument("--about", required=required, help="training data, in a few words")
    command.add_argument("--origin", metavar="TEXT", help="source of the data and of the initial weights")
    for name, what in (("licence", "license that applies"), ("limit", "known weakness"), ("not-for", "unsuitable use")):
        command.add_argument(f"--{name}", action="append", metavar="TEXT", help=f"{what}; can be repeated")
