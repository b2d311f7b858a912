"""The command line: everything the pages do, without a browser. ``python -m cnn_core --help`` lists the commands.

The installed package has the same commands as ``cnn-lab``.

With ``--json`` a command prints one JSON object a line on stdout and nothing else; progress goes to stderr.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnn_core import CnnLabError
from cnn_core.setup import commands as setup
from cnn_core.setup import venv
from cnn_core.storage.files import expanded
from cnn_core.terminal import progress
from cnn_core.terminal.arguments import parser
from cnn_core.wording import percent

if TYPE_CHECKING:
    import pandas as pd

    from cnn_core.runs import Run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after ``python -m cnn_core`` or ``cnn-lab``; by default those of this process.

    Returns
    -------
    int
        0 when all went well, 1 when something did not, 2 for wrong usage.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["app"]:
        return setup.app(words[1:])
    if words[:1] == ["test"]:
        return setup.test(words[1:])
    options = parser().parse_args(words)
    venv.reexec_in_venv()
    try:
        return COMMANDS[options.command](options)
    except CnnLabError as error:
        if options.json:
            _print({"error": str(error)})
        else:
            print(error, file=sys.stderr)
        return 1


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
        _answer(options, answer, f"{file}: {prediction.label}, {percent(prediction.probability)}")
    return int(failed)


def _train(options: argparse.Namespace) -> int:
    from cnn_core import runs
    from cnn_core.engine import cluster

    workers = cluster.from_environment()
    helps = workers is not None and not workers.writes
    run = _helping() if helps else _resumed(options) if options.resume else _started(options)
    start = time.monotonic()
    status = progress.follow(run)
    if status.state not in ("finished", "stopped"):
        raise runs.RunError(f"{status.message} The run's folder is {run.folder}.")
    history = run.history()
    if helps:
        shutil.rmtree(run.folder, ignore_errors=True)
    answer = {
        "run": None if helps else str(run.folder),
        "state": status.state,
        "epochs": len(history),
        "history": {name: history[name].tolist() for name in ("accuracy", "loss", "val_accuracy", "val_loss")},
        "model": str(run.model_path) if run.model_path.exists() else None,
        "seconds": round(time.monotonic() - start, 1),
        "images_per_second": status.images_per_second,
    }
    where = "the first worker has the model" if helps else f"the model is {answer['model']}"
    ended = f"{status.state}: {len(history)} epoch{'s' * (len(history) != 1)}; {where}"
    _answer(options, answer, f"{ended}{_learning(history)}")
    return 0


def _learning(history: pd.DataFrame) -> str:
    from cnn_core import curves

    if curves.has_not_learned(history):
        return ". The network has not learned: it only guesses. Train again with a lower --learning-rate."
    found = curves.overfitting(history)
    return f". It has overfitted: its best epoch was epoch {found.best_epoch}." if found else ""


def _helping() -> Run:
    """Start this machine's part of a run that another worker writes: its settings come from there."""
    from cnn_core import runs
    from cnn_core.engine.config import TrainingConfig

    return runs.start(TrainingConfig(), Path(tempfile.mkdtemp(prefix="cnn-lab-worker-")))


def _resumed(options: argparse.Namespace) -> Run:
    from cnn_core import runs

    if options.out is None:
        raise runs.RunError("Which run? Name its folder: --out DIR --resume")
    run = runs.Run(options.out.absolute())
    run.resume()
    return run


def _started(options: argparse.Namespace) -> Run:
    from cnn_core import runs
    from cnn_core.engine.config import TrainingConfig
    from cnn_core.source import DRAWN

    names = (
        "images", "epochs", "batch_size", "learning_rate", "schedule", "patience", "validation", "augment", "seed",
        "recipe", "class_weights", "deterministic",
    )  # fmt: skip
    data = options.data if options.data == DRAWN else str(expanded(options.data).absolute())
    backbone = options.backbone and str(expanded(options.backbone).absolute())
    config = TrainingConfig(data=data, backbone=backbone, **{name: getattr(options, name) for name in names})
    return runs.start(config, options.out)


def _evaluate(options: argparse.Namespace) -> int:
    from cnn_core import curves, evaluation, models
    from cnn_core.source import Source

    source = Source.for_model(models.find(options.model).facts, options.data)
    table = source.subset(options.subset, progress=progress.show)
    model = models.open_model(options.model)  # after the data: what is wrong with them need not wait for TensorFlow
    broken = table.attrs["broken"]
    result = evaluation.evaluate(model, table, progress=progress.show)
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
        f"{model.name}: accuracy {result.accuracy:.4f}, log loss {result.log_loss:.4f} on {result.images:,} images "
        f"({answer['skipped']} skipped)\n"
        f"ROC AUC {'unknown without both classes' if auc is None else f'{auc:.4f}'}, calibration error {ece:.4f}\n"
        f"cats: {result.confusion[0][0]} right, {result.confusion[0][1]} classified as dogs\n"
        f"dogs: {result.confusion[1][1]} right, {result.confusion[1][0]} classified as cats" + refused,
    )
    return 0


def _dataset(options: argparse.Namespace) -> int:
    from cnn_core.terminal import dataset_report

    found = dataset_report.look(options)
    _answer(options, dataset_report.answer(found), dataset_report.text(found))
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
        accuracy = "" if card.accuracy is None else f", test accuracy {percent(card.accuracy)}"
        _answer(options, answer, f"{card.name} ({card.kind}): {card.title}{accuracy}")
    return 0


def _bundle(options: argparse.Namespace) -> int:
    from cnn_core import runs
    from cnn_core.model_io import bundle

    run = runs.Run(options.run_folder)
    words = _words(options)
    path = bundle.bundle(run, options.name, options.title, options.about, progress=progress.show, words=words)
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
        bundle.write_card(card.path, source, _words(options), progress=progress.show)
        card = models.find(options.name)
    _answer(options, {"name": card.name, "card": card.facts}, cards.markdown(card))
    return 0


def _export(options: argparse.Namespace) -> int:
    from cnn_core.model_io import export

    path = export.export(options.model, options.format, options.out)
    _answer(options, {"file": str(path), "bytes": path.stat().st_size}, f"{path}: {path.stat().st_size:,} bytes")
    return 0


def _report(options: argparse.Namespace) -> int:
    from cnn_core import runs
    from cnn_core.figures import report
    from cnn_core.storage.files import replace_file

    folder = Path(options.run)
    run = runs.Run(folder) if folder.is_dir() else runs.find(options.run)
    path = options.out or Path(f"cnn-lab-{run.id}.html")
    try:
        replace_file(path, report.html(run))
    except OSError as error:
        raise runs.RunError(f"The report cannot be written to {path}: {error.strerror}.") from error
    _answer(options, {"file": str(path), "bytes": path.stat().st_size}, f"{path}: {path.stat().st_size:,} bytes")
    return 0


def _answer(options: argparse.Namespace, answer: dict[str, Any], text: str, stream: Any = None) -> None:
    if options.json:
        _print(answer)
    else:
        print(text, file=stream or sys.stdout, flush=True)


def _print(answer: dict[str, Any]) -> None:
    print(json.dumps(answer, ensure_ascii=False), flush=True)


COMMANDS = {
    "classify": _classify,
    "train": _train,
    "dataset": _dataset,
    "evaluate": _evaluate,
    "models": _models,
    "bundle": _bundle,
    "card": _card,
    "export": _export,
    "report": _report,
}
