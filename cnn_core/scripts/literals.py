"""Numbers, arrays and texts as Python code."""

import json

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
    """Write a number with the fewest digits that still give the same float32; too large for one, the same float64.

    Examples
    --------
    >>> number(1 / 9), number(-2.0), number(1e300)
    ('0.11111111', '-2', '1e+300')
    """
    if float(np.finfo(np.float32).max) < abs(value) < np.inf:
        return repr(float(value))
    return np.format_float_positional(np.float32(value), trim="-")


def quoted(text: object) -> str:
    """Write a text, such as a path, in quotation marks; what cannot be seen or changes the order of letters as escapes.

    Examples
    --------
    >>> quoted('a "dog"'), quoted("cat\\u202egpj")
    ('"a \\\\"dog\\\\""', '"cat\\\\u202egpj"')
    """
    literal = json.dumps(str(text), ensure_ascii=False)
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in literal
    )
