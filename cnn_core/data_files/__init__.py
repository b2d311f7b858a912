"""Datasets as people have them: where they are kept, their download, what is in them, what was corrected in them."""
