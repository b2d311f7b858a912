"""Image files: decoding them."""
