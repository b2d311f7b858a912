"""The kernels of a network's first convolution: random before training, learned after it."""

import io
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnn_core import CnnLabError
from cnn_core.storage.archives import DAMAGED


class KernelError(CnnLabError):
    """A model's kernels cannot be read."""


def random_kernels(filters: int = 64, size: int = 3, channels: int = 3, seed: int = 42) -> NDArray[np.float32]:
    """Draw random kernels as Keras does before training.

    Parameters
    ----------
    filters, size, channels : int
        How many, their side in pixels, and the channels of the image they slide over.
    seed : int

    Returns
    -------
    ndarray of float32, shape (size, size, channels, filters)

    References
    ----------
    X. Glorot and Y. Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010, eq. 16:
    uniform within ±sqrt(6 / (inputs + outputs)).

    Examples
    --------
    >>> kernels = random_kernels(64)
    >>> kernels.shape, bool(abs(kernels).max() <= (6 / (27 + 576)) ** 0.5)
    ((3, 3, 3, 64), True)
    """
    limit = (6 / (size * size * (channels + filters))) ** 0.5
    shape = (size, size, channels, filters)
    return np.random.default_rng(seed).uniform(-limit, limit, shape).astype(np.float32)


def neighbor_similarity(kernels: NDArray[np.floating]) -> NDArray[np.float64]:
    """Measure how alike neighboring weights are: much in a kernel that shows an edge or a spot, little in noise.

    Parameters
    ----------
    kernels : ndarray of float, shape (height, width, channels, filters)

    Returns
    -------
    ndarray of float, shape (filters,)
        1 where all weights of a channel are the same, about 0 in noise, -1 in a checkerboard.

    References
    ----------
    P. A. P. Moran, Notes on continuous stochastic phenomena, 1950, with 0 instead of the mean.

    Examples
    --------
    >>> neighbor_similarity(np.ones((3, 3, 3, 2)))
    array([1., 1.])
    """
    axes = (0, 1, 2)
    pairs = (kernels[1:] * kernels[:-1]).sum(axes) + (kernels[:, 1:] * kernels[:, :-1]).sum(axes)
    count = kernels[1:, :, :, 0].size + kernels[:, 1:, :, 0].size
    squares = (kernels**2).mean(axes)
    similarity = np.zeros(kernels.shape[3])
    np.divide(pairs, count * squares, out=similarity, where=(squares > 0) & (count > 0))
    return similarity


def learned_kernels(path: Path) -> NDArray[np.float32]:
    """Read the first convolution's kernels out of a ``.keras`` file, without TensorFlow.

    Parameters
    ----------
    path : Path
        The file. `cnn_core.models` has checked it before.

    Returns
    -------
    ndarray of float32, shape (kernel height, kernel width, 3, filters)

    Raises
    ------
    KernelError
        When the file has no convolution over a color image.
    """
    import h5py

    try:
        with zipfile.ZipFile(path) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as weights:
            found: list[NDArray[np.float32]] = []

            def visit(_: str, item: object) -> None:
                if isinstance(item, h5py.Dataset) and item.ndim == 4 and item.shape[2] == 3:
                    found.append(item[()].astype(np.float32))

            weights.visititems(visit)
    except (OSError, KeyError, TypeError, *DAMAGED) as error:
        raise KernelError(f"The weights in {path.name} cannot be read. Choose another model.") from error
    if not found:
        raise KernelError(f"{path.name} has no convolution for color pictures. Choose another model.")
    return found[0]
