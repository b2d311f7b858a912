"""How a window slides over an image.

- `geometry`: where it stops, and how much padding it needs
- `operands`: checks of image, kernel and bias
- `fast`: the convolution at all stops, as matrix products
"""
