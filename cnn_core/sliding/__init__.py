"""How a window slides over an image: what it checks, where it stops, how it pads, and how to compute all stops fast."""
