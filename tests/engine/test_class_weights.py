"""Both classes count the same, as scikit-learn balances them."""

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from cnn_core import training
from cnn_core.engine import class_weights
from cnn_core.engine.config import TrainingConfig
from tests.tiny_runs import TINY, folder_with


@pytest.mark.parametrize("cats", [1, 5, 50, 99])
def test_the_weights_are_scikit_learns(cats):
    labels = np.repeat([0, 1], [cats, 100 - cats])
    weights = class_weights.balanced(labels)
    expected = compute_class_weight("balanced", classes=np.array([0, 1]), y=labels)
    assert list(weights.values()) == pytest.approx(list(expected))
    assert sum(weights[label] for label in labels) == pytest.approx(100)


@pytest.mark.slow
@pytest.mark.parametrize("wanted", [True, False])
def test_keras_gets_them_where_they_are_wanted(tmp_path, monkeypatch, wanted):
    import keras

    class Seen(Exception):
        pass

    def fit(self, batches, class_weight, **_):
        labels = np.concatenate([label for _, label in batches.as_numpy_iterator()])
        assert class_weight == (class_weights.balanced(labels) if wanted else None)
        raise Seen

    monkeypatch.setattr(keras.Model, "fit", fit)
    config = TrainingConfig(**{**TINY.__dict__, "class_weights": wanted})
    with pytest.raises(training.TrainingError) as failed:
        training.train(folder_with(tmp_path / "run", config))
    assert isinstance(failed.value.__cause__, Seen)
