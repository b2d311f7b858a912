"""The verdicts on all dropped photos, as a table and as a CSV file."""

import base64
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from cnn_core import CnnLabError
from cnn_core.figures.colors import CAT, DOG
from cnn_core.host import limits
from cnn_core.models import open_model
from cnn_core.pixels import fit
from cnn_core.wording import plain
from pages.widgets import picture, verdict
from pages.widgets.classify import photos
from pages.widgets.classify.photos import Photo
from pages.widgets.screen_image import jpeg
from pages.widgets.why.case import Case

BATCH = 16
"""Photos between two steps of the progress bar."""

_ROWS, _TABLE = "photo_rows", "photo_table"


def show(case: Case) -> None:
    """Name the photos that cannot be read; draw the table of the others, and the buttons to remove them."""
    dropped = photos.kept()
    rows = _classify_all(case, dropped)
    for row in rows:
        if row["error"]:
            st.error(plain(f"{row['file']}: {row['error']}"))
    readable = [(photo, row) for photo, row in zip(dropped, rows, strict=True) if not row["error"]]
    if len(readable) > 1:
        st.header(f"Your {len(readable)} photos", anchor=False)
        _table([photo for photo, _ in readable], [row for _, row in readable])
    with st.container(horizontal=True, key="photo_buttons"):
        _buttons(dropped, [photo for photo, _ in readable])
        if len(rows) > 1:
            st.download_button(
                "Download the verdicts (CSV)", verdict.csv_of(rows), "verdicts.csv", "text/csv",
                icon=":material/download:", on_click="ignore",
            )  # fmt: skip


def _table(dropped: list[Photo], rows: list[dict[str, Any]]) -> None:
    shown = photos.shown()
    # The row of the picture on screen is marked, and no cell: so a click on any cell is a new choice.
    marked = [place for place, photo in enumerate(dropped) if photo.id == shown]
    key = f"{_TABLE}_{hash(tuple(photo.id for photo in dropped))}"  # a choice in another list of photos is none in this
    if marked:
        st.session_state[key] = {"selection": {"rows": marked, "columns": [], "cells": []}}
    else:
        key += "_unmarked"  # a new table: one whose selection was emptied from here would miss the next click
    # The bars carry no number: Streamlit would round 0.99996 to 100 %.
    bar = partial(st.column_config.ProgressColumn, format=" ", min_value=0, max_value=1, width="small")
    st.dataframe(
        [{column: row[column] for column in ("photo", "verdict", "cat", "dog", "file")} for row in rows],
        column_config={
            "photo": st.column_config.ImageColumn("Photo", width="small"),
            "verdict": st.column_config.TextColumn("Verdict"),
            "cat": bar("Cat", color=CAT),
            "dog": bar("Dog", color=DOG),
            "file": st.column_config.TextColumn("File"),
        },
        row_height=56, hide_index=True, key=key, on_select=lambda: _show_chosen(key, dropped, marked),
        selection_mode=["single-row", "single-cell"],
        alt="A row for each photo: its verdict and the probabilities of cat and dog",
    )  # fmt: skip
    st.caption("Click a row to see its photo and the explanation below.")


def _show_chosen(key: str, dropped: list[Photo], marked: list[int]) -> None:
    """Take a click on the table, but not what an older state of the browser says.

    Every click sends the state of all controls. If the browser has not drawn yet what is marked now, that state is the
    choice before. A click on the table runs this part of the page, one on another picture the whole page.
    """
    if not picture.a_part_runs():
        return
    selection = st.session_state[key]["selection"]
    chosen = [row for row, _ in selection["cells"]] or [row for row in selection["rows"] if row not in marked]
    if chosen:
        photos.show(dropped[chosen[0]])


def _buttons(dropped: list[Photo], readable: list[Photo]) -> None:
    on_screen = [photo for photo in dropped if photo.id == photos.shown()]
    if len(readable) == 1 and not on_screen:
        name = readable[0].name
        st.button(f"Show {plain(name)}", icon=":material/image:", on_click=photos.show, args=(readable[0],))
    if on_screen:
        st.button("Remove this photo", icon=":material/close:", on_click=photos.remove, args=(on_screen,))
    if len(dropped) > 1 or (dropped and not on_screen):
        st.button("Remove all photos", icon=":material/delete:", on_click=photos.remove, args=(dropped,))


def _classify_all(case: Case, dropped: list[Photo]) -> list[dict[str, Any]]:
    """Return a row for each photo. Rows are kept in the session, so each photo is classified once per model."""
    old = st.session_state.get(_ROWS, {})
    keys = [(case.card.name, case.stamp, photo.id) for photo in dropped]
    rows = {key: old[key] for key in keys if key in old}
    todo = [(key, photo) for key, photo in zip(keys, dropped, strict=True) if key not in rows]
    bar = st.progress(0.0, "Classifying your photos…") if len(todo) > 1 else None
    for start in range(0, len(todo), BATCH):
        rows |= _classify(case, todo[start : start + BATCH])
        st.session_state[_ROWS] = rows
        if bar:
            done = min(start + BATCH, len(todo))
            bar.progress(done / len(todo), f"Classifying your photos… {done} of {len(todo)}")
    if bar:
        bar.empty()
    st.session_state[_ROWS] = rows
    return [rows[key] for key in keys]


def _classify(case: Case, todo: list[tuple[Any, Photo]]) -> dict[Any, dict[str, Any]]:
    rows: dict[Any, dict[str, Any]] = {}
    images = {}
    for key, photo in todo:
        rows[key] = {"file": photo.name, "error": ""}
        try:
            images[key] = photos.pixels(photo)
        except CnnLabError as error:
            rows[key]["error"] = str(error)
    answers = {key: case.prediction for key, image in images.items() if image is case.image}
    if others := [key for key in images if key not in answers]:
        limits.spend()
        found = open_model(case.card.name).predictions([images[key] for key in others])
        answers |= dict(zip(others, found, strict=True))
    for key, prediction in answers.items():
        rows[key] |= {
            "verdict": prediction.sentence, "label": prediction.label, "probability": prediction.probability,
            **prediction.probabilities, "model": prediction.model, "photo": _thumbnail(images[key]),
        }  # fmt: skip
    return rows


def _thumbnail(image: np.ndarray) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg(fit(image, 112), quality=80)).decode()
