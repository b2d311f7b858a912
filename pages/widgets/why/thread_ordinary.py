"""One stop of a thread in ordinary widgets, for browsers that refuse the lab."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from cnn_core.figures.colors import zero_centered
from cnn_core.pixels import mark
from cnn_core.wording import plain
from pages.widgets import number_grid, screen_image
from pages.widgets.tied import tied

if TYPE_CHECKING:
    from cnn_core.thread import Knot

_LARGE = 384
"""The side of a map on screen, in pixels."""

Go = Callable[[list[dict[str, Any]]], None]


def show(knot: Knot, drawing: dict[str, Any], go: Go) -> None:
    """Draw the stop. `go` takes the path that is chosen next."""
    path = drawing["path"]
    with st.container(horizontal=True):
        for at, crumb in enumerate(drawing["crumbs"]):
            st.button(
                plain(crumb),
                key=f"thread_crumb_{at}",
                disabled=at == len(path) - 1,
                on_click=go,
                args=(path[: at + 1],),
            )
    st.markdown(f"#### {plain(drawing['title'])}")
    _choose(drawing, lambda at: go([*path[:-1], {"layer": path[-1]["layer"], "at": at}]))
    st.markdown("\n\n".join(map(plain, (drawing["total"], f"{drawing['added']} {drawing['rest']}"))))
    if knot.output_map is not None:
        _map(knot.output_map, knot.sum.place.at[0], knot.sum.place.at[1], 1, "The map of this number; a frame marks it")
    st.dataframe(
        [{"input": bar["name"], "sum": bar["sum"]} for bar in drawing["bars"]],
        column_config={"input": "Input", "sum": st.column_config.NumberColumn("Partial sum", format="%.5g")},
        hide_index=True, height=min(36 * len(drawing["bars"]) + 40, 220), key="thread_bars",
        alt="The partial sums, the largest first",
    )  # fmt: skip
    _part(knot, drawing, lambda **choice: go([*path[:-1], {**path[-1], **choice}]))
    _way(knot, drawing, lambda stop: go([*path, stop]))


def _choose(drawing: dict[str, Any], change: Callable[[list[int]], None]) -> None:
    """Ask for the place of the number: rows and columns from 0, maps and plain numbers from 1."""
    shape, at = drawing["shape"], drawing["at"]
    names = ["Row", "Column", "Map"] if len(shape) == 3 else ["Number"]
    for axis, (name, side, place) in enumerate(zip(names, shape, st.columns(len(names)), strict=True)):
        first = int(axis == len(names) - 1)

        def taken(value: int, axis: int = axis, first: int = first) -> None:
            change([*at[:axis], value - first, *at[axis + 1 :]])

        with place:
            st.number_input(
                f"{name} ({first} to {side - 1 + first:,})", first, side - 1 + first, step=1,
                **tied({"key": f"thread_at_{axis}"}, at[axis] + first, taken),
            )  # fmt: skip


def _part(knot: Knot, drawing: dict[str, Any], choose: Callable[..., None]) -> None:
    one, part = knot.sum, drawing["part"]
    row, column, which = knot.way.cell
    sums = {bar["which"]: bar["name"] for bar in drawing["bars"]} | {which: one.name(which)}
    st.selectbox(
        "Partial sum to look into", list(sums), format_func=sums.__getitem__,
        **tied({"key": "thread_which"}, which, lambda which: choose(which=which, cell=None)),
    )  # fmt: skip
    st.markdown(f"**{plain(part['title'])}**")
    if part["tables"]:
        if part["pixels"] is not None:
            st.caption("The photo's own numbers in this window, 0 to 255: " + "; ".join(
                ", ".join(map(str, line)) for line in part["pixels"]
            ))  # fmt: skip
        products = one.products[..., which].astype(np.float32)
        st.html(number_grid.multiplied(one.window[..., which], one.kernel[..., which], products, one.inside))
    st.markdown(plain(part["line"]))
    cells = {tuple(cell["cell"]): cell["text"] for cell in part["cells"]}
    cells.setdefault((row, column), f"row {row}, column {column} of the window")
    st.selectbox(
        "Product to follow", list(cells), format_func=cells.__getitem__,
        **tied({"key": "thread_cell"}, (row, column), lambda cell: choose(cell=cell)),
    )  # fmt: skip


def _way(knot: Knot, drawing: dict[str, Any], go: Callable[[dict[str, Any]], None]) -> None:
    way = drawing["way"]
    st.markdown(f"#### {plain(way['title'])}")
    if knot.way.source_map is not None:
        top, left, height, _ = way["frame"]
        _map(knot.way.source_map, top, left, height, f"{way['source_name']}; a frame marks the {way['framed']}")
    st.markdown("\n".join(f"1. {plain(line)}" for line in [way["begins"], *way["says"]]))
    if way["pixel"]:
        st.markdown(plain(way["ends"]))
        pixel, photo = way["pixel"], screen_image.enlarged(knot.photo, _LARGE)
        st.image(
            mark(photo, pixel["row"], pixel["column"], 1, knot.photo.shape[0]),
            width=_LARGE, alt="The photo as the network receives it; a frame marks the pixel",
        )  # fmt: skip
    if way["go"]:
        st.button(
            plain(way["go"]["text"]), icon=":material/arrow_downward:", key="thread_go", on_click=go,
            args=({"layer": way["go"]["layer"], "at": way["go"]["at"]},),
        )  # fmt: skip


def _map(values: np.ndarray, top: int, left: int, size: int, alt: str) -> None:
    colors, _ = zero_centered(values, float(np.abs(values).max()) or 1.0)
    st.image(mark(screen_image.enlarged(colors, _LARGE), top, left, size, values.shape[0]), width=_LARGE, alt=alt)
