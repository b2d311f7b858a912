"""The pieces of the page Pixels."""
