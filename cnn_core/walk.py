"""A walk through a network with one photo: the output of every layer, its kernels, and its time.

The layers are called one by one, as the network itself calls them, also those of a network within the network.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from inspect import signature
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnn_core import CnnLabError
from cnn_core.models import PetModel
from cnn_core.pixels import resize

MAP_BY_MAP = (
    "Activation", "ActivityRegularization", "AlphaDropout", "AveragePooling2D", "BatchNormalization",
    "CenterCrop", "Cropping2D", "Dropout", "ELU", "GaussianDropout", "GaussianNoise", "LeakyReLU",
    "MaxPooling2D", "PReLU", "ReLU", "Resizing", "SpatialDropout2D", "UpSampling2D", "ZeroPadding2D",
)  # fmt: skip
"""Layers whose map k depends only on map k of the layer before, so that it still belongs to the same kernel."""


class WalkError(CnnLabError):
    """A layer that the network does not have."""


class Visit(NamedTuple):
    """One call of a layer: its name in the walk, its inputs and its output (Keras tensors), and its time."""

    name: str
    layer: Any
    inputs: list[Any]
    output: Any
    seconds: float


@dataclass(frozen=True)
class Stop:
    """One layer of a walk, as a row of a table."""

    name: str
    kind: str
    """Its class in Keras, such as ``"Conv2D"``."""
    shape: tuple[int, ...]
    """Of its output for one photo: (H, W, C) for feature maps, (N,) for plain numbers."""
    parameters: int
    milliseconds: float
    """The median of the repeats, each layer called on its own: a whole network, compiled, is faster than the sum."""


@dataclass(frozen=True, eq=False)
class Kernel:
    """The kernel that made a feature map."""

    layer: str
    kind: str
    """The layer's class in Keras, such as ``"Conv2D"``."""
    values: NDArray[np.float32]
    """(height, width, channels)."""
    channels: tuple[int, ...]
    """The maps of the layer before that it is applied to, counted from 0."""
    bias: float
    stride: tuple[int, int]
    padding: str
    activation: str


@dataclass(frozen=True, eq=False)
class Strongest:
    """The most active maps of a layer, or its largest numbers where it has no maps."""

    layer: str
    total: int
    """How many maps or numbers the layer has."""
    numbers: tuple[int, ...]
    """Which ones these are, counted from 0, the most active first."""
    activity: NDArray[np.float32]
    """(n,): the mean size of a map's values, or the number itself."""
    values: NDArray[np.float32]
    """(n, H, W), or (n,) for plain numbers."""
    kernels: tuple[Kernel | None, ...]
    """The kernel that made each map; None where several did, as in a sum, or none, as for the photo's channels."""


def walk(model: PetModel, image: NDArray[np.uint8], repeats: int = 3) -> list[Stop]:
    """Return every layer from the photo to the answer: its output shape, its parameters and its time.

    Parameters
    ----------
    model : PetModel
    image : (H, W, 3) uint8
    repeats : int
        How often each layer is timed. One walk before is not timed, because it is slower.

    Returns
    -------
    list of Stop
    """
    x = as_input(model, image)
    run(model.keras, x)
    walks = [run(model.keras, x)[1] for _ in range(repeats)]
    return [
        Stop(
            visit.name,
            type(visit.layer).__name__,
            tuple(int(side) for side in visit.output.shape[1:]),
            int(visit.layer.count_params()),
            1000 * statistics.median(steps[at].seconds for steps in walks),
        )
        for at, visit in enumerate(walks[0])
    ]


def strongest(model: PetModel, image: NDArray[np.uint8], layer: str, count: int = 12) -> Strongest:
    """Return the most active maps that a layer makes of a photo, and their kernels.

    Parameters
    ----------
    model : PetModel
    image : (H, W, 3) uint8
    layer : str
        The name of a :class:`Stop`.
    count : int
        The maximum number of maps.

    Raises
    ------
    WalkError
        When the network has no such layer.
    """
    _, steps = run(model.keras, as_input(model, image))
    visit = _named(steps, layer)
    values = np.asarray(visit.output, np.float32)[0]
    kernels: tuple[Kernel | None, ...]
    if values.ndim != 3:
        values = values.ravel()
        activity = values
        order = np.argsort(-np.abs(values), kind="stable")[:count]
        chosen, kernels = values[order], (None,) * len(order)
    else:
        activity = np.abs(values).mean(axis=(0, 1))
        order = np.argsort(-activity, kind="stable")[:count]
        chosen = np.moveaxis(values[..., order], -1, 0)
        kernels = tuple(_kernel(steps, visit, int(number)) for number in order)
    numbers = tuple(int(number) for number in order)
    return Strongest(layer, values.shape[-1], numbers, activity[order], chosen, kernels)


def _named(steps: list[Visit], name: str) -> Visit:
    for visit in steps:
        if visit.name == name:
            return visit
    raise WalkError(f"The network has no layer called “{name}”. It has: {', '.join(v.name for v in steps)}.")


def run(network: Any, x: Any, after: Callable[[Visit], None] = lambda visit: None) -> tuple[Any, list[Visit]]:
    """Run a Keras network layer by layer.

    Parameters
    ----------
    network : keras.Model
        Sequential or functional, also with networks among its layers.
    x : tensor or ndarray of float32, shape (N, S, S, 3)
    after : callable, optional
        Is called with each visit when its layer is done.

    Returns
    -------
    answer : tensor
        The network's first output.
    visits : list of Visit
        In the order of the calls. A layer that is called again gets its count after its name.
    """
    import keras

    found: list[Visit] = []
    names: dict[str, int] = {}

    def call(layer: Any, *inputs: Any, **options: Any) -> Any:
        if isinstance(layer, keras.Model):
            return run_graph(layer, inputs[0])
        tensors = list(inputs[0]) if isinstance(inputs[0], (list, tuple)) else list(inputs)
        if "training" in signature(layer.call).parameters:
            options["training"] = False
        began = time.perf_counter()
        output = layer(*inputs, **options)
        wait = getattr(output, "numpy", None)
        if wait is not None:
            wait()  # a GPU returns before it has finished
        seconds = time.perf_counter() - began
        names[layer.name] = names.get(layer.name, 0) + 1
        name = layer.name if names[layer.name] == 1 else f"{layer.name} ({names[layer.name]})"
        found.append(Visit(name, layer, tensors, output, seconds))
        after(found[-1])
        return output

    def run_graph(network: Any, x: Any) -> Any:
        graph = getattr(network, "_functional", None) or network  # a Sequential model keeps its graph inside
        result = graph._run_through_graph(x, operation_fn=lambda layer: partial(call, layer))
        return result[0] if isinstance(result, (list, tuple)) and len(result) == 1 else result

    answer = run_graph(network, keras.ops.convert_to_tensor(x))
    return answer[0] if isinstance(answer, (list, tuple)) else answer, found


def as_input(model: PetModel, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a photo as the network takes it, float32 (1, S, S, 3)."""
    return resize(image, model.input_size, model.input_size)[None].astype(np.float32)


def is_convolution(layer: Any) -> bool:
    """Return whether a layer slides kernels over its maps."""
    return type(layer).__name__ in ("Conv2D", "DepthwiseConv2D", "SeparableConv2D")


def _kernel(steps: list[Visit], visit: Visit, number: int) -> Kernel | None:
    """Return the kernel that made map `number` of `visit`'s output, going back through the layers of `MAP_BY_MAP`."""
    # The first that gave it: a layer that does nothing here, such as Dropout, returns its input tensor itself.
    before = {id(step.output): step for step in reversed(steps)}
    while not is_convolution(visit.layer):
        source = before.get(id(visit.inputs[0])) if len(visit.inputs) == 1 else None
        if source is None or type(visit.layer).__name__ not in MAP_BY_MAP:
            return None
        if getattr(visit.layer, "activation", None) is not None and visit.layer.activation.__name__ == "softmax":
            return None
        visit = source
    layer = visit.layer
    values, channels = kernel_values(layer, number, int(visit.inputs[0].shape[-1]))
    return Kernel(
        visit.name, type(layer).__name__, values, channels,
        float(layer.bias[number]) if layer.use_bias else 0.0,
        tuple(layer.strides), str(layer.padding), layer.activation.__name__,
    )  # fmt: skip


def kernel_values(layer: Any, number: int, inputs: int) -> tuple[NDArray[np.float32], tuple[int, ...]]:
    """Return the kernel of a convolution's map `number`, and which of the input maps it is applied to.

    Parameters
    ----------
    layer : keras.Layer
        For which :func:`is_convolution` is true.
    number : int
        The map, from 0.
    inputs : int
        How many maps the layer receives.

    Returns
    -------
    kernel : (height, width, n) float32
        Of a separable convolution the one that its two together are.
    maps : tuple of int
        The n input maps, from 0.
    """
    if type(layer).__name__ == "Conv2D":
        kernel = np.asarray(layer.kernel, np.float32)
        used = kernel.shape[2]  # with groups a kernel sees only its own group's maps
        first = number // (kernel.shape[3] // layer.groups) * used
        return kernel[..., number], tuple(range(first, first + used))
    if type(layer).__name__ == "DepthwiseConv2D":
        kernel = np.asarray(layer.kernel, np.float32)
        channel, which = divmod(number, layer.depth_multiplier)
        return kernel[:, :, channel, which, None], (channel,)
    each, mix = np.asarray(layer.depthwise_kernel, np.float32), np.asarray(layer.pointwise_kernel, np.float32)
    mix = mix[0, 0, :, number].reshape(inputs, layer.depth_multiplier)
    return np.einsum("hwcm,cm->hwc", each, mix), tuple(range(inputs))
