"""How numbers are written for readers: shares, plain numbers, times; and how a stranger's text is."""

import math
import re
import unicodedata
from collections.abc import Callable


def percent(share: float, digits: int = 1, *, counted: bool = False) -> str:
    """Write a share as a percentage. Nothing that was estimated is ever called 100 % or 0 %.

    The space before the sign is a no-break space, so that no line ends between the two.

    Parameters
    ----------
    share : float
        0 to 1, or NaN.
    digits : int
        Digits after the point.
    counted : bool
        Whether it is a share of things that were counted, where all may be all: 10 of 10 is 100 %.

    Returns
    -------
    str

    Examples
    --------
    >>> percent(0.942), percent(0.9999), percent(1.0), percent(0.0)
    ('94.2\\xa0%', 'over 99.9\\xa0%', 'over 99.9\\xa0%', 'under 0.1\\xa0%')
    >>> percent(0.97, 0), percent(0.996, 0), percent(1, 0, counted=True), percent(float("nan"))
    ('97\\xa0%', 'over 99\\xa0%', '100\\xa0%', '–')
    """
    if share != share:  # NaN is no number, not even itself
        return "–"
    if counted and share in (0, 1):
        return f"{share * 100:.0f}\u00a0%"
    smallest = 10.0**-digits
    if round(share * 100, digits) >= 100:
        return f"over {100 - smallest:.{digits}f}\u00a0%"
    if round(share * 100, digits) <= 0:
        return f"under {smallest:.{digits}f}\u00a0%"
    return f"{share * 100:.{digits}f}\u00a0%"


def number(value: float) -> str:
    """Write a number with at most five significant digits and a true minus sign.

    Examples
    --------
    >>> number(-3.14159265), number(-0.0)
    ('−3.1416', '0')
    """
    return f"{value + 0.0:.5g}".replace("-", "−")


def decimal(value: float) -> str:
    """Write a number with two significant digits and without an exponent, however small it is.

    Examples
    --------
    >>> decimal(4.5776e-05), decimal(257.8), decimal(0.0)
    ('0.000046', '258', '0')
    """
    if abs(value) >= 100:
        return f"{value:.0f}"
    text = f"{value:.{max(1 - math.floor(math.log10(abs(value))), 0)}f}" if value else "0"
    return text.rstrip("0").rstrip(".") if "." in text else text


def large(value: float) -> str:
    """Write a large number with three digits and a word, as people say it.

    Examples
    --------
    >>> large(1792), large(27_869_751), large(49_942_593_792)
    ('1,792', '27.9 million', '49.9 billion')
    """
    for unit, word in ((1e9, "billion"), (1e6, "million")):
        if value >= unit:
            return f"{float(f'{value / unit:.3g}'):,g} {word}"
    return f"{value:,.0f}"


def tex(value: float) -> str:
    """Write a number with three significant digits for a formula in LaTeX.

    Examples
    --------
    >>> tex(10.0745), tex(12345678), tex(-0.5)
    ('10.1', '1.23 \\\\cdot 10^{7}', '-0.5')
    """
    digits, _, power = f"{value:.3g}".partition("e")
    return f"{digits} \\cdot 10^{{{int(power)}}}" if power else digits


def data_size(count: float) -> str:
    """Write a number of bytes with three digits, as shops write the size of a disk: 1 MB is a million bytes.

    Examples
    --------
    >>> data_size(824_887_076), data_size(1_649_774_152), data_size(350_000)
    ('825 MB', '1.65 GB', '0.35 MB')
    """
    size, unit = (count / 1e9, "GB") if count >= 999.5e6 else (count / 1e6, "MB")
    return f"{float(f'{size:.3g}'):,g} {unit}"


def so_far(what: str, done: int, total: int, write: Callable[[int], str] = "{:,}".format) -> str:
    """Say how far something is; a total of 0 is not known yet.

    Parameters
    ----------
    what : str
    done, total : int
    write : callable
        How the two numbers are written; `data_size` for bytes.

    Examples
    --------
    >>> so_far("Reading", 500, 25000), so_far("Looking", 500, 0), so_far("Waiting", 0, 1)
    ('Reading: 500 of 25,000', 'Looking: 500', 'Waiting')
    >>> so_far("Downloading", 12_600_000, 825_000_000, data_size)
    'Downloading: 12.6 MB of 825 MB'
    """
    if not done:
        return what
    return f"{what}: {write(done)} of {write(total)}" if total else f"{what}: {write(done)}"


def duration(seconds: float | None) -> str:
    """Write a time as people say it.

    Examples
    --------
    >>> duration(45), duration(200), duration(3900)
    ('45 s', '3 min 20 s', '1 h 05 min')
    """
    whole = round(seconds or 0)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def time_left(seconds: float | None) -> str:
    """Write the end of a line of progress; nothing while the time left is not known.

    Examples
    --------
    >>> time_left(200), time_left(None)
    (' · 3 min 20 s left', '')
    """
    return "" if seconds is None else f" · {duration(seconds)} left"


_MARKUP = re.compile(r"[\\`*\[\]<>#~$|&]|(?<![^\W_])_|_(?![^\W_])|^[-+=]")
"""What begins Markdown, HTML, a formula or an entity; at the start also what begins a list or a rule.

An underscore between two letters or digits begins nothing."""

_SEAM = re.compile(
    r"(?<=:)(?=[\w/+:-])|(?<=www)(?=\.)|(?<=@)(?=\w)|(?<=[-<>~])(?=[-=>])|^(?=\d+[.)](?:\s|$))", re.IGNORECASE
)
"""Where addresses, directives, emoji, icons, arrows and numbered lists begin, some even with escaped characters."""

_JOINER = "\N{WORD JOINER}"
"""A character without a width."""

_BIDI = frozenset(map(chr, (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))))


def visible(text: object) -> str:
    """Write a stranger's text on one line, without characters that control the screen or the order of the letters.

    Examples
    --------
    >>> visible("cat\\n\\x1b[31m.jpg"), visible("cat\\u202egpj.exe")
    ('cat �[31m.jpg', 'cat�gpj.exe')
    """
    line = " ".join(str(text).split())
    return "".join("\N{REPLACEMENT CHARACTER}" if _controls(character) else character for character in line)


def _controls(character: str) -> bool:
    return character in _BIDI or unicodedata.category(character) in ("Cc", "Cs")


def plain(text: object) -> str:
    """Write a stranger's text, such as a file's name, so that Markdown shows it as it is.

    No link, image, format, color, formula, icon, emoji or HTML comes of it, neither in CommonMark and GitHub's Markdown
    nor with what Streamlit adds to them. Errors are given here too: their sentences contain names.

    Examples
    --------
    >>> plain("**b** :red[hi].jpg") == "\\\\*\\\\*b\\\\*\\\\* :\\u2060red\\\\[hi\\\\].jpg"
    True
    >>> plain("my cat_2 (new).jpg")
    'my cat_2 (new).jpg'
    """
    return _MARKUP.sub(r"\\\g<0>", _SEAM.sub(_JOINER, visible(text)))
