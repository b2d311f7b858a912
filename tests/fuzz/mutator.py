"""Damage that a stranger may have done to a file, by chance or on purpose. The same seed gives the same files."""

import io
import json
import stat
import warnings
import zipfile
from random import Random
from typing import Any

NAMES = [
    "../outside.png", "/outside.png", "C:\\outside.png", "cat.\0.png", "cat." + "n" * 300 + ".png",
    "cat/" * 60 + "a.png",
    "cat.1.png/dog.2.png", "cat.\u202egpj.png", "con.png", "train.zip", "cat.\udce4.png", "dog.[a](b).png", "",
]  # fmt: skip
NUMBERS = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF]
VALUES: list[Any] = [
    None, True, -1, 0, 2**31, 2**63, 10**400, 1.5, float("nan"), float("inf"), "", "relu", "/etc/passwd", "x" * 5000,
    [],
    [[]], {}, [None, 8, 8, 3], {"class_name": "Lambda", "config": {}}, {"class_name": "Dense"}, {"class_name": {}},
    {"class_name": "function", "config": "get_file", "module": "keras.utils"},
]  # fmt: skip


def damaged(data: bytes, others: list[bytes], random: Random) -> bytes:
    """Return a file with some damage; what is a zip is often damaged inside, so that its checksums are right."""
    if data[:2] == b"PK" and random.random() < 0.7:
        return _inside(data, others, random)
    for _ in range(random.choice((1, 1, 2, 4, 16))):
        data = _bytes(data, others, random)
    return data


def _bytes(data: bytes, others: list[bytes], random: Random) -> bytes:
    start = random.randrange(len(data) + 1)
    end = min(len(data), start + random.choice((1, 2, 4, 16, 200)))
    width = random.choice((1, 2, 4))
    number = (random.choice(NUMBERS) % 256**width).to_bytes(width, random.choice(("little", "big")))
    other = random.choice(others)
    at = random.randrange(len(other) + 1)
    zeros, noise = bytes(end - start), random.randbytes(end - start)
    new = random.choice((number, b"", noise, data[start:end] * 3, zeros, other[at : at + 64]))
    kept = random.choice((end, start, start + len(new), len(data) if random.random() < 0.2 else end))
    return data[:start] + new + data[kept:]


def _inside(data: bytes, others: list[bytes], random: Random) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(name, archive.read(name)) for name in archive.namelist()]
    except Exception:  # damaged before
        return _bytes(data, others, random)
    file = io.BytesIO()
    hit = random.randrange(max(len(members), 1))
    method = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", method) as archive:
        warnings.simplefilter("ignore")  # two members of one name
        for number, (name, content) in enumerate(members):
            info, kind = zipfile.ZipInfo(name), random.randrange(5)
            info.compress_type = method
            if number == hit and kind == 0:
                info = zipfile.ZipInfo(random.choice(NAMES).encode("utf-8", "replace").decode() or "a")
            elif number == hit and kind == 1:
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
                content = b"/etc/passwd"
            elif number == hit and name == "config.json":
                content = json.dumps(_tree(json.loads(content), random)).encode()
            elif number == hit:
                content = damaged(content, others, random)
            archive.writestr(info, content)
    whole = file.getvalue()
    return _bytes(whole, others, random) if random.random() < 0.2 else whole


def _tree(node: Any, random: Random) -> Any:
    """Replace, remove or double some part of what JSON describes."""
    if not isinstance(node, dict | list) or not node or random.random() < 0.15:
        value = random.choice(VALUES)
        return [value] * 2 if random.random() < 0.1 else value
    if isinstance(node, list):
        at = random.randrange(len(node))
        return [*node[:at], *random.choice(([], [node[at]] * 2, [_tree(node[at], random)])), *node[at + 1 :]]
    key = random.choice(list(node))
    if random.random() < 0.1:
        return {name: value for name, value in node.items() if name != key}
    return node | {key: _tree(node[key], random)}
