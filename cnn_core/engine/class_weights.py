"""How much an image of each class counts while the network learns, where one class has fewer images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def balanced(labels: NDArray[np.integer]) -> dict[int, float]:
    """Weigh the classes so that each counts as much as the other, however many images it has.

    Parameters
    ----------
    labels : ndarray of int, shape (N,)

    Returns
    -------
    dict of int to float
        A label → its weight, as ``model.fit`` takes it. The mean weight of an image is 1.

    References
    ----------
    G. King and L. Zeng, "Logistic Regression in Rare Events Data", 2001; "balanced" in scikit-learn.

    Examples
    --------
    >>> balanced(np.array([0, 0, 0, 1]))
    {0: 0.6666666666666666, 1: 2.0}
    """
    classes, counts = np.unique(labels, return_counts=True)
    weights = len(labels) / (len(classes) * counts)
    return dict(zip(classes.tolist(), weights.tolist(), strict=True))
