"""What a control with a place in the address can be: a number, a choice, a switch, a text."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pages.widgets import in_vain


@dataclass(frozen=True)
class Control:
    """What every control has."""

    name: str
    """Its name in the address, and the widget's key."""

    @property
    def kept(self) -> dict[str, Any]:
        """Arguments that tie a widget to the address."""
        return {"key": self.name, "bind": "query-params", "on_change": in_vain.forget}

    def read(self, text: str) -> Any:
        """Return the value that a text of the address stands for.

        Raises
        ------
        ValueError
            When the control does not offer it.
        """
        return text

    def write(self, value: Any) -> str:
        """Return the text that stands for a value in the address."""
        return str(value)


@dataclass(frozen=True)
class Number(Control):
    """A number between two ends, for ``st.slider`` and ``st.number_input``."""

    low: float | None
    high: float | None
    default: float | None
    step: float | None = None

    @property
    def bound(self) -> dict[str, Any]:
        """The widget's arguments."""
        return {
            "min_value": self.low, "max_value": self.high, "value": self.default, "step": self.step, **self.kept,
        }  # fmt: skip

    def read(self, text: str) -> float:
        """Return the number, a whole one where the control knows no others."""
        value = float(text)
        whole = isinstance(self.default, int) or (self.default is None and self.step is None)
        if not math.isfinite(value) or (whole and not value.is_integer()):
            raise ValueError(f"{self.name} cannot have this value: {text}")
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            raise ValueError(f"{self.name} is out of range: {text}")
        return int(value) if whole else value

    def write(self, value: Any) -> str:
        """Write the number with as many digits as float32 needs."""
        return f"{value:.9g}"

    def up_to(self, high: int) -> Number:
        """Return the same control where something else decides on the upper end."""
        return replace(self, high=high, default=None if self.default is None else min(self.default, high))


@dataclass(frozen=True)
class Choice(Control):
    """One of several values. `options` maps each to its label, or lists values that are their own labels."""

    options: Sequence[Any] | Mapping[Any, str]
    default: Any
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Labels of older links → labels of today."""

    @property
    def buttons(self) -> dict[str, Any]:
        """Arguments of ``st.segmented_control`` and ``st.pills``."""
        return {"options": list(self.options), "default": self.default, "required": True, **self._labels, **self.kept}

    @property
    def menu(self) -> dict[str, Any]:
        """Arguments of ``st.selectbox`` and ``st.radio``."""
        values = list(self.options)
        return {"options": values, "index": values.index(self.default), **self._labels, **self.kept}

    @property
    def steps(self) -> dict[str, Any]:
        """Arguments of ``st.select_slider``."""
        return {"options": list(self.options), "value": self.default, **self._labels, **self.kept}

    def only(self, *values: Any) -> Choice:
        """Return the same control where only some of the values are offered, the default among them."""
        return replace(self, options={value: self.label(value) for value in values})

    @property
    def labels(self) -> list[str]:
        """What the address may say."""
        return list(self.options.values()) if isinstance(self.options, Mapping) else [str(v) for v in self.options]

    def read(self, text: str) -> Any:
        """Return the value whose label this is."""
        return list(self.options)[self.labels.index(self.renamed.get(text, text))]

    def write(self, value: Any) -> str:
        """Return the label of a value."""
        return self.label(value)

    def label(self, value: Any) -> str:
        """Return what the screen and the address call a value."""
        return self.options[value] if isinstance(self.options, Mapping) else str(value)

    @property
    def _labels(self) -> dict[str, Callable[[Any], str]]:
        return {"format_func": self.options.__getitem__} if isinstance(self.options, Mapping) else {}


@dataclass(frozen=True)
class Switch(Control):
    """On or off, for ``st.toggle``."""

    default: bool = False

    def read(self, text: str) -> bool:
        """Return what Streamlit writes as "true" and "false"."""
        return {"true": True, "false": False}[text.lower()]

    def write(self, value: Any) -> str:
        """Return "true" or "false"."""
        return str(bool(value)).lower()

    @property
    def bound(self) -> dict[str, Any]:
        """The widget's arguments."""
        return {"value": self.default, **self.kept}


@dataclass(frozen=True)
class Text(Control):
    """Free text: a kernel's numbers, a path, the name of a model. The page that reads it checks it."""
