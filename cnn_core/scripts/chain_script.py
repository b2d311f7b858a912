"""The Keras script of a chain of stages."""

from collections.abc import Sequence

import numpy as np

from cnn_core.chain import Convolution, Pooling, Stage
from cnn_core.scripts.literals import nested


def chain(stages: Sequence[Stage]) -> str:
    """Return the script that sends a photo through the same stages as layers of a small network.

    Parameters
    ----------
    stages : sequence of Stage
        As `cnn_core.chain.run` takes them.

    Returns
    -------
    str
        Python code; it needs tensorflow and a file ``photo.jpg``.

    Examples
    --------
    >>> from cnn_core.chain import Pooling
    >>> "keras.layers.MaxPooling2D(3, strides=2)," in chain([Pooling("max", 3, 2)])
    True
    """
    layers, weights = [], []
    for place, stage in enumerate(stages):
        if isinstance(stage, Convolution):
            kernel = np.asarray(stage.kernel, np.float64)
            layers.append(f"Conv2D(1, {len(kernel)})")
            weights += [
                f'kernel = np.array({nested(kernel)}, dtype="float32")',
                f"model.layers[{place}].set_weights([kernel[:, :, None, None], np.zeros(1)])",
            ]
        elif isinstance(stage, Pooling):
            name = {"max": "MaxPooling2D", "average": "AveragePooling2D"}[stage.kind]
            padding = "" if stage.padding == "valid" else f', padding="{stage.padding}"'
            layers.append(f"{name}({stage.pool_size}, strides={stage.strides}{padding})")
        else:
            layers.append("ReLU()")
    lines = [
        "import keras",
        "import numpy as np",
        "",
        'photo = keras.utils.load_img("photo.jpg", color_mode="grayscale")',
        "image = keras.utils.img_to_array(photo)[None]",
        "print(image.shape)  # (images, height, width, channels)",
        "",
        "model = keras.Sequential(",
        "    [",
        *(f"        keras.layers.{layer}," for layer in layers),
        "    ]",
        ")",
        "model.build(image.shape)",
        *weights,
        "",
        "for layer in model.layers:",
        "    image = layer(image)",
        "    print(layer.name, image.shape)",
    ]
    return "\n".join(lines) + "\n"
