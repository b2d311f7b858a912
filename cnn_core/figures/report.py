"""A report of one training run: a single HTML file that needs no network and keeps what the page Train shows.

Plotly's script is most of its 5 MB. The file forbids itself to load anything, so that it tells nobody who opens it.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from datetime import datetime
from html import escape
from typing import Any

import pandas as pd
from PIL import Image

from cnn_core import wording
from cnn_core.curves import best_epoch, has_not_learned, overfitting
from cnn_core.engine import environment
from cnn_core.engine.config import TrainingConfig
from cnn_core.figures.diagrams import kernel_images
from cnn_core.figures.training_curves import training_curve
from cnn_core.layers.first_kernels import KernelError, learned_kernels
from cnn_core.runs import Run

ENVIRONMENT = (
    "cnn_core", "python", "tensorflow", "keras", "numpy", "system", "processor", "cores", "graphics_cards",
    "fingerprint",
)  # fmt: skip
"""What of ``environment.json`` is shown."""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b2733;
 background: #fff; }}
h1 {{ overflow-wrap: anywhere; }}
table {{ border-collapse: collapse; }}
th, td {{ border-bottom: 1px solid #ccc; padding: .2rem 1rem .2rem 0; text-align: left; overflow-wrap: anywhere; }}
.numbers td, .numbers th {{ text-align: right; font-variant-numeric: tabular-nums; }}
.scroll {{ overflow-x: auto; }}
figure {{ margin: 0; }}
img {{ max-width: 100%; image-rendering: pixelated; }}
</style>
</head>
<body>
<h1>{title}</h1>
{parts}
</body>
</html>
"""


def html(run: Run) -> str:
    """Write the report of a run: scores, curves, settings, first kernels, versions.

    Parameters
    ----------
    run : Run
        It may still be going on: the report then says how far it is.

    Returns
    -------
    str
        A whole HTML page. What comes from outside (paths, names, messages) is escaped.

    Raises
    ------
    RunError
        When the folder holds no settings that can be read.
    """
    config, history = run.config, run.history()
    parts = [
        _outcome(run, history),
        f"<h2>Curves</h2>{_curves(run, history)}" if len(history) else "",
        f"<h2>Epochs</h2>{_frame(history)}" if len(history) else "",
        f"<h2>Settings</h2>{_table(_settings(config))}",
        f"<h2>Network</h2>{_frame(config.network.table())}" if config.recipe == "article" else "",
        _kernels(run),
        _environment(run),
        f"<p>Written by CNN Lab on {datetime.now():%d %B %Y, %H:%M}.</p>",
    ]
    return _PAGE.format(title=f"CNN Lab: training run {escape(run.id)}", parts="\n".join(filter(None, parts)))


def _outcome(run: Run, history: pd.DataFrame) -> str:
    status, rows = run.status(), []
    for name, row in (("Last epoch", history.iloc[-1] if len(history) else None), ("Best epoch", best_epoch(history))):
        if row is not None:
            scores = f"{run.held_out} accuracy {wording.percent(row['val_accuracy'])}, loss {row['val_loss']:.3f}; "
            scores += f"training accuracy {wording.percent(row['accuracy'])}, loss {row['loss']:.3f}"
            rows.append((f"{name}, {row['epoch']:.0f}", scores))
    words = ""
    if has_not_learned(history):
        words = "The network has not learned: its training loss is that of a network that guesses."
    elif found := overfitting(history):
        words = f"The run has overfitted: its {run.held_out} loss was lowest after epoch {found.best_epoch}."
    state = [("State", f"{status.state}. {status.message}"), ("Time", wording.duration(status.seconds))]
    best = f"<p>The best epoch has the lowest {run.held_out} loss. {words}</p>" if rows else ""
    return f"<h2>Outcome</h2>{_table([*state, *rows])}{best}"


def _curves(run: Run, history: pd.DataFrame) -> str:
    best, steps, per_epoch = best_epoch(history), run.steps(), run.status().steps
    charts = []
    for number, quantity in enumerate(("accuracy", "loss")):
        figure = training_curve(
            history, quantity, steps, per_epoch, held_out=run.held_out, smoothing=0.6, height=360,
            best_epoch=None if best is None else int(best["epoch"]),
        )  # fmt: skip
        figure.update_layout(template="plotly_white", margin={"l": 70, "b": 50})  # elsewhere Streamlit makes the room
        script = number == 0  # once for both
        chart = figure.to_html(full_html=False, include_plotlyjs=script, config={"displaylogo": False})
        name = f"Line chart: {quantity} after each epoch, as in the table “Epochs”"
        charts.append(f'<figure role="img" aria-label="{name}">{chart}</figure>')
    return "".join(charts)


def _settings(config: TrainingConfig) -> Iterable[tuple[str, Any]]:
    for name, value in config.to_dict().items():
        if name not in ("network", *config.without_use):
            shown = config.source.shown if name == "data" else value
            yield name.replace("_", " "), "not set" if shown is None else shown


def _kernels(run: Run) -> str:
    try:
        kernels = learned_kernels(run.model_path)
    except (KernelError, OSError):
        return ""
    file = io.BytesIO()
    Image.fromarray(kernel_images(kernels)).save(file, "PNG")
    picture = base64.b64encode(file.getvalue()).decode()
    alt = f"The {kernels.shape[3]} kernels of the first layer, as small color pictures"
    return (
        f'<h2>First kernels</h2><p><img alt="{alt}" src="data:image/png;base64,{picture}"></p>'
        "<p>Each kernel's three channels are shown as colors: gray is 0, brighter is positive, darker is negative.</p>"
    )


def _environment(run: Run) -> str:
    """Return what the run was made with, as far as it is known: older versions wrote less, or nothing."""
    try:
        facts = environment.read(run.folder)
    except (OSError, ValueError):
        return ""
    known = [(name, facts[name]) for name in ENVIRONMENT if name in facts]
    return f"<h2>Made with</h2>{_table(known)}" if known else ""


def _frame(table: pd.DataFrame) -> str:
    return f'<div class="scroll">{table.to_html(index=False, border=0, classes="numbers")}</div>'


def _table(rows: Iterable[tuple[str, Any]]) -> str:
    cells = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(str(value))}</td></tr>' for name, value in rows
    )
    return f"<table>{cells}</table>"
