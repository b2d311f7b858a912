"""How many scans a JPEG file has. A file of some kilobytes can hold thousands, and each goes over the whole image."""

import re

_NEXT = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)
"""A marker. Zeros and restart markers after 0xFF belong to the data of a scan."""

_SCAN, _END = 0xDA, 0xD9


def count(data: bytes) -> int:
    """Count the scans of the first image in a JPEG file; what follows its end, such as a video, is not looked at.

    Parameters
    ----------
    data : bytes
        The whole file.

    Examples
    --------
    >>> import io
    >>> from PIL import Image
    >>> file = io.BytesIO()
    >>> Image.new("RGB", (8, 8)).save(file, "JPEG", progressive=True)
    >>> count(file.getvalue())
    10
    """
    scans, at = 0, 2
    while found := _NEXT.search(data, at):
        marker, at = found[1][0], found.end()
        if marker == _END:
            break
        scans += marker == _SCAN
        at += int.from_bytes(data[at : at + 2], "big")
    return scans
