"""The pieces of the page Convolution."""
