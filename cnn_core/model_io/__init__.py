"""Model files: checking and loading them, writing other formats, cards, bundling."""
