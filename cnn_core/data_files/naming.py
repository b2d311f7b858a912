"""What an image shows, by the name of its file and its folders."""

import posixpath
import re

NAMED = re.compile(r"(cat|dog)s?(?![a-z])")
"""How the name of a file begins that says what it shows."""

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"}


def label_of(name: str) -> str | None:
    """Tell what an image shows from its path inside the dataset, or None when nothing tells.

    The file's own name counts first, then its folders from the innermost out.

    Examples
    --------
    >>> label_of("train/cat.0.jpg"), label_of("PetImages/Dog/17.jpg"), label_of("test1/17.jpg")
    ('cat', 'dog', None)
    """
    *folders, file = name.lower().split("/")
    if found := NAMED.match(file):
        return found[1]
    for folder in reversed(folders):
        if folder in ("cat", "cats", "dog", "dogs"):
            return folder[:3]
    return None


def shown_by(name: str) -> str | None:
    """Tell what a file shows from its path inside the dataset; None when nothing tells, or it is no image.

    Examples
    --------
    >>> shown_by("train/cat.0.jpg"), shown_by("train/cat.0.txt")
    ('cat', None)
    """
    return label_of(name) if posixpath.splitext(name)[1].lower() in SUFFIXES else None
