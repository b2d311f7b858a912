"""Features are kept, and never those of another photo."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cnn_core.accurate import features


@pytest.mark.slow
def test_an_overwritten_photo_gets_new_features(tmp_path, monkeypatch):
    import keras

    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    backbone = keras.Sequential([keras.layers.Input((8, 8, 3)), keras.layers.GlobalAveragePooling2D()])
    photo = tmp_path / "cat.0.png"
    table = pd.DataFrame({"file": [str(photo)], "label": ["cat"]})

    def brightness_of(value):
        Image.new("RGB", (9, 9 + value), (value,) * 3).save(photo)
        return features.cached_features(backbone, table)

    np.testing.assert_allclose(brightness_of(40), 40)
    np.testing.assert_allclose(brightness_of(90), 90)
