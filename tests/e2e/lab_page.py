"""A page of Chromium that holds a lab alone, without Streamlit: what Streamlit would do is done here."""

import base64
from typing import Any

import numpy as np
from playwright.sync_api import Locator, Page

from pages.widgets import screen_image
from pages.widgets.kernel_lab import mount

STREAMLIT = """() => {
  window.told = {};
  const setStateValue = (key, value) => { told[key] = value; };
  window.more = { models: [], network: null };
  const give = (data) => {
    window.unmount = mountLab({ parentElement: document.body, data: { ...data, ...more }, setStateValue });
  };
  window.show = async (picture, settings) => {
    give({ picture, has: null, ready: false, settings });
    await new Promise((done) => { const wait = () => told.has === picture.id ? done() : setTimeout(wait, 5); wait(); });
    give({ picture: { ...picture, file: null }, has: picture.id, ready: true, settings });
  };
  window.run = (picture, settings) => give({ picture, has: picture.id, ready: true, settings });
  window.frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""

SETTINGS = {
    "tables": [[-1, 0, 1, -2, 0, 2, -1, 0, 1]], "side": 3, "stride": 1, "padding": "valid", "bias": 0, "relu": False,
    "channel": "gray", "view": "zero", "row": None, "column": None, "origin": None,
}  # fmt: skip


def open_lab(page: Page, name: str) -> None:
    """Load a lab's three texts into an empty page."""
    page.mouse.move(0, 0)  # a lab that appears under the pointer answers it
    if page.url == "about:blank":  # nothing is left of the lab that was there before
        page.goto("about:blank")
    markup = (mount.FOLDER / f"{name}.html").read_text("utf-8")
    page.set_content(f"<style>{mount.style(name)}</style>{markup}")
    page.add_script_tag(content=mount.script(name).replace("export default", "window.mountLab ="))
    page.evaluate(STREAMLIT)


def show(page: Page, image: np.ndarray, settings: dict[str, Any]) -> None:
    """Give the lab a picture and its settings, and wait until it has drawn them."""
    picture = {"id": f"{hash(image.tobytes()):x}", "title": "A picture", "file": screen_image.exact(image)}
    page.evaluate(
        "async ([picture, settings]) => { await show(picture, settings); await frame(); }", [picture, settings]
    )


def cell(lab: Page, row: int, column: int) -> Locator:
    """Return the input of a number of the kernel; row and column from 1."""
    return lab.get_by_label(f"Kernel row {row} column {column}", exact=True)


def told(lab: Page) -> dict[str, Any]:
    """Return what Python hears once the hand rests."""
    lab.wait_for_function("() => told.bench")
    return lab.evaluate("() => { const bench = told.bench; delete told.bench; return bench; }")


SHOWN = """({ values, shape }) => {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength), parts = [];
  for (let at = 0; at < bytes.length; at += 32768) parts.push(String.fromCharCode(...bytes.subarray(at, at + 32768)));
  return [shape, btoa(parts.join(""))];
}"""
"""A canvas's shape and values. As text of base64 they come ten times as fast as in JSON."""


def decoded(shown: Any) -> np.ndarray:
    """Return what `SHOWN` gave, float32 of its shape."""
    shape, text = shown
    return np.frombuffer(base64.b64decode(text), np.float32).reshape(shape)


def values(page: Page, role: str) -> np.ndarray:
    """Return what a canvas of the lab shows, float32 of its shape."""
    page.wait_for_function("(role) => document.querySelector(`[data-role=${role}]`)?.values", arg=role)  # it is painted
    return decoded(page.evaluate(f"(role) => ({SHOWN})(document.querySelector(`[data-role=${{role}}]`))", role))
