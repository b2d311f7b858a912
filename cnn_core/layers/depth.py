"""How deep a network can be, and why its kernels are small."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnn_core.convolution import Padding, output_size

if TYPE_CHECKING:
    import pandas as pd


def max_depth(input_size: int, kernel_size: int = 3, padding: Padding = "valid", pool_size: int = 2) -> int | None:
    """Count how many blocks of convolution and pooling fit before nothing is left of the image.

    Parameters
    ----------
    input_size : int
        Height and width of the image, in pixels.
    kernel_size, padding, pool_size
        As in `cnn_core.network.ConvBlock`.

    Returns
    -------
    int or None
        The most blocks that can be stacked; None when no block makes the image smaller, so that there is no limit.

    Examples
    --------
    >>> max_depth(128), max_depth(128, padding="same"), max_depth(128, pool_size=1)
    (5, 7, 63)
    >>> max_depth(128, padding="same", pool_size=1) is None
    True
    """
    sizes = sizes_by_depth(input_size, kernel_size, padding, pool_size)
    return None if len(sizes) > 1 and sizes[-1] == sizes[-2] else len(sizes) - 1


def sizes_by_depth(input_size: int, kernel_size: int = 3, padding: Padding = "valid", pool_size: int = 2) -> list[int]:
    """Compute the image's side after each block, until no further block fits.

    Parameters
    ----------
    input_size, kernel_size, padding, pool_size
        As in `max_depth`.

    Returns
    -------
    list of int
        The side before any block, after one, after two …; ends after the first block that makes nothing smaller.

    Examples
    --------
    >>> sizes_by_depth(128)
    [128, 63, 30, 14, 6, 2]
    """
    sizes = [input_size]
    while padding == "same" or sizes[-1] >= kernel_size:
        after = output_size(sizes[-1], kernel_size, padding=padding) // max(pool_size, 1)
        if after < 1:
            break
        sizes.append(after)
        if after == sizes[-2]:
            break
    return sizes


def compare_kernel_sizes(channels: int = 64) -> pd.DataFrame:
    """Compare one large kernel with several 3×3 in a row that see the same part of the image.

    Parameters
    ----------
    channels : int
        Number of feature maps at the input, and of filters, so that the output has as many.

    Returns
    -------
    pandas.DataFrame
        ``layers``, ``receptive_field`` (side in pixels), ``parameters``, ``share`` (of the parameters that one kernel
        with the same receptive field has).

    References
    ----------
    Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", 2015, section 2.3.

    Examples
    --------
    >>> compare_kernel_sizes(64).round(2)
                   layers  receptive_field  parameters  share
    0             one 3×3                3       36928   1.00
    1             one 5×5                5      102464   1.00
    2    two 3×3 in a row                5       73856   0.72
    3             one 7×7                7      200768   1.00
    4  three 3×3 in a row                7      110784   0.55
    """
    import pandas as pd

    rows = []
    for layers, kernel, count in (
        ("one 3×3", 3, 1),
        ("one 5×5", 5, 1),
        ("two 3×3 in a row", 3, 2),
        ("one 7×7", 7, 1),
        ("three 3×3 in a row", 3, 3),
    ):
        field = count * (kernel - 1) + 1
        parameters, single = ((side * side * channels + 1) * channels for side in (kernel, field))
        rows.append((layers, field, count * parameters, count * parameters / single))
    return pd.DataFrame(rows, columns=["layers", "receptive_field", "parameters", "share"])
