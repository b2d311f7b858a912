"""How a shared server is doing, in Prometheus' text format."""

from __future__ import annotations

from cnn_core.engine import line
from cnn_core.host import counts, spaces
from cnn_core.storage.files import size


def text() -> str:
    """Write the numbers of the server: spaces, runs, disk, and what was refused since it was set up.

    Examples
    --------
    >>> print(text())
    # TYPE cnn_lab_spaces gauge
    cnn_lab_spaces ...
    """
    living, most = line.living(), line.max_runs()
    now = {
        "spaces": len(spaces.everyone()),
        "runs_training": min(living, most),
        "runs_waiting": max(living - most, 0),
        "disk_bytes": size(spaces.root()),
    }
    lines = [f"# TYPE cnn_lab_{name} gauge\ncnn_lab_{name} {value}" for name, value in now.items()]
    for name, count in counts.read().items():
        lines.append(f"# TYPE cnn_lab_{name}_total counter\ncnn_lab_{name}_total {count}")
    return "\n".join(lines) + "\n"
