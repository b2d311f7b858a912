"""Pieces of the Pooling page."""
