"""Why a network for pictures begins with convolutions: what a dense layer in their place would take."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from cnn_core.network import ARTICLE, NetworkSpec, dense_parameters

if TYPE_CHECKING:
    import pandas as pd

BYTES = 4
"""A parameter is a float32."""


def compare_with_dense(spec: NetworkSpec) -> pd.DataFrame:
    """Compare a network's first convolution with a dense layer that gives as many numbers.

    Parameters
    ----------
    spec : NetworkSpec
        Without blocks, the article's first convolution stands in.

    Returns
    -------
    pandas.DataFrame
        Two rows, of ``layer`` ``"Conv2D"`` and ``"Dense"``: ``outputs`` (how many numbers the layer gives), ``reads``
        (how many numbers of the image each of them depends on), ``parameters``, ``times`` (the parameters as a
        multiple of the convolution's) and ``gigabytes`` (of float32).

    Raises
    ------
    NetworkError
        When a setting is out of range, or the image is smaller than the kernel.

    Examples
    --------
    >>> compare_with_dense(NetworkSpec())[["layer", "outputs", "reads", "parameters"]]
        layer  outputs  reads   parameters
    0  Conv2D  1016064     27         1792
    1   Dense  1016064  49152  49942593792
    """
    import pandas as pd

    block = (spec.blocks or ARTICLE.blocks)[0]
    rows, error = NetworkSpec(spec.input_size, (block,)).layers_that_fit()
    table = rows.set_index("layer")
    if error and "conv_1" not in table.index:
        raise error
    inputs, outputs = (math.prod(table.loc[name, "output_shape"]) for name in ("rescaling", "conv_1"))
    channels = table.loc["rescaling", "output_shape"][-1]
    parameters = [int(table.loc["conv_1", "parameters"]), dense_parameters(inputs, outputs)]
    return pd.DataFrame(
        {
            "layer": ["Conv2D", "Dense"],
            "outputs": [outputs, outputs],
            "reads": [block.kernel_size**2 * channels, inputs],
            "parameters": parameters,
            "times": [count / parameters[0] for count in parameters],
            "gigabytes": [count * BYTES / 1e9 for count in parameters],
        }
    )


def parameters_without_blocks(spec: NetworkSpec) -> int:
    """Count the parameters of a network's dense layers when they receive the image itself.

    Examples
    --------
    >>> parameters_without_blocks(NetworkSpec())
    3145922
    """
    table, _ = replace(spec, blocks=()).layers_that_fit()  # also one that is too large to be built is counted
    return int(table["parameters"].sum())
