"""A process that imports TensorFlow once, without using it, and forks a child for every process that trains.

    python tests/shared_runs.py FOLDER

It trains the same run alone, shared by two logical devices, and shared by two workers. The two are asked to stop, start
again, lose one of them, and start again. It prints, as JSON, what both workers said each time.
"""

# ruff: noqa: E402

import json
import os
import signal
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from cnn_core.engine import loading

loading.import_tensorflow()  # before all else, as a process that trains does: so it takes two thirds of the time

import tensorflow

from cnn_core import training
from cnn_core.engine import saving, team
from cnn_core.engine.journal import read_status
from tests.tiny_runs import TINY, folder_with

CONFIG = replace(
    TINY, images=21, epochs=3, batch_size=7, precision="float32", class_weights=True, learning_rate=0.01,
    schedule="constant",
)  # fmt: skip
"""Its 15 training images make batches of 7, 7 and 1: two shares are not alike, one is empty."""


def fork(eager: bool, train, *arguments) -> int:
    """Call a function in a child, with TensorFlow's graphs or without, and return the child's number."""
    if child := os.fork():
        return child
    try:
        tensorflow.config.run_functions_eagerly(eager)
        train(*arguments)
    except BaseException as error:
        print(os.getpid(), error, file=sys.stderr, flush=True)
    os._exit(0)


def on_two_devices(folder: Path) -> None:
    """Train on two logical processors, as on two graphics cards."""
    (cpu,) = tensorflow.config.list_physical_devices("CPU")
    tensorflow.config.set_logical_device_configuration(cpu, [tensorflow.config.LogicalDeviceConfiguration()] * 2)
    strategy = tensorflow.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    team.on_this_machine = lambda: team.Team(strategy)
    training.train(folder)


def as_worker(folder: Path, index: int, ports: list[int], stop_at: int, die_at: int) -> None:
    """Train with the other worker; as the second one, be asked to stop or die after so many steps of this process."""
    cluster = {"worker": [f"localhost:{port}" for port in ports]}
    os.environ["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})
    seen, count = 0, saving.KeepPlace.on_train_batch_end

    def on_train_batch_end(self, batch: int, logs=None) -> None:
        nonlocal seen
        count(self, batch, logs)
        seen += 1
        if index == 1 and seen == stop_at:
            (folder / "stop").touch()
        if index == 1 and seen == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    saving.KeepPlace.on_train_batch_end = on_train_batch_end
    training.train(folder)


def together(top: Path, life: str, eager: bool, stop_at: int = 0, die_at: int = 0) -> dict:
    """Train with two workers, the second one in a new folder; return their last words, and how long they took."""
    began = time.monotonic()
    with socket.socket() as one, socket.socket() as two:
        for free in (one, two):
            free.bind(("localhost", 0))
        ports = [free.getsockname()[1] for free in (one, two)]
    (top / life).mkdir()
    folders = [top / "shared", top / life]
    children = [fork(eager, as_worker, folder, index, ports, stop_at, die_at) for index, folder in enumerate(folders)]
    for child in children:
        os.waitpid(child, 0)
    said = [read_status(folder) for folder in folders]
    return {
        "states": [status.state for status in said],
        "messages": [status.message for status in said],
        "steps": [len((folder / "steps.jsonl").read_text().splitlines()) for folder in folders],
        "seconds": time.monotonic() - began,
    }


def main() -> None:
    """Train all of them."""
    top = Path(sys.argv[1])
    saving.CHECKPOINT_SECONDS = saving.TEST_CHECKPOINT_SECONDS = 0.0  # a checkpoint after every step
    for name in ("alone", "devices", "shared"):
        folder_with(top / name, CONFIG)
    os.waitpid(fork(True, training.train, top / "alone"), 0)
    os.waitpid(fork(False, on_two_devices, top / "devices"), 0)
    lives = {
        "stopped": together(top, "stopped", eager=True, stop_at=2),
        "lost": together(top, "lost", eager=True, die_at=2),
        "resumed": together(top, "resumed", eager=False),
    }
    print(json.dumps(lives))


if __name__ == "__main__":
    main()
