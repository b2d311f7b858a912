"""The command line: everything the pages do, without a browser. ``python -m cnn_core --help`` lists the commands.

With ``--json`` a command prints one JSON object a line on stdout and nothing else; progress goes to stderr.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnn_core import CnnLabError, environment


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after ``python -m cnn_core``; by default those of this process.

    Returns
    -------
    int
        0 when all went well, 1 when something did not, 2 for wrong usage.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["app"]:
        return environment.app(words[1:])
    if words[:1] == ["test"]:
        return environment.test(words[1:])
    options = _parser().parse_args(words)
    environment.reexec_in_venv()
    try:
        return options.run(options)
    except CnnLabError as error:
        if options.json:
            _print({"error": str(error)})
        else:
            print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cnn_core", description="CNN Lab on the command line.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("app", help="set up what is missing, then open the app", add_help=False)
    commands.add_parser("test", help="set up what is missing, then run all checks and tests", add_help=False)

    classify = _command(commands, "classify", _classify, "tell cats from dogs in photos")
    classify.add_argument("photo", nargs="+", metavar="PHOTO", help="picture file")
    _add_model(classify)

    train = _command(commands, "train", _train, "train a network on drawn pets, or on a dataset of yours")
    train.add_argument("--data", default="sketches", metavar="PATH|sketches", help="zip or folder (default: sketches)")
    train.add_argument("--images", type=int, metavar="N", help="at most so many pictures (default: all)")
    train.add_argument("--epochs", type=int, default=3, metavar="N", help="default: 3")
    train.add_argument("--batch-size", type=int, default=15, metavar="N", help="default: 15")
    train.add_argument("--learning-rate", type=float, default=1e-3, metavar="X", help="default: 0.001")
    train.add_argument("--schedule", choices=["constant", "cosine"], default="constant", help="of the learning rate")
    train.add_argument("--patience", type=int, metavar="N", help="stop after N epochs without gain, keep the best")
    train.add_argument("--no-augment", dest="augment", action="store_false", help="train on the pictures as they are")
    train.add_argument(
        "--recipe", choices=["article", "accurate"], default="article", help="how the bundled models are trained"
    )
    train.add_argument("--backbone", metavar="NPZ", help="for accurate: other weights than the bundled model's")
    train.add_argument("--seed", type=int, default=42, help="default: 42")
    train.add_argument("--out", type=Path, metavar="DIR", help="the run's folder (default: a new one in CNN_LAB_HOME)")

    evaluate = _command(commands, "evaluate", _evaluate, "measure a model on a dataset")
    evaluate.add_argument("--data", required=True, metavar="PATH|sketches", help="zip or folder")
    evaluate.add_argument("--subset", choices=["test", "all"], default="test", help="which pictures (default: test)")
    _add_model(evaluate)

    _command(commands, "models", _models, "list the models there are")

    bundle = _command(commands, "bundle", _bundle, "make a finished run a bundled model, with its history and a card")
    bundle.add_argument("run_folder", type=Path, metavar="RUN", help="the run's folder")
    bundle.add_argument("--name", required=True, help="the model's name")
    _add_words(bundle, required=True)

    card = _command(commands, "card", _card, "show a model's card; with --data, measure a bundled model and write it")
    card.add_argument("name", nargs="?", default="accurate", metavar="NAME", help="the model (default: accurate)")
    card.add_argument("--data", metavar="PATH|sketches", help="what the model learned from, with its test set")
    _add_words(card)

    export = _command(commands, "export", _export, "write a model in a format that other programs run")
    _add_model(export)
    export.add_argument("--format", required=True, choices=["keras", "tflite", "onnx"], help="of the file")
    export.add_argument("--out", type=Path, metavar="PATH", help="the file (default: the model's name, in this folder)")
    return parser


def _command(commands: Any, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text.capitalize() + ".")
    command.add_argument("--json", action="store_true", help="print one JSON object a line")
    command.set_defaults(run=run)
    return command


def _add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument("--model", default="accurate", metavar="NAME|PATH", help="default: accurate")


def _add_words(command: argparse.ArgumentParser, required: bool = False) -> None:
    command.add_argument("--title", required=required, help="its name for people")
    command.add_argument("--about", required=required, help="what it learned from, in a few words")
    command.add_argument("--origin", metavar="TEXT", help="where the data and the first weights come from")
    for name, what in (("licence", "a licence that holds"), ("limit", "what it is bad at"), ("not-for", "a misuse")):
        command.add_argument(f"--{name}", action="append", metavar="TEXT", help=f"{what}; may be given more than once")


def _words(options: argparse.Namespace) -> dict[str, Any]:
    names = {"title": "title", "about": "data", "origin": "origin"}
    names |= {"licence": "licences", "limit": "limits", "not_for": "not_for"}
    return {key: getattr(options, name) for name, key in names.items() if getattr(options, name) is not None}


def _classify(options: argparse.Namespace) -> int:
    from cnn_core import models, pixels

    failed = False
    for file in options.photo:
        try:
            image = pixels.open_image(file)
            prediction = models.open_model(options.model).classify(image)
        except CnnLabError as error:
            failed = True
            _answer(options, {"file": file, "error": str(error)}, f"{file}: {error}", stream=sys.stderr)
            continue
        answer = {
            "file": file,
            "label": prediction.label,
            "probability": round(prediction.probability, 6),
            "probabilities": {label: round(value, 6) for label, value in prediction.probabilities.items()},
            "model": prediction.model,
        }
        if prediction.pet is not None:
            answer["pet"] = round(prediction.pet, 6)
        _answer(options, answer, f"{file}: {prediction.label}, {prediction.probability:.1%}")
    return int(failed)


def _train(options: argparse.Namespace) -> int:
    from cnn_core import runs
    from cnn_core.engine.config import TrainingConfig

    names = ("images", "epochs", "batch_size", "learning_rate", "schedule", "patience", "augment", "seed", "recipe")
    data = options.data if options.data == "sketches" else str(Path(options.data).expanduser().absolute())
    backbone = options.backbone and str(Path(options.backbone).expanduser().absolute())
    config = TrainingConfig(data=data, backbone=backbone, **{name: getattr(options, name) for name in names})
    run = runs.start(config, options.out)
    start = time.monotonic()
    status = _follow(run)
    if status.state not in ("finished", "stopped"):
        raise runs.RunError(f"{status.message} The run's folder is {run.folder}.")
    history = run.history()
    answer = {
        "run": str(run.folder),
        "state": status.state,
        "epochs": len(history),
        "history": {name: history[name].tolist() for name in ("accuracy", "loss", "val_accuracy", "val_loss")},
        "model": str(run.model_path) if run.model_path.exists() else None,
        "seconds": round(time.monotonic() - start, 1),
        "images_per_second": status.images_per_second,
    }
    _answer(options, answer, f"{status.state}: {answer['epochs']} epochs; the model is {answer['model']}")
    return 0


def _follow(run: Any) -> Any:
    """Report a run's progress on stderr until it ends; Ctrl-C asks it to stop and save."""
    told = ""
    epochs = 0
    while True:
        try:
            status = run.status()
            line = status.message or (f"epoch {status.epoch} of {status.epochs}" if status.epoch else "Starting.")
            if status.state == "running" and sys.stderr.isatty():
                line += f", step {status.step} of {status.steps}, {status.images_per_second:.0f} images/s"
            if line != told:
                told = line
                print(line, file=sys.stderr, flush=True)
            history = run.history()
            for row in history.iloc[epochs:].to_dict("records"):
                print(
                    f"epoch {row['epoch']}: accuracy {row['accuracy']:.4f}, loss {row['loss']:.4f}, "
                    f"test accuracy {row['val_accuracy']:.4f}, test loss {row['val_loss']:.4f}",
                    file=sys.stderr,
                    flush=True,
                )
            epochs = len(history)
            if status.state not in ("starting", "reading", "running", "stopping"):
                return status
            time.sleep(0.25)
        except KeyboardInterrupt:
            print("Stopping: the model is being saved.", file=sys.stderr, flush=True)
            run.stop()


def _evaluate(options: argparse.Namespace) -> int:
    from cnn_core import curves, evaluation, models
    from cnn_core.source import Source

    model = models.open_model(options.model)
    source = Source.for_model(models.find(options.model).facts, options.data)
    table = source.subset(options.subset, progress=_progress)
    broken = table.attrs["broken"]
    result = evaluation.evaluate(model, table, progress=_progress)
    auc, ece = curves.roc_auc(result), curves.calibration_error(result)
    answer = {
        "model": model.name,
        "images": result.images,
        "skipped": result.skipped + len(broken),
        "accuracy": round(result.accuracy, 6),
        "log_loss": round(result.log_loss, 6),
        "confusion": result.confusion,
        "roc_auc": None if auc is None else round(auc, 6),
        "calibration_error": round(ece, 6),
        "refused": result.refused,
        "answered_accuracy": None if result.answered_accuracy is None else round(result.answered_accuracy, 6),
    }
    refused = "" if result.refused is None else f"\ncalled neither: {result.refused} of all, right or wrong"
    _answer(
        options,
        answer,
        f"{model.name}: accuracy {result.accuracy:.4f}, log loss {result.log_loss:.4f} on {result.images:,} pictures "
        f"({answer['skipped']} skipped)\n"
        f"ROC AUC {'unknown without both classes' if auc is None else f'{auc:.4f}'}, calibration error {ece:.4f}\n"
        f"cats: {result.confusion[0][0]} right, {result.confusion[0][1]} taken for dogs\n"
        f"dogs: {result.confusion[1][1]} right, {result.confusion[1][0]} taken for cats" + refused,
    )
    return 0


def _models(options: argparse.Namespace) -> int:
    from cnn_core import models

    for card in models.list_models():
        answer = {
            "name": card.name,
            "kind": card.kind,
            "title": card.title,
            "accuracy": card.accuracy,
            "input_size": card.input_size,
            "path": str(card.path),
            "card": card.facts,
        }
        accuracy = "" if card.accuracy is None else f", test accuracy {card.accuracy:.1%}"
        _answer(options, answer, f"{card.name} ({card.kind}): {card.title}{accuracy}")
    return 0


def _bundle(options: argparse.Namespace) -> int:
    from cnn_core import runs
    from cnn_core.model_io import bundle

    run = runs.Run(options.run_folder)
    words = _words(options)
    path = bundle.bundle(run, options.name, options.title, options.about, progress=_progress, words=words)
    _answer(options, {"model": str(path), "bytes": path.stat().st_size}, f"{path}: {path.stat().st_size:,} bytes")
    return 0


def _card(options: argparse.Namespace) -> int:
    from cnn_core import models
    from cnn_core.model_io import bundle, cards

    card = models.find(options.name)
    if options.data:
        if card.kind != "bundled":
            raise models.ModelError("Only bundled models have a card to write. Bundle a run with the command “bundle”.")
        from cnn_core.source import Source

        source = Source.for_model(card.facts, options.data)
        bundle.write_card(card.path, source, _words(options), progress=_progress)
        card = models.find(options.name)
    _answer(options, {"name": card.name, "card": card.facts}, cards.markdown(card))
    return 0


def _export(options: argparse.Namespace) -> int:
    from cnn_core.model_io import export

    path = export.export(options.model, options.format, options.out)
    _answer(options, {"file": str(path), "bytes": path.stat().st_size}, f"{path}: {path.stat().st_size:,} bytes")
    return 0


def _answer(options: argparse.Namespace, answer: dict[str, Any], text: str, stream: Any = None) -> None:
    if options.json:
        _print(answer)
    else:
        print(text, file=stream or sys.stdout, flush=True)


def _print(answer: dict[str, Any]) -> None:
    print(json.dumps(answer, ensure_ascii=False), flush=True)


def _progress(done: int, total: int, what: str) -> None:
    end = "\r" if sys.stderr.isatty() and done < total else "\n"
    if end == "\r" or done == total:
        print(f"{what}: {done:,} of {total:,}", end=end, file=sys.stderr, flush=True)
