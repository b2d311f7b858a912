"""The photos that someone drops on the page Classify."""
