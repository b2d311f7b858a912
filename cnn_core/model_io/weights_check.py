"""Check the weights in a ``.keras`` file before Keras reads them: an HDF5 file, which may claim much."""

from __future__ import annotations

import io
import math
from typing import Any

from cnn_core.model_io import ModelError


def check(data: bytes, most: int) -> None:
    """Refuse weights that are elsewhere, are no numbers, or declare far larger arrays than they store.

    Parameters
    ----------
    data : bytes
        The HDF5 file.
    most : int
        The maximum size of all arrays, in bytes.

    Raises
    ------
    ModelError
    """
    import h5py

    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            _check_groups(file["/"], most)
    except ModelError:
        raise
    except Exception as error:  # h5py raises OSError, KeyError, RuntimeError, …
        raise ModelError(
            "The model's weights are damaged and cannot be read. Save or upload the model again."
        ) from error


def _check_groups(root: Any, most: int) -> None:
    import h5py

    declared, todo, seen = 0, [root], {_place(root)}
    while todo:
        group = todo.pop()
        for name in group:
            if type(group.get(name, getlink=True)) is not h5py.HardLink:
                raise ModelError("The model's weights point to another file. Save the model again.")
            item = group[name]
            if _place(item) in seen:  # a group may hold itself, and then never ends
                raise ModelError("The model's weights are stored under two names. Save the model again.")
            seen.add(_place(item))
            if isinstance(item, h5py.Group):
                todo.append(item)
                continue
            if item.external or item.is_virtual:
                raise ModelError("The model's weights are stored in another file. Save the model again.")
            declared += math.prod(item.shape or ()) * item.dtype.itemsize
            if declared > most:
                raise ModelError(f"The model is too large: at most {most:,} bytes of weights are accepted.")


def _place(item: Any) -> int:
    """Return where an object stands in its file."""
    import h5py

    place: int = h5py.h5o.get_info(item.id).addr
    return place
