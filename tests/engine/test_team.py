"""What the workers of a run tell each other: the files from which it goes on, and whether they have the same images."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from cnn_core.engine.cluster import ClusterError

pytestmark = pytest.mark.slow


class Sums:
    """Adds up what each of several threads brings, in the place of a strategy over several processes."""

    def __init__(self, parts: int) -> None:
        self.barrier, self.values = threading.Barrier(parts, timeout=20), []

    def reduce(self, operation, value, axis):
        import tensorflow as tf

        assert (operation, axis) == ("SUM", None)
        self.values.append(value)
        self.barrier.wait()
        total = tf.add_n(self.values)
        if self.barrier.wait() == 0:
            self.values.clear()
        self.barrier.wait()
        return total


def each(parts: int, work) -> list:
    """Let each member of a team do its work at the same time; return what it returned, or its error."""
    from cnn_core.engine.team import Team

    sums = Sums(parts)
    with ThreadPoolExecutor(parts) as pool:
        futures = [pool.submit(work, Team(sums, part, parts)) for part in range(parts)]
        return [future.exception() or future.result() for future in futures]


def test_every_worker_gets_the_files_of_the_first_one(tmp_path):
    contents = {"a": b"", "b": b"\xff", "c": b"12345", "d": bytes(range(256)) * 33, "not there": None}
    for part in range(3):
        (tmp_path / str(part)).mkdir()
        (tmp_path / str(part) / "b").write_bytes(b"older")
    for name, content in contents.items():
        if content is not None:
            (tmp_path / "0" / name).write_bytes(content)
    assert each(3, lambda team: team.copy(tmp_path / str(team.part), contents)) == [None] * 3
    for part in (1, 2):
        found = {file.name: file.read_bytes() for file in (tmp_path / str(part)).iterdir()}
        assert found == {name: content for name, content in contents.items() if content}


def test_workers_with_other_images_end_with_a_sentence_and_so_do_the_others():
    same = [["/data/cat.1.jpg", "/data/dog.1.jpg"]] * 3
    assert each(3, lambda team: team.compare(same[team.part])) == [None] * 3
    moved = [same[0], ["/mnt/cat.1.jpg", "/mnt/dog.1.jpg"], same[0]]
    assert each(3, lambda team: team.compare(moved[team.part])) == [None] * 3
    other = [same[0], same[0][:1], same[0]]
    errors = each(3, lambda team: team.compare(other[team.part]))
    assert all(isinstance(error, ClusterError) and "1 of 3 workers" in str(error) for error in errors), errors
