"""Training runs on a handful of images, for tests that start or read one."""

import json
import time
from pathlib import Path

from cnn_core.engine.config import TrainingConfig
from cnn_core.network import ConvBlock, NetworkSpec

TINY = TrainingConfig(
    images=24, epochs=2, batch_size=6, network=NetworkSpec(input_size=16, blocks=(ConvBlock(4),), dense_units=4)
)
LONG = TrainingConfig(**{**TINY.__dict__, "epochs": 1000})


def folder_with(path: Path, config: TrainingConfig = TINY, **files: str) -> Path:
    path.mkdir(parents=True)
    (path / "config.json").write_text(json.dumps(config.to_dict()))
    for name, text in files.items():
        (path / name.replace("_", ".")).write_text(text)
    return path


def until(condition, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)
