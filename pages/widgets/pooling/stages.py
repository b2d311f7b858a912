"""The chain of the Pooling page: its stages, kept in the session and in the address.

In the address a chain is ``conv/relu/pool:max,2,2,valid/conv:sobel_x``. A ``conv`` without numbers, at the front, has
the kernel that lies on the bench of the Convolution page.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from cnn_core import CnnLabError
from cnn_core.chain import Convolution, Pooling, ReLU, Stage
from cnn_core.convolution import MAX_WEIGHT, PADDINGS
from cnn_core.kernels import KERNELS
from pages.widgets import address, controls, in_vain
from pages.widgets.convolution import bench

FIRST = "conv/relu/pool:max,2,2,valid"
MAX_STAGES = 8
_CHAIN, _LOOKED = "chain_stages", "chain_looked"
_BENCH = "conv"
"""A convolution with the kernel of the bench."""


class ChainError(CnnLabError):
    """A chain that this page cannot show. The message says why."""


def current() -> list[Stage]:
    """Return the chain of this session."""
    return [_with_bench(part) for part in _text().split("/") if part]


def change(stages: Sequence[Stage]) -> None:
    """Take over another chain. The kernel of its first stage goes to the bench of the Convolution page."""
    if stages and isinstance(stages[0], Convolution):
        kernel = np.asarray(stages[0].kernel, np.float64)
        on_bench = bench.current()["kernel"]
        if not np.array_equal(kernel, on_bench[0]):
            bench.change(kernel=np.repeat(kernel[np.newaxis], len(on_bench), axis=0))
    texts = [_write(stage) for stage in stages]
    if stages and isinstance(stages[0], Convolution):
        texts[0] = _BENCH
    st.session_state[_CHAIN] = "/".join(texts)
    in_vain.forget()


def read_address() -> None:
    """Take over what a new address asks for, also in the words of older links. `warning` says what cannot be."""
    bench.read_kernel(bench.FIRST)
    if (asked := address.new(controls.CHAIN.name, FIRST)) is not None:
        try:
            parts = asked.split("/")
            if len(parts) > MAX_STAGES:
                raise ChainError(f"a chain has at most {MAX_STAGES} stages")
            for place, part in enumerate(filter(None, parts)):
                if part != _BENCH or place:
                    _read(part)
            st.session_state[_CHAIN] = asked
        except ChainError as error:
            in_vain.say(controls.CHAIN.name, f"The address asks for a chain that cannot be shown: {error}.")
    if (asked := address.new(controls.CHAIN_PLACE.name, "")) is not None:
        try:
            at, row, column = map(int, asked.split(","))
            st.session_state[_LOOKED] = _place({"at": at, "row": row, "column": column})
        except ValueError:
            st.session_state[_LOOKED] = None
            if asked:
                in_vain.say_unknown(controls.CHAIN_PLACE.name, {controls.CHAIN_PLACE.name: asked}, "above")
    _read_old_links()


def write_address() -> None:
    """Write chain and kernel into the address."""
    looked = st.session_state.get(_LOOKED) or {}
    address.write_together([
        *bench.kernel_choice(bench.FIRST),
        (controls.CHAIN.name, _text(), FIRST),
        (controls.CHAIN_PLACE.name, ",".join(map(str, looked.values())), ""),
    ])  # fmt: skip


def warning() -> str:
    """Return the sentences about an address that asks for what cannot be; gone after the next change."""
    return in_vain.said(controls.KERNEL.name, controls.CHAIN.name, controls.CHAIN_PLACE.name, controls.POOL_KIND.name)


def for_lab() -> dict[str, Any]:
    """Return the chain as the lab has it, and the value that the visitor looks at, once one was chosen."""
    return {"stages": [as_dictionary(stage) for stage in current()], "looked": st.session_state.get(_LOOKED)}


def from_lab(settings: Mapping[str, Any]) -> None:
    """Take over what the lab has sent. It comes from a browser, so nothing of it is trusted.

    Raises
    ------
    ChainError
        When it is no chain.
    """
    try:
        stages = [_of_dictionary(stage) for stage in settings["stages"]]
        looked = settings["looked"] and _place(settings["looked"])
    except (ValueError, LookupError, TypeError) as error:
        raise ChainError("The lab has sent no chain. Reload the page.") from error
    if len(stages) > MAX_STAGES:
        raise ChainError(f"A chain has at most {MAX_STAGES} stages. Remove one.")
    change(stages)
    st.session_state[_LOOKED] = looked


def with_first(kind: type[Stage], stage: Stage | None) -> None:
    """Put `stage` in the place of the chain's first stage of that kind; without it, take that stage out."""
    stages = current()
    place = next((at for at, old in enumerate(stages) if isinstance(old, kind)), None)
    if place is None:
        place = {Convolution: 0, ReLU: int(bool(stages) and isinstance(stages[0], Convolution))}.get(kind, len(stages))
        stages[place:place] = [stage] if stage else []
    else:
        stages[place : place + 1] = [stage] if stage else []
    change(stages)


def _text() -> str:
    return st.session_state.setdefault(_CHAIN, FIRST)


def _with_bench(part: str) -> Stage:
    return Convolution(bench.current()["kernel"][0]) if part == _BENCH else _read(part)


def _read(part: str) -> Stage:
    kind, _, rest = part.partition(":")
    try:
        if part == "relu":
            return ReLU()
        if kind == "pool":
            keep, size, stride, padding = rest.split(",")
            return _pooling(keep, int(size), int(stride), padding)
        if kind == "conv":
            numbers = KERNELS[rest].values.ravel().tolist() if rest in KERNELS else list(map(float, rest.split(",")))
            return _convolution(numbers, round(len(numbers) ** 0.5))
    except ValueError:
        pass
    raise ChainError(f"“{part[:60]}” is not a stage. Examples of stages: relu, pool:max,2,2,valid or conv:sobel_x")


def _write(stage: Stage) -> str:
    if isinstance(stage, ReLU):
        return "relu"
    if isinstance(stage, Pooling):
        return f"pool:{stage.kind},{stage.pool_size},{stage.strides},{stage.padding}"
    kernel = np.asarray(stage.kernel, np.float64)
    return f"conv:{bench.preset(kernel[np.newaxis]) or ','.join(f'{value:.9g}' for value in kernel.ravel())}"


def as_dictionary(stage: Stage) -> dict[str, Any]:
    """Return a stage as the lab has it."""
    if isinstance(stage, ReLU):
        return {"type": "relu"}
    if isinstance(stage, Pooling):
        return {"type": "pool", "kind": stage.kind, "size": stage.pool_size, "stride": stage.strides,
                "padding": stage.padding}  # fmt: skip
    kernel = np.asarray(stage.kernel, np.float64)
    return {"type": "conv", "table": np.nan_to_num(kernel).ravel().tolist(), "side": len(kernel)}


def _of_dictionary(stage: Mapping[str, Any]) -> Stage:
    if stage["type"] == "relu":
        return ReLU()
    if stage["type"] == "pool":
        return _pooling(stage["kind"], stage["size"], stage["stride"], stage["padding"])
    return _convolution(stage["table"], stage["side"])


def _place(place: Mapping[str, Any]) -> dict[str, int]:
    """Check a place: a map's number, row, column. What lies outside of its map, the lab moves to the edge."""
    checked = {name: address.checked(controls.STEP_ROW, place[name]) for name in ("at", "row", "column")}
    if checked["at"] > MAX_STAGES:
        raise ValueError(f"{checked}")
    return checked


def _pooling(kind: Any, size: Any, stride: Any, padding: Any) -> Pooling:
    if kind not in controls.POOL_KIND.options or padding not in PADDINGS:
        raise ValueError(f"{kind}, {padding}")
    pool_size, strides = address.checked(controls.POOL_SIZE, size), address.checked(controls.POOL_STRIDE, stride)
    return Pooling(kind, pool_size, strides, padding)


def _convolution(numbers: Sequence[Any], side: Any) -> Convolution:
    kernel = np.array(numbers, np.float64)
    if side not in bench.SIDES or kernel.size != side**2 or not (np.abs(kernel) <= MAX_WEIGHT).all():
        raise ValueError(f"{kernel.shape}, {side}")
    return Convolution(kernel.reshape(side, side))


def _read_old_links() -> None:
    """Take over what links of older versions name: one kernel, and the options of one pooling."""
    options = {"kind": controls.POOL_KIND, "pool_size": controls.POOL_SIZE, "strides": controls.POOL_STRIDE,
               "padding": controls.POOL_PADDING}  # fmt: skip
    asked, unknown = {}, {}
    for name, control in {**options, "kernel": controls.POOL_KERNEL}.items():
        if (text := st.query_params.pop(control.name, None)) is not None:
            try:
                asked[name] = control.read(text)
            except (ValueError, LookupError):
                unknown[control.name] = text
    if "kernel" in asked:
        name = asked.pop("kernel")
        with_first(Convolution, None if name is None else Convolution(KERNELS[name].values))
    if asked:
        first = next((stage for stage in current() if isinstance(stage, Pooling)), Pooling())
        with_first(Pooling, Pooling(**{**vars(first), **asked}))
    if unknown:
        in_vain.say_unknown(controls.POOL_KIND.name, unknown, "above")
