"""Programs that do nothing, in the place of a browser or a Python."""

from pathlib import Path


def program(folder: Path, name: str, code: int = 0) -> str:
    """Write a program that does nothing but end with `code`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\nexit {code}\n")
    path.chmod(0o755)
    return str(path)
