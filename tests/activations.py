"""Activations written by hand, to judge the networks' own numbers by."""

import math


def activate(name: str, total: float, scores: tuple[float, ...] = ()) -> float:
    """Return what an activation makes of one sum; the softmax needs the sums of all numbers of its layer."""
    if name == "softmax":
        return math.exp(total) / sum(map(math.exp, scores))
    return {
        "linear": lambda: total,
        "relu": lambda: max(0.0, total),
        "tanh": lambda: math.tanh(total),
        "elu": lambda: total if total > 0 else math.expm1(total),
        "sigmoid": lambda: 1 / (1 + math.exp(-total)),
    }[name]()
