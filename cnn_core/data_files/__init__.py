"""Datasets as people have them: downloads, the datasets of this lab, what a look through the photos tells, corrections."""
