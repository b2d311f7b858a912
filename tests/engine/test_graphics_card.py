"""A graphics card is shared by the app and its trainings, and a run says which one it used."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from cnn_core.engine import environment

GROWTH = "TF_FORCE_GPU_ALLOW_GROWTH"


@pytest.mark.parametrize("given", [None, "false"])
def test_no_process_takes_all_of_the_memory_unless_its_user_says_so(given):
    settings = {name: value for name, value in os.environ.items() if name != GROWTH}
    if given:
        settings[GROWTH] = given
    command = [sys.executable, "-c", f"import os, cnn_core; print(os.environ['{GROWTH}'])"]
    printed = subprocess.run(command, env=settings, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == (given or "true")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cards", "named"),
    [({}, "none"), ({"GPU:0": {"device_name": "NVIDIA H100"}, "GPU:1": {}}, "NVIDIA H100, GPU:1")],
)
def test_a_run_is_recorded_with_the_cards_that_it_used(monkeypatch, cards, named):
    import tensorflow as tf

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [SimpleNamespace(name=card) for card in cards])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda card: cards[card.name])
    assert environment.describe()["graphics_cards"] == named
