"""For whoever puts the app in front of others: the mode, the visitors' spaces, the limits, and the checks at start."""
