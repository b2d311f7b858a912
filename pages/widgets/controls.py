"""Every control whose state is in the address: its name there, its range and its default. One row a control.

A name is the widget's key as well, so no two controls may share one. A page hands a row to its widget::

    st.slider("Stride", **controls.STRIDE.bound)
    st.selectbox("Padding", **controls.PADDING.menu)

Streamlit writes the label of a choice into the address, not its value, when the two differ (``?data=Drawn+pets``).
`Choice.renamed` keeps the links of older versions working where a label has changed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import streamlit as st

from cnn_core.engine.config import TrainingConfig
from cnn_core.kernels import KERNELS
from cnn_core.pixels import CHANNELS
from cnn_core.source import DRAWN
from pages.widgets import in_vain
from pages.widgets.control_types import Choice as Choice
from pages.widgets.control_types import Control as Control
from pages.widgets.control_types import Number as Number
from pages.widgets.control_types import Switch as Switch
from pages.widgets.control_types import Text as Text


def read_old_links() -> None:
    """Replace labels of older versions in the address by today's. `streamlit_app` calls this before the page runs."""
    old = False
    for name, text in st.query_params.to_dict().items():
        control = CONTROLS.get(name)
        if isinstance(control, Choice) and (today := control.renamed.get(text)):
            st.query_params[name] = today
            old = True
    if old:
        st.rerun()  # as in `warn`


def warn(*asked: Control) -> None:
    """Say what the address asks of these controls and none of them offers. Call it before they are drawn.

    Streamlit passes over most of such values without a word, and takes them out of the address once the control is
    drawn. Those that it would take, or break off on, are taken out here.
    """
    place = " ".join(["asked", *(control.name for control in asked)])  # alone, a name is a widget's key
    texts = [(control, st.query_params.get(control.name)) for control in asked]
    unknown = {control.name: text for control, text in texts if text is not None and not _offers(control, text)}
    if unknown.items() - st.session_state.get(place, {}).items():  # it stays there for a control that is not drawn
        in_vain.say_unknown(place, unknown)
    st.session_state[place] = unknown
    misread = [name for name, text in unknown.items() if _misread(CONTROLS[name], text)]
    for name in misread:
        del st.query_params[name]
    if misread:
        st.rerun()  # a control looks for its choice in the address that this run began with
    in_vain.show(place)


def _misread(control: Control, text: str) -> bool:
    """Tell whether Streamlit would break off, on an infinite number, cut off a fraction, or leave a choice empty."""
    if isinstance(control, Choice):
        return text == ""
    try:
        value = float(text)
    except ValueError:
        return False
    return not math.isfinite(value) or not value.is_integer()


def _offers(control: Control, text: str) -> bool:
    try:
        control.read(text)
    except (ValueError, KeyError):
        return False
    return True


# All pages
PICTURE = Choice("picture", ("chelsea", "cat", "dog", "coffee", "astronaut"), "chelsea")
MODEL = Text("model")

# Cat or dog?
WHY = Choice("why", ("Where it looks", "What if?", "Layer by layer", "Two models"), "Where it looks")
WHAT_IF = Choice("what_if", {"square": "Cover a part of the photo", "kernel": "Edit a kernel"}, "square")
SQUARE_SIZE = Number("blank_size", 5, 100, 35, 5)
SQUARE_RIGHT = Number("blank_right", 0, 100, 50)
SQUARE_DOWN = Number("blank_down", 0, 100, 50)
LAYER = Text("walk_layer")
THREAD = Text("thread")
"""The numbers that were followed: ``conv_2:30,17,11@4,0,2/conv_1:61,35,4``; `pages.widgets.why.thread` reads it."""

# 1 Pixels
REGION_ROW = Number("region_row", 0, None, None)
REGION_COLUMN = Number("region_column", 0, None, None)
REGION_SIZE = Number("region_size", 3, 10, 8)
REGION_NUMBERS = Choice(
    "region_numbers", {"all": "All three", **{name: name.capitalize() for name in CHANNELS}, "gray": "Gray"}, "all"
)
PIXEL_ROW = Number("pixel_row", 0, None, None)
PIXEL_COLUMN = Number("pixel_column", 0, None, None)
THRESHOLD = Number("threshold", 0, 256, 128)

# 2 Convolution
KERNEL = Text("kernel")
"""A preset's name, or the numbers of its 3×3, 5×5 or 7×7 cells, row by row; three tables one after the other."""
STRIDE = Number("conv_stride", 1, 4, 1)
PADDING = Choice("conv_padding", ("valid", "same"), "valid")
BIAS = Number("conv_bias", None, None, 0.0, 1.0)
RELU = Switch("conv_relu")
CHANNEL = Choice(
    "conv_channel",
    {
        "gray": "Gray",
        **{name: name.capitalize() for name in CHANNELS},
        "each": "Each by itself",
        "all": "All three",
    },
    "gray",
)
VIEW = Choice(
    "conv_view",
    {"zero": "Zero in the middle", "photo": "Clipped to 0–255, as a photo", "absolute": "Absolute value"},
    "zero",
)
KERNEL_OF = Text("kernel_of")
"""The network that the kernel was taken from, and its number there, from 0: ``article:12``."""
STEP_ROW = Number("conv_row", 0, None, None)
STEP_COLUMN = Number("conv_column", 0, None, None)

# 3 Pooling
POOL_KIND = Choice("pool_kind", {"max": "Max", "average": "Average"}, "max")
POOL_SIZE = Number("pool_size", 1, 8, 2)
POOL_STRIDE = Number("pool_stride", 1, 8, 2)
POOL_PADDING = Choice("pool_padding", ("valid", "same"), "valid")
POOL_KERNEL = Choice(
    "pool_kernel",
    {None: "None: the gray picture", **{name: kernel.title for name, kernel in KERNELS.items()}},
    "sobel_x",
    renamed={
        "Laplacian, four neighbours": "Laplacian, four neighbors",
        "Line, level": "Line, horizontal",
        "Line, upright": "Line, vertical",
    },
)
GRID_SIDE = Number("grid_side", 4, 12, 8)
GRID_WINDOW = Number("grid_window", 0, None, 0)

CHAIN = Text("chain")
"""All stages: ``conv/relu/pool:max,2,2,valid/conv:0,1,0,1,-4,1,0,1,0``; `pages.widgets.pooling.stages` reads it."""
CHAIN_PLACE = Text("chain_place")
"""The value of the chain that is looked at: number of its map (0 is the picture), row, column."""

# 4 Network
FILTERS = (4, 8, 16, 32, 64, 128, 256)
KERNEL_SIZES = {side: f"{side}×{side}" for side in (1, 3, 5, 7, 9)}
POOLS = {1: "none", 2: "2×2", 3: "3×3", 4: "4×4"}
MAX_BLOCKS = 8
INPUT_SIZE = Choice("size", (16, 28, 32, 48, 64, 96, 128, 160, 192, 224, 256), 128)
BLOCKS = Number("blocks", 0, MAX_BLOCKS, 2)
DENSE_UNITS = Choice("dense", (0, 8, 16, 32, 64, 128, 256, 512), 64)
BLOCK_FILTERS = [Choice(f"filters_{number}", FILTERS, 64) for number in range(1, MAX_BLOCKS + 1)]
BLOCK_KERNEL = [Choice(f"kernel_{number}", KERNEL_SIZES, 3) for number in range(1, MAX_BLOCKS + 1)]
BLOCK_PADDING = [Choice(f"padding_{number}", ("valid", "same"), "valid") for number in range(1, MAX_BLOCKS + 1)]
BLOCK_POOL = [Choice(f"pool_{number}", POOLS, 2) for number in range(1, MAX_BLOCKS + 1)]
DEPTH_SIZE = Number("depth_size", 4, 512, 128)
DEPTH_KERNEL = Choice("depth_kernel", KERNEL_SIZES, 3)
DEPTH_POOL = Choice("depth_pool", POOLS, 2)
DEPTH_PADDING = Choice("depth_padding", ("valid", "same"), "valid")
COMPARED_MAPS = Choice("compare_maps", FILTERS, 64)
KERNELS_SEED = Number("kernels_seed", 0, 9999, 42)

# 5 Train and 6 Evaluate
DATA = Choice(
    "data",
    {
        DRAWN: "Drawn pets",
        "microsoft": "Microsoft's photos",
        "upload": "Upload a zip",
        "kept": "Datasets folder",
        "path": "Folder on the server",
    },
    DRAWN,
    renamed={"Folder or zip here": "Folder on the server"},
)
DATA_PATH = Text("data_path")
DATASET = Text("dataset")
"""A zip or folder in `cnn_core.data_files.kept.folder`, by its name."""

RUN = Text("run")
REPLAY = Switch("replay")
CURVE_AXES = {"epoch": "Epochs", "step": "Steps"}
CURVE_AXIS = Choice("curve_axis", CURVE_AXES, "epoch")
SMOOTHING = Number("smoothing", 0.0, 0.99, 0.6, 0.01)
COMPARED_AXIS = Choice("compare_axis", CURVE_AXES, "epoch")
COMPARED_SMOOTHING = Number("compare_smoothing", 0.0, 0.99, 0.0, 0.01)
TEST_PERCENT = Number("test_percent", 10, 50, 25, 5)
AUGMENT = Choice(
    "augment",
    {"none": "None", "light": "Light", "article": "Article", "strong": "Strong"},
    TrainingConfig.augment,
    renamed={"true": "Article", "false": "None"},
)
SCHEDULE = Choice(
    "schedule",
    {"constant": "Constant", "cosine": "Cosine", "warmup_cosine": "Warm-up, then cosine"},
    TrainingConfig.schedule,
)
CLASS_WEIGHTS = Switch("class_weights", TrainingConfig.class_weights)
EPOCHS = Number("epochs", 1, 1000, TrainingConfig.epochs)
BATCH_SIZE = Number("batch_size", 1, 1024, TrainingConfig.batch_size)
LEARNING_RATE = Number("learning_rate", 1e-6, 1.0, TrainingConfig.learning_rate, 1e-4)
MEASURED = Choice("pictures", {100: "100", 400: "400", 2000: "2,000", None: "All"}, 400)
SUBSET = Choice("subset", {"test": "Test set", "all": "All pictures"}, "test")
DOG_ABOVE = Number("dog_above", 0, 100, 50)
CELL = Choice(
    "cell",
    {
        "cat as cat": "Cats recognized",
        "cat as dog": "Cats classified as dogs",
        "dog as cat": "Dogs classified as cats",
        "dog as dog": "Dogs recognized",
    },
    "cat as dog",
    renamed={
        "Cats recognised": "Cats recognized",
        "Dogs recognised": "Dogs recognized",
        "Cats taken for dogs": "Cats classified as dogs",
        "Dogs taken for cats": "Dogs classified as cats",
    },
)


def table(values: Mapping[str, Any]) -> dict[str, Control]:
    """Collect the controls among some values, by name.

    Raises
    ------
    ValueError
        When two have the same name: moving one would move the other.
    """
    found: dict[str, Control] = {}
    for value in values.values():
        for control in value if isinstance(value, list) else [value]:
            if isinstance(control, Control):
                if control.name in found:
                    raise ValueError(f"Two controls are called {control.name}.")
                found[control.name] = control
    return found


CONTROLS = table(dict(globals()))
"""All of them, by their name in the address."""
