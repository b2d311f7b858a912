"""The pieces of the page Network."""
