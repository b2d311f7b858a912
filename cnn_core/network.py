"""A network as a list of layers: their shapes and parameters by arithmetic alone, and the Keras model they describe.

The lesson's network repeats one block, convolution then pooling, and ends in two dense layers. ``NetworkSpec.table``
needs no TensorFlow: each row follows from the row above it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from cnn_core import CnnLabError
from cnn_core.convolution import PADDINGS, Padding, output_size

if TYPE_CHECKING:
    import keras
    import pandas as pd

MAX_PARAMETERS = 100_000_000
"""A network above this (400 MB of weights, three times that with Adam's) is refused: it would exhaust the memory."""

ACTIVATIONS = ("relu", "tanh", "sigmoid", "elu", "linear")


class NetworkError(CnnLabError):
    """The network cannot be built as described; the message names the layer.

    Attributes
    ----------
    layer : str
        Name of the first layer that receives too few pixels; "" when the reason is another.
    """

    def __init__(self, message: str, layer: str = "") -> None:
        super().__init__(message)
        self.layer = layer


@dataclass(frozen=True)
class ConvBlock:
    """One convolution and the max pooling after it.

    Attributes
    ----------
    filters : int
        Number of kernels, and so of feature maps in the output.
    kernel_size : int
        Side of the square kernel, in pixels.
    padding : {"valid", "same"}
        ``"same"`` pads with zeros so that the size is kept; ``"valid"`` does not pad.
    activation : str
        One of `ACTIVATIONS`.
    pool_size : int
        Side of the pooling window, also its stride; 0 or 1 means no pooling.
    """

    filters: int = 64
    kernel_size: int = 3
    padding: Padding = "valid"
    activation: str = "relu"
    pool_size: int = 2


@dataclass(frozen=True)
class NetworkSpec:
    """Convolution blocks, then flatten, one hidden dense layer and the softmax over the classes.

    The default is the article's network.

    Attributes
    ----------
    input_size : int
        Height and width of the RGB image at the input, in pixels.
    blocks : tuple of ConvBlock
    dense_units : int
        Width of the hidden dense layer; 0 leaves it out.
    classes : int
        Number of outputs.

    Examples
    --------
    >>> NetworkSpec().parameters
    3725314
    >>> NetworkSpec(input_size=5).table()
    Traceback (most recent call last):
    ...
    cnn_core.network.NetworkError: Layer conv_2 (3×3, valid) receives 1×1 pixels: ... Use a larger picture, ...
    """

    input_size: int = 128
    blocks: tuple[ConvBlock, ...] = (ConvBlock(), ConvBlock())
    dense_units: int = 64
    classes: int = 2

    @property
    def parameters(self) -> int:
        """Number of trainable weights and biases in the whole network."""
        return int(self.table()["parameters"].sum())

    def table(self) -> pd.DataFrame:
        """Compute every layer's output shape and parameter count, without TensorFlow.

        Returns
        -------
        pandas.DataFrame
            One row a layer: ``layer`` (name), ``type`` (Keras class), ``output_shape`` (tuple of int, without the
            batch), ``parameters`` (int), ``receptive_field`` (side in input pixels that one output value depends on).

        Raises
        ------
        NetworkError
            When a setting is out of range, or a layer receives too few pixels (the message names it).

        References
        ----------
        Parameters of a convolution: (kernel² · channels in + 1) · filters. Receptive field: Araujo et al., "Computing
        receptive fields of convolutional neural networks", Distill 2019, equation 2.

        Examples
        --------
        >>> NetworkSpec().table()[["layer", "output_shape", "parameters"]].head(3)
               layer   output_shape  parameters
        0  rescaling  (128, 128, 3)           0
        1     conv_1 (126, 126, 64)        1792
        2     pool_1   (63, 63, 64)           0
        """
        table, error = self.layers_that_fit()
        if error:
            raise error
        return table

    def layers_that_fit(self) -> tuple[pd.DataFrame, NetworkError | None]:
        """Compute the table up to the first layer that cannot be built, to show where an impossible network ends.

        Returns
        -------
        table : pandas.DataFrame
            As `table` returns it, without the layer that cannot be built and all after it.
        error : NetworkError or None
            Why it ends there; None when every layer fits.

        Raises
        ------
        NetworkError
            When a setting is out of range.

        Examples
        --------
        >>> table, error = NetworkSpec(input_size=5).layers_that_fit()
        >>> list(table["layer"]), error.layer
        (['rescaling', 'conv_1', 'pool_1'], 'conv_2')
        """
        import pandas as pd

        self._check()
        rows, error = [], None
        try:
            for row in self._layers():
                rows.append(row)
        except NetworkError as ends:
            error = ends
        table = pd.DataFrame(rows, columns=["layer", "type", "output_shape", "parameters", "receptive_field"])
        if (total := int(table["parameters"].sum())) > MAX_PARAMETERS and not error:
            heaviest = table["layer"].iloc[int(table["parameters"].argmax())]
            error = NetworkError(
                f"This network would have {total:,} parameters, most of them in layer {heaviest}; "
                f"{MAX_PARAMETERS:,} is the maximum here. Add pooling, or use fewer filters or units."
            )
        return table, error

    def _layers(self) -> Iterator[tuple[str, str, tuple[int, ...], int, int]]:
        """Yield the table's rows. Each follows from the size and channels that the row before leaves."""
        size, channels, field, jump = self.input_size, 3, 1, 1
        yield "rescaling", "Rescaling", (size, size, channels), 0, field
        for number, block in enumerate(self.blocks, start=1):
            kernel, pool = block.kernel_size, block.pool_size
            if block.padding == "valid" and size < kernel:
                raise _vanished(f"conv_{number}", f"{kernel}×{kernel}, valid", size, f"a {kernel}×{kernel} kernel")
            size = output_size(size, kernel, padding=block.padding)
            field += (kernel - 1) * jump
            parameters = (kernel * kernel * channels + 1) * block.filters
            channels = block.filters
            yield f"conv_{number}", "Conv2D", (size, size, channels), parameters, field
            if pool > 1:
                if size < pool:
                    raise _vanished(f"pool_{number}", f"{pool}×{pool}", size, f"a {pool}×{pool} window")
                size //= pool
                field += (pool - 1) * jump
                jump *= pool
                yield f"pool_{number}", "MaxPooling2D", (size, size, channels), 0, field
        field = max(field, self.input_size)  # a dense layer sees the whole image
        units = size * size * channels
        yield "flatten", "Flatten", (units,), 0, field
        if self.dense_units:
            yield "dense", "Dense", (self.dense_units,), dense_parameters(units, self.dense_units), field
            units = self.dense_units
        yield "softmax", "Dense", (self.classes,), dense_parameters(units, self.classes), field

    def build(self) -> keras.Model:
        """Build the Keras model, not yet compiled. Its input is RGB from 0 to 255: rescaling is its first layer.

        Returns
        -------
        keras.Model
            Input (batch, input_size, input_size, 3), output (batch, classes) probabilities, float32.

        Raises
        ------
        NetworkError
            As `table` does.
        """
        self.table()
        import keras
        from keras import layers

        model = keras.Sequential(name="cnn_lab")
        model.add(keras.Input((self.input_size, self.input_size, 3), name="picture"))
        model.add(layers.Rescaling(1 / 255, name="rescaling"))
        for number, block in enumerate(self.blocks, start=1):
            model.add(
                layers.Conv2D(
                    block.filters,
                    block.kernel_size,
                    padding=block.padding,
                    activation=block.activation,
                    name=f"conv_{number}",
                )
            )
            if block.pool_size > 1:
                model.add(layers.MaxPooling2D(block.pool_size, name=f"pool_{number}"))
        model.add(layers.Flatten(name="flatten"))
        if self.dense_units:
            model.add(layers.Dense(self.dense_units, activation="relu", name="dense"))
        model.add(layers.Dense(self.classes, activation="softmax", name="softmax"))
        return model

    def to_dict(self) -> dict[str, Any]:
        """Return the spec as plain JSON-ready values; `from_dict` reads it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> NetworkSpec:
        """Read what `to_dict` wrote.

        Raises
        ------
        NetworkError
            When a name is not one of a spec's.

        Examples
        --------
        >>> NetworkSpec.from_dict(NetworkSpec().to_dict()) == NetworkSpec()
        True
        """
        try:
            blocks = tuple(ConvBlock(**block) for block in values.get("blocks", ()))
            return cls(**{**values, "blocks": blocks})
        except (TypeError, AttributeError) as error:
            raise NetworkError(f"This is not the description of a network: {error}.") from error

    def _check(self) -> None:
        _check_range("The input size", self.input_size, 4, 1024)
        _check_range("The number of dense units", self.dense_units, 0, 4096)
        _check_range("The number of classes", self.classes, 2, 1000)
        for number, block in enumerate(self.blocks, start=1):
            _check_range(f"The number of filters of conv_{number}", block.filters, 1, 1024)
            _check_range(f"The kernel size of conv_{number}", block.kernel_size, 1, 31)
            _check_range(f"The window of pool_{number}", block.pool_size, 0, 31)
            if block.padding not in PADDINGS:
                raise NetworkError(f'The padding of conv_{number} must be "valid" or "same", not {block.padding!r}.')
            if block.activation not in ACTIVATIONS:
                known = ", ".join(ACTIVATIONS)
                raise NetworkError(f"The activation of conv_{number} must be one of {known}, not {block.activation!r}.")


ARTICLE = NetworkSpec()
"""The article's network: two Conv2D(64, 3×3) + MaxPooling2D(2) blocks on 128×128, 3,725,314 parameters."""


def dense_parameters(inputs: int, units: int) -> int:
    """Count a dense layer's parameters: each unit has a weight for every input, and a bias."""
    return (inputs + 1) * units


def _check_range(what: str, value: int, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise NetworkError(f"{what} must be a whole number from {least:,} to {most:,}, not {value!r}.")


def _vanished(layer: str, form: str, size: int, needs: str) -> NetworkError:
    return NetworkError(
        f"Layer {layer} ({form}) receives {size}×{size} pixels: too few for {needs}. "
        "Use a larger picture, fewer blocks, less pooling or the padding “same”.",
        layer,
    )
