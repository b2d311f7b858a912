"""The classic 3×3 kernels, each with what it finds in a picture and where it comes from.

As in Keras a kernel is laid on the picture as it is, not flipped: its upper left number meets the upper left pixel of
the window (mathematicians call that cross-correlation). So a positive number on the right answers to bright pixels
on the right.
"""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnn_core import CnnLabError


class KernelError(CnnLabError):
    """A model's kernels cannot be read."""


@dataclass(frozen=True, eq=False)
class Kernel:
    """A named kernel.

    Attributes
    ----------
    name : str
        Its key in `KERNELS`, also used in the page's address.
    title : str
        Its name for readers.
    values : ndarray of float32, shape (3, 3), read-only
    finds : str
        One sentence: what it does to a picture.
    source : str
        Where it comes from.

    Examples
    --------
    >>> print(KERNELS["sobel_x"].values)
    [[-1.  0.  1.]
     [-2.  0.  2.]
     [-1.  0.  1.]]
    """

    name: str
    title: str
    values: np.ndarray
    finds: str
    source: str


_GONZALEZ_WOODS = "R. C. Gonzalez and R. E. Woods, Digital Image Processing, 4th ed., 2018"
_SMOOTHING = f"{_GONZALEZ_WOODS}, section 3.5"
_SHARPENING = f"{_GONZALEZ_WOODS}, section 3.6"
_LINES = f"{_GONZALEZ_WOODS}, section 10.2"
_SOBEL = "I. Sobel and G. Feldman, A 3×3 Isotropic Gradient Operator for Image Processing, 1968"
_PREWITT = "J. M. S. Prewitt, Object Enhancement and Extraction, 1970"
_SCHARR = "H. Scharr, Optimale Operatoren in der Digitalen Bildverarbeitung, Heidelberg, 2000"
_ROBERTS = "L. G. Roberts, Machine Perception of Three-Dimensional Solids, MIT, 1963"
_KIRSCH = "R. A. Kirsch, Computer Determination of the Constituent Structure of Biological Images, 1971"
_GIMP = "GIMP User Manual, Convolution Matrix"
_DEFINITION = "From the definition of convolution"


def _kernel(
    name: str, title: str, rows: Sequence[Sequence[float]], finds: str, source: str, *, divisor: float = 1
) -> Kernel:
    values = np.array(rows, np.float32) / np.float32(divisor)
    values.flags.writeable = False
    return Kernel(name, title, values, finds, source)


_ALL = (
    _kernel(
        "identity",
        "Identity",
        [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
        "Changes nothing: each pixel becomes itself, the place to start experimenting from.",
        _DEFINITION,
    ),
    _kernel(
        "box_blur",
        "Box blur",
        [[1, 1, 1], [1, 1, 1], [1, 1, 1]],
        "Each pixel becomes the mean of itself and its eight neighbours, which softens detail and noise.",
        _SMOOTHING,
        divisor=9,
    ),
    _kernel(
        "gaussian_blur",
        "Gaussian blur",
        [[1, 2, 1], [2, 4, 2], [1, 2, 1]],
        "Softens like the box blur, but the nearer a neighbour is the more it counts, which looks smoother.",
        _SMOOTHING,
        divisor=16,
    ),
    _kernel(
        "sharpen",
        "Sharpen",
        [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
        "Adds to each pixel its difference from its four neighbours, so that edges stand out.",
        _SHARPENING,
    ),
    _kernel(
        "outline",
        "Outline (Laplacian)",
        [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
        "Finds outlines in every direction: flat areas give zero, since its numbers sum to zero.",
        _SHARPENING,
    ),
    _kernel(
        "emboss",
        "Emboss",
        [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
        "Makes the picture look like a relief by brightening edges that face one way and darkening the opposite ones.",
        _GIMP,
    ),
    _kernel(
        "sobel_x",
        "Sobel x",
        [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
        "Finds upright edges: positive where it gets brighter from left to right, negative where it gets darker.",
        _SOBEL,
    ),
    _kernel(
        "sobel_y",
        "Sobel y",
        [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
        "Finds level edges: positive where it gets brighter from top to bottom, negative where it gets darker.",
        _SOBEL,
    ),
    _kernel(
        "prewitt_x",
        "Prewitt x",
        [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]],
        "Finds upright edges like Sobel x, but all three rows count the same.",
        _PREWITT,
    ),
    _kernel(
        "prewitt_y",
        "Prewitt y",
        [[-1, -1, -1], [0, 0, 0], [1, 1, 1]],
        "Finds level edges like Sobel y, but all three columns count the same.",
        _PREWITT,
    ),
    _kernel(
        "scharr_x",
        "Scharr x",
        [[-3, 0, 3], [-10, 0, 10], [-3, 0, 3]],
        "Finds upright edges with weights chosen so that slanting edges are measured more truly than by Sobel x.",
        _SCHARR,
    ),
    _kernel(
        "scharr_y",
        "Scharr y",
        [[-3, -10, -3], [0, 0, 0], [3, 10, 3]],
        "Finds level edges with weights chosen so that slanting edges are measured more truly than by Sobel y.",
        _SCHARR,
    ),
    _kernel(
        "laplacian",
        "Laplacian, four neighbours",
        [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
        "The second derivative of brightness: changes sign right at an edge and ignores even slopes.",
        _SHARPENING,
    ),
    _kernel(
        "roberts_falling",
        "Roberts cross, falling",
        [[0, 0, 0], [0, 1, 0], [0, 0, -1]],
        "The oldest edge finder: the difference between a pixel and its lower right neighbour.",
        _ROBERTS,
    ),
    _kernel(
        "roberts_rising",
        "Roberts cross, rising",
        [[0, 0, 0], [0, 0, 1], [0, -1, 0]],
        "The other arm of the cross: the difference between a pixel's right and its lower neighbour.",
        _ROBERTS,
    ),
    _kernel(
        "kirsch_north",
        "Kirsch north",
        [[5, 5, 5], [-3, 0, -3], [-3, -3, -3]],
        "One of eight compass kernels: answers most to an edge that is brighter above.",
        _KIRSCH,
    ),
    _kernel(
        "kirsch_northwest",
        "Kirsch north-west",
        [[5, 5, -3], [5, 0, -3], [-3, -3, -3]],
        "The compass kernel turned by an eighth: answers most to an edge that is brighter towards the upper left.",
        _KIRSCH,
    ),
    _kernel(
        "line_level",
        "Line, level",
        [[-1, -1, -1], [2, 2, 2], [-1, -1, -1]],
        "Finds bright level lines one pixel thick; an edge or a thick line answers less.",
        _LINES,
    ),
    _kernel(
        "line_upright",
        "Line, upright",
        [[-1, 2, -1], [-1, 2, -1], [-1, 2, -1]],
        "Finds bright upright lines one pixel thick, such as whiskers and fence posts.",
        _LINES,
    ),
    _kernel(
        "line_falling",
        "Line, falling",
        [[2, -1, -1], [-1, 2, -1], [-1, -1, 2]],
        "Finds thin bright lines that fall from the upper left to the lower right.",
        _LINES,
    ),
    _kernel(
        "line_rising",
        "Line, rising",
        [[-1, -1, 2], [-1, 2, -1], [2, -1, -1]],
        "Finds thin bright lines that rise from the lower left to the upper right.",
        _LINES,
    ),
    _kernel(
        "motion_blur",
        "Motion blur",
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        "Averages along one diagonal only, as if the camera had moved during the exposure.",
        _SMOOTHING,
        divisor=3,
    ),
    _kernel(
        "shift_right",
        "Shift right",
        [[0, 0, 0], [1, 0, 0], [0, 0, 0]],
        "Each pixel becomes its left neighbour, so the picture moves one pixel right: the kernel is not flipped.",
        _DEFINITION,
    ),
    _kernel(
        "negative",
        "Negative",
        [[0, 0, 0], [0, -1, 0], [0, 0, 0]],
        "Turns bright into dark; add a bias of 255 to see the photographic negative.",
        _DEFINITION,
    ),
)

KERNELS: dict[str, Kernel] = {kernel.name: kernel for kernel in _ALL}
"""Every named kernel by its name, in the order in which a list should offer them."""


def random_kernels(filters: int = 64, size: int = 3, channels: int = 3, seed: int = 42) -> np.ndarray:
    """Draw kernels as Keras does before it has learned anything.

    Parameters
    ----------
    filters, size, channels : int
        How many, their side in pixels, and the channels of the picture they slide over.
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


def neighbour_agreement(kernels: np.ndarray) -> np.ndarray:
    """Measure in each kernel whether weights that lie side by side are alike: order in it, as in an edge or a spot.

    Parameters
    ----------
    kernels : ndarray of float, shape (height, width, channels, filters)

    Returns
    -------
    ndarray of float, shape (filters,)
        1 where all weights of a channel are the same, about 0 in noise, -1 in a chequered kernel.

    References
    ----------
    P. A. P. Moran, Notes on continuous stochastic phenomena, 1950, with 0 in the place of the mean.

    Examples
    --------
    >>> neighbour_agreement(np.ones((3, 3, 3, 2)))
    array([1., 1.])
    """
    axes = (0, 1, 2)
    pairs = (kernels[1:] * kernels[:-1]).sum(axes) + (kernels[:, 1:] * kernels[:, :-1]).sum(axes)
    count = kernels[1:, :, :, 0].size + kernels[:, 1:, :, 0].size
    squares = (kernels**2).mean(axes)
    return np.divide(pairs, count * squares, out=np.zeros(kernels.shape[3]), where=(squares > 0) & (count > 0))


def learned_kernels(path: Path) -> np.ndarray:
    """Read the first convolution's kernels out of a ``.keras`` file, without TensorFlow.

    Parameters
    ----------
    path : Path
        The file; it is trusted, as `cnn_core.models` has checked it.

    Returns
    -------
    ndarray of float32, shape (kernel height, kernel width, 3, filters)

    Raises
    ------
    KernelError
        When the file has no convolution over a colour picture.
    """
    import h5py

    try:
        with zipfile.ZipFile(path) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as weights:
            found: list[np.ndarray] = []

            def visit(_: str, item: object) -> None:
                if isinstance(item, h5py.Dataset) and item.ndim == 4 and item.shape[2] == 3:
                    found.append(item[()].astype(np.float32))

            weights.visititems(visit)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise KernelError(f"The weights in {path.name} cannot be read. Choose another model.") from error
    if not found:
        raise KernelError(f"{path.name} holds no convolution over a colour picture. Choose another model.")
    return found[0]
