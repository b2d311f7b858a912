"""Which machines train a run together, and which of them this process is: the variable ``TF_CONFIG``.

Kubernetes sets it for each process of a TFJob; docs/several-machines.md shows how to set it by hand. All processes
train the same run. The first one writes the run folder.
"""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnn_core import CnnLabError

if TYPE_CHECKING:
    from cnn_core.engine.journal import Journal

VARIABLE = "TF_CONFIG"

JOBS = ("chief", "worker")
"""Kinds of process that train, in TensorFlow's order."""

POLL_SECONDS = 0.5
"""How often a worker looks whether the others have come."""

EXAMPLE = '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'

LOST = (
    "The connection to another worker was lost: its process has ended, or its machine cannot be reached. What that "
    "worker printed last may say why. Then start all workers again with --resume: the run continues from its "
    "checkpoint, or starts from the beginning if it has saved none."
)

BROKEN_OFF = (
    "AbortedError",
    "CancelledError",
    "DeadlineExceededError",
    "FailedPreconditionError",
    "UnavailableError",
)
"""TensorFlow's errors when a worker no longer answers."""


class ClusterError(CnnLabError):
    """``TF_CONFIG`` names no cluster that can train, or its workers do not fit together."""


@dataclass(frozen=True)
class Cluster:
    """The processes that train a run together.

    Attributes
    ----------
    workers : tuple of str
        The address of each, ``host:port``; a chief comes first.
    index : int
        Which of them this process is.
    """

    workers: tuple[str, ...]
    index: int

    @property
    def writes(self) -> bool:
        """Whether this process writes the run folder."""
        return self.index == 0


def from_environment() -> Cluster | None:
    """Return the cluster that ``$TF_CONFIG`` names; None when this process trains alone.

    Raises
    ------
    ClusterError
        As `parse`.
    """
    return parse(os.environ.get(VARIABLE, ""))


def parse(text: str) -> Cluster | None:
    """Read a value of ``TF_CONFIG``.

    Parameters
    ----------
    text : str
        JSON as TensorFlow defines it, or nothing.

    Returns
    -------
    Cluster or None
        None when it names no cluster, or a cluster of one process.

    Raises
    ------
    ClusterError
        When it is not as TensorFlow defines it, or this process is not one of those that train.

    Examples
    --------
    >>> parse('{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 1}}')
    Cluster(workers=('a:2222', 'b:2222'), index=1)
    """
    if not text.strip():
        return None
    try:
        values = json.loads(text)
        jobs = _jobs(values.get("cluster", {}))
    except (ValueError, AttributeError, TypeError) as error:
        raise ClusterError(f"{VARIABLE} cannot be read. It must look like this: {EXAMPLE}. Or remove it.") from error
    workers = [address for job in JOBS for address in jobs.get(job, [])]
    if not jobs:
        return None
    if wrong := [address for address in workers if not re.fullmatch(r"\S+:\d{1,5}", address)]:
        raise ClusterError(f"{VARIABLE} names the address “{wrong[0]}”. Add its port, for example {wrong[0]}:2222.")
    if len(set(workers)) < len(workers):
        raise ClusterError(f"{VARIABLE} names an address twice. Give every worker its own address.")
    index = _index(values.get("task"), jobs)
    return Cluster(tuple(workers), index) if len(workers) > 1 else None


def _jobs(cluster: Mapping[str, Any]) -> dict[str, list[str]]:
    jobs = {job: list(addresses) for job, addresses in cluster.items()}
    if not all(isinstance(address, str) for addresses in jobs.values() for address in addresses):
        raise TypeError
    return jobs


def _index(task: Any, jobs: dict[str, list[str]]) -> int:
    """Return the place of this process among those that train."""
    kind, number = (task.get("type"), task.get("index")) if isinstance(task, dict) else (None, None)
    if kind not in JOBS:
        raise ClusterError(
            f"{VARIABLE} says that this process has the task type “{kind}”. Only “chief” and “worker” can train."
        )
    count = len(jobs.get(kind, []))
    if not isinstance(number, int) or not 0 <= number < count:
        raise ClusterError(
            f"{VARIABLE} says that this process is {kind} number {number}, but its cluster has {count} of this type. "
            "They are counted from 0."
        )
    return number + (len(jobs.get("chief", [])) if kind == "worker" else 0)


def meet(cluster: Cluster, journal: Journal) -> None:
    """Wait until every worker listens at its address.

    Parameters
    ----------
    cluster : Cluster
    journal : Journal
        Tells for whom this process waits.

    Raises
    ------
    ClusterError
        When this process cannot listen at its own port.
    Stopped
        When somebody has asked this process to stop waiting.
    """
    address = cluster.workers[cluster.index]
    try:
        server = socket.create_server(("", _host_and_port(address)[1]), backlog=len(cluster.workers))
    except (OSError, OverflowError) as error:
        raise ClusterError(
            f"This worker cannot listen at {address}: {error}. Choose another port, on every machine."
        ) from error
    with server:  # who connects to it, even without an answer, knows that this process is there
        missing = [other for other in cluster.workers if other != address]
        while missing := [other for other in missing if not _listens(other)]:
            journal.note(message=f"Waiting for the other workers: {', '.join(missing)}.")
            journal.heed_stop()
            time.sleep(POLL_SECONDS)


def _listens(address: str) -> bool:
    try:
        socket.create_connection(_host_and_port(address), timeout=POLL_SECONDS).close()
    except (OSError, OverflowError):
        return False
    return True


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def share(count: Any, part: int, parts: int) -> tuple[Any, Any]:
    """Return which rows of a batch one of several parts takes: from the first up to, not including, the second.

    Parameters
    ----------
    count : int or tensor of int
        Rows of the batch.
    part, parts : int
        Which part, from 0, and how many there are.

    Examples
    --------
    >>> [share(5, part, 3) for part in range(3)]
    [(0, 1), (1, 3), (3, 5)]
    """
    return count * part // parts, count * (part + 1) // parts
