"""Numbers and arrays as Python code."""

import numpy as np
from numpy.typing import NDArray


def nested(values: NDArray[np.float64]) -> str:
    """Write an array as nested lists.

    Examples
    --------
    >>> nested(np.array([[1, -0.5]]))
    '[[1, -0.5]]'
    """
    if values.ndim == 0:
        return number(float(values))
    return "[" + ", ".join(nested(part) for part in values) + "]"


def number(value: float) -> str:
    """Write a number with the fewest digits that still give the same float32.

    Examples
    --------
    >>> number(1 / 9), number(-2.0)
    ('0.11111111', '-2')
    """
    return np.format_float_positional(np.float32(value), trim="-")
