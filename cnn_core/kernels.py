"""The classic 3×3 kernels, each with what it finds in an image and where it comes from.

An edge filter such as Sobel is two things in one: the difference of brightness across the edge (`EDGE`), times a blur
along it (`SOBEL_SMOOTH`), so that noise counts less.

As in Keras a kernel is not flipped: its upper left number is multiplied by the upper left pixel of the window. So a
positive number on the right gives a large value where the right side is bright.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class Kernel:
    """A named kernel.

    Attributes
    ----------
    name : str
        Its key in `KERNELS`, also used in a page's address.
    title : str
        Its name for readers.
    values : ndarray of float32, shape (3, 3), read-only
    finds : str
        One sentence: what it does to an image.
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
    values: NDArray[np.float32]
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


EDGE = np.array([-1, 0, 1])
"""The difference between the two neighbors of a pixel: positive where it gets brighter."""

PREWITT_SMOOTH = np.array([1, 1, 1])
"""A blur of three pixels that all count the same: J. M. S. Prewitt, 1970."""

SOBEL_SMOOTH = np.array([1, 2, 1])
"""A blur of three pixels in which the center counts twice: I. Sobel and G. Feldman, 1968."""

SCHARR_SMOOTH = np.array([3, 10, 3])
"""A blur of three pixels, optimized so that every direction is measured alike: H. Scharr, 2000."""


def _kernel(name: str, title: str, rows: ArrayLike, finds: str, source: str, *, divisor: float = 1) -> Kernel:
    values = np.asarray(rows, np.float32) / np.float32(divisor)
    values.flags.writeable = False
    return Kernel(name, title, values, finds, source)


IDENTITY = _kernel(
    "identity",
    "Identity",
    [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
    "Changes nothing: each pixel keeps its value, so it is a good start for experiments.",
    _DEFINITION,
)
BOX_BLUR = _kernel(
    "box_blur",
    "Box blur",
    np.outer(PREWITT_SMOOTH, PREWITT_SMOOTH),
    "Each pixel becomes the mean of itself and its eight neighbors, which softens detail and noise.",
    _SMOOTHING,
    divisor=9,
)
GAUSSIAN_BLUR = _kernel(
    "gaussian_blur",
    "Gaussian blur",
    np.outer(SOBEL_SMOOTH, SOBEL_SMOOTH),
    "Softens like the box blur, but nearer neighbors count more, which looks smoother.",
    _SMOOTHING,
    divisor=16,
)
SHARPEN = _kernel(
    "sharpen",
    "Sharpen",
    [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "Adds to each pixel its difference from its four neighbors, so that edges stand out.",
    _SHARPENING,
)
OUTLINE = _kernel(
    "outline",
    "Outline (Laplacian)",
    [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    "Finds outlines in every direction: flat areas give zero, since its numbers sum to zero.",
    _SHARPENING,
)
EMBOSS = _kernel(
    "emboss",
    "Emboss",
    [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
    "Makes the image look like a relief: edges that face one way become brighter, the opposite ones darker.",
    _GIMP,
)
SOBEL_X = _kernel(
    "sobel_x",
    "Sobel x",
    np.outer(SOBEL_SMOOTH, EDGE),
    "Finds vertical edges: positive where it gets brighter from left to right, negative where it gets darker.",
    _SOBEL,
)
SOBEL_Y = _kernel(
    "sobel_y",
    "Sobel y",
    np.outer(EDGE, SOBEL_SMOOTH),
    "Finds horizontal edges: positive where it gets brighter from top to bottom, negative where it gets darker.",
    _SOBEL,
)
PREWITT_X = _kernel(
    "prewitt_x",
    "Prewitt x",
    np.outer(PREWITT_SMOOTH, EDGE),
    "Finds vertical edges like Sobel x, but all three rows count the same.",
    _PREWITT,
)
PREWITT_Y = _kernel(
    "prewitt_y",
    "Prewitt y",
    np.outer(EDGE, PREWITT_SMOOTH),
    "Finds horizontal edges like Sobel y, but all three columns count the same.",
    _PREWITT,
)
SCHARR_X = _kernel(
    "scharr_x",
    "Scharr x",
    np.outer(SCHARR_SMOOTH, EDGE),
    "Finds vertical edges like Sobel x, but measures the direction of slanting edges more accurately.",
    _SCHARR,
)
SCHARR_Y = _kernel(
    "scharr_y",
    "Scharr y",
    np.outer(EDGE, SCHARR_SMOOTH),
    "Finds horizontal edges like Sobel y, but measures the direction of slanting edges more accurately.",
    _SCHARR,
)
LAPLACIAN = _kernel(
    "laplacian",
    "Laplacian, four neighbors",
    [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
    "The second derivative of brightness: it changes sign at an edge, and is zero where brightness rises evenly.",
    _SHARPENING,
)
ROBERTS_FALLING = _kernel(
    "roberts_falling",
    "Roberts cross, falling",
    [[0, 0, 0], [0, 1, 0], [0, 0, -1]],
    "The oldest edge filter: the difference between a pixel and its lower right neighbor.",
    _ROBERTS,
)
ROBERTS_RISING = _kernel(
    "roberts_rising",
    "Roberts cross, rising",
    [[0, 0, 0], [0, 0, 1], [0, -1, 0]],
    "The other half of the cross: the difference between a pixel's right and its lower neighbor.",
    _ROBERTS,
)
KIRSCH_NORTH = _kernel(
    "kirsch_north",
    "Kirsch north",
    [[5, 5, 5], [-3, 0, -3], [-3, -3, -3]],
    "One of eight compass kernels: gives its largest value at an edge that is brighter above.",
    _KIRSCH,
)
KIRSCH_NORTHWEST = _kernel(
    "kirsch_northwest",
    "Kirsch north-west",
    [[5, 5, -3], [5, 0, -3], [-3, -3, -3]],
    "The compass kernel turned by 45 degrees: gives its largest value at an edge that is brighter at the upper left.",
    _KIRSCH,
)
LINE_LEVEL = _kernel(
    "line_level",
    "Line, horizontal",
    [[-1, -1, -1], [2, 2, 2], [-1, -1, -1]],
    "Finds bright horizontal lines one pixel thick; an edge or a thick line gives smaller values.",
    _LINES,
)
LINE_UPRIGHT = _kernel(
    "line_upright",
    "Line, vertical",
    [[-1, 2, -1], [-1, 2, -1], [-1, 2, -1]],
    "Finds bright vertical lines one pixel thick, such as whiskers and fence posts.",
    _LINES,
)
LINE_FALLING = _kernel(
    "line_falling",
    "Line, falling",
    [[2, -1, -1], [-1, 2, -1], [-1, -1, 2]],
    "Finds thin bright lines that fall from the upper left to the lower right.",
    _LINES,
)
LINE_RISING = _kernel(
    "line_rising",
    "Line, rising",
    [[-1, -1, 2], [-1, 2, -1], [2, -1, -1]],
    "Finds thin bright lines that rise from the lower left to the upper right.",
    _LINES,
)
MOTION_BLUR = _kernel(
    "motion_blur",
    "Motion blur",
    [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "Averages along one diagonal only, as if the camera had moved during the exposure.",
    _SMOOTHING,
    divisor=3,
)
SHIFT_RIGHT = _kernel(
    "shift_right",
    "Shift right",
    [[0, 0, 0], [1, 0, 0], [0, 0, 0]],
    "Each pixel becomes its left neighbor, so the image moves one pixel right: the kernel is not flipped.",
    _DEFINITION,
)
NEGATIVE = _kernel(
    "negative",
    "Negative",
    [[0, 0, 0], [0, -1, 0], [0, 0, 0]],
    "Turns bright into dark; add a bias of 255 to see the photographic negative.",
    _DEFINITION,
)

KERNELS: dict[str, Kernel] = {
    kernel.name: kernel
    for kernel in (
        IDENTITY,
        BOX_BLUR,
        GAUSSIAN_BLUR,
        SHARPEN,
        OUTLINE,
        EMBOSS,
        SOBEL_X,
        SOBEL_Y,
        PREWITT_X,
        PREWITT_Y,
        SCHARR_X,
        SCHARR_Y,
        LAPLACIAN,
        ROBERTS_FALLING,
        ROBERTS_RISING,
        KIRSCH_NORTH,
        KIRSCH_NORTHWEST,
        LINE_LEVEL,
        LINE_UPRIGHT,
        LINE_FALLING,
        LINE_RISING,
        MOTION_BLUR,
        SHIFT_RIGHT,
        NEGATIVE,
    )
}
"""Every named kernel by its name, in the order in which a list should offer them."""
