"""One file per page, read top to bottom like the lesson it shows."""
