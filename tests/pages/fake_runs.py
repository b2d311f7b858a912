"""Run folders as a training writes them, without a training: the pages only read them."""

import json
import os
import time
import zipfile
from pathlib import Path

from cnn_core.engine.config import TrainingConfig
from cnn_core.storage.files import home

STEPS = 20
"""Steps of an epoch."""


def fake_run(
    name: str = "20260102-030405-abcd",
    state: str = "finished",
    *,
    done: int = 3,
    step: int = STEPS,
    message: str = "",
    silent: float = -3600.0,
    model: bool = True,
    overfitted: bool = False,
    learned: bool = True,
    **config,
) -> Path:
    """Write a run that has `done` whole epochs, stands at `step`, and was last heard `silent` seconds ago.

    If it has `overfitted`, its test loss was lowest after the second of three epochs. If it has not `learned`, it
    guesses.
    """
    settings = TrainingConfig(**{"epochs": 3, "images": 400, **config})
    folder = home() / "runs" / name
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(settings.to_dict()))
    rows = [
        f"{e},{0.6 + 0.1 * e:.3f},{0.7 / e:.3f},{0.55 + 0.1 * e:.3f},{0.72 / e:.3f},9.5" for e in range(1, done + 1)
    ]
    if overfitted:  # from the second epoch on
        rows = [f"{e},{0.7 + 0.09 * e:.3f},{0.7 / e:.3f},0.700,{0.4 + 0.1 * abs(e - 2):.3f},9.5" for e in range(1, 4)]
    if not learned:
        rows = [f"{e},0.504,{0.6931 + 0.01 / e**4:.4f},0.486,0.6933,9.5" for e in range(1, done + 1)]
    (folder / "history.csv").write_text("\n".join(["epoch,accuracy,loss,val_accuracy,val_loss,seconds", *rows]) + "\n")
    steps = done * STEPS + (step if done < settings.epochs else 0)
    lines = [{"step": s, "epoch": (s - 1) // STEPS + 1, "loss": 0.5, "accuracy": 0.8125} for s in range(1, steps + 1)]
    (folder / "steps.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    status = {"state": state, "message": message, "epoch": min(done + 1, settings.epochs), "epochs": settings.epochs}
    status |= {"step": step, "steps": STEPS, "images_per_second": 61.7, "seconds": 75.2, "seconds_left": 42.0}
    rewrite_status(folder, silent=silent, **status)
    (folder / "log.txt").write_text("the last words\n")
    if model:
        with zipfile.ZipFile(folder / "model.keras", "w") as file:
            file.writestr("weights", b"")
    return folder


def rewrite_status(folder: Path, *, silent: float = -3600.0, **changes) -> None:
    """Let the pretended process change its status. By default it stays alive however slow the test is."""
    path = folder / "status.json"
    status = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**status, **changes}))
    heard = time.time() - silent
    os.utime(path, (heard, heard))
