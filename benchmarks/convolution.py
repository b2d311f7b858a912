"""How much faster is `conv2d`, a 3×3 kernel on a 512×512 color picture, than SciPy channel by channel?

python benchmarks/convolution.py
"""

import sys
import time
from pathlib import Path
from statistics import median

import numpy as np
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).parents[1]))

from cnn_core.convolution import conv2d

ROUNDS = 100


def main() -> None:
    """Time both in turn, so that whatever else the machine does hits both, and print the ratio of the medians."""
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (512, 512, 3), np.uint8)
    kernel = rng.normal(size=(3, 3)).astype(np.float32)

    def ours() -> np.ndarray:
        return conv2d(picture, kernel, padding="same")

    def scipys() -> np.ndarray:  # convolution flips the kernel, a convolutional layer does not
        flipped = kernel[::-1, ::-1]
        return np.stack(
            [ndimage.convolve(picture[..., c].astype(np.float32), flipped, mode="constant") for c in range(3)], axis=-1
        )

    np.testing.assert_allclose(ours(), scipys(), rtol=1e-4, atol=0.02)
    seconds: dict[str, list[float]] = {"conv2d": [], "scipy": []}
    for _ in range(ROUNDS):
        for name, function in (("conv2d", ours), ("scipy", scipys)):
            start = time.perf_counter()
            function()
            seconds[name].append(time.perf_counter() - start)
    conv, scipy_time = median(seconds["conv2d"]), median(seconds["scipy"])
    print(f"cnn_core.convolution.conv2d        {conv * 1000:6.2f} ms")
    print(f"scipy.ndimage.convolve, 3 channels {scipy_time * 1000:6.2f} ms")
    print(f"conv2d is {scipy_time / conv:.1f} times as fast (wanted: 3 or more)")


if __name__ == "__main__":
    main()
