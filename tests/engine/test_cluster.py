"""What TF_CONFIG says about the processes of a run, how they wait for each other, and what each takes of a batch."""

import json
import re
import socket
import threading
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn_core import cli, runs
from cnn_core.engine import cluster
from cnn_core.engine.cluster import Cluster, ClusterError
from cnn_core.engine.journal import Journal, Stopped
from cnn_core.terminal.arguments import parser
from tests.tiny_runs import until

ROOT = Path(__file__).parents[2]
PAIR = {"worker": ["a:2222", "b:2222"]}


def config(jobs: object, kind: object = "worker", index: object = 0) -> str:
    return json.dumps({"cluster": jobs, "task": {"type": kind, "index": index}})


@pytest.mark.parametrize("text", ["", "  ", "{}", '{"cluster": {}}', config({"worker": ["a:2222"]})])
def test_a_process_without_others_trains_alone(text):
    assert cluster.parse(text) is None


def test_the_first_process_writes_a_chief_if_there_is_one():
    chief = {"chief": ["c:1"], "worker": ["a:1", "b:1"]}
    found = [cluster.parse(config(chief, kind, index)) for kind, index in (("chief", 0), ("worker", 0), ("worker", 1))]
    assert found == [Cluster(("c:1", "a:1", "b:1"), index) for index in range(3)]
    assert [one.writes for one in found] == [True, False, False]
    assert cluster.parse(config(PAIR)).writes


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("worker 0", "must look like this"),
        ("[1]", "must look like this"),
        ('{"cluster": ["a:1"]}', "must look like this"),
        (config({"worker": 3}), "must look like this"),
        (config({"worker": [1, 2]}), "must look like this"),
        (json.dumps({"cluster": PAIR}), "task type “None”"),
        (json.dumps({"cluster": PAIR, "task": 1}), "task type “None”"),
        (config(PAIR, "ps"), "task type “ps”. Only “chief” and “worker” can train"),
        (config(PAIR, "evaluator"), "task type “evaluator”"),
        (config(PAIR, "worker", 2), "worker number 2, but its cluster has 2"),
        (config(PAIR, "worker", -1), "worker number -1"),
        (config(PAIR, "worker", "0"), "worker number 0"),
        (config(PAIR, "chief", 0), "chief number 0, but its cluster has 0"),
        (config({"worker": ["a", "b:1"]}), "“a”. Add its port, for example a:2222"),
        (config({"worker": ["a:1", "a:1"]}), "an address twice"),
    ],
)
def test_a_wrong_tf_config_is_one_sentence(text, words, monkeypatch, capsys):
    with pytest.raises(ClusterError, match=words):
        cluster.parse(text)
    monkeypatch.setenv("TF_CONFIG", text)
    assert cli.main(["train", "--images", "24"]) == 1
    assert words in capsys.readouterr().err


@given(st.integers(0, 50), st.integers(1, 5), st.integers(1, 4))
def test_the_shares_of_a_batch_are_all_of_it_and_nearly_alike(count, workers, devices):
    parts = workers * devices
    shares = [cluster.share(count, part, parts) for part in range(parts)]
    assert (shares[0][0], shares[-1][1]) == (0, count)
    assert all(before[1] == after[0] for before, after in pairwise(shares))
    sizes = [end - first for first, end in shares]
    assert max(sizes) - min(sizes) <= 1
    for worker in range(workers):  # the devices of a worker share what the worker has read
        first, end = cluster.share(count, worker, workers)
        assert (shares[worker * devices][0], shares[(worker + 1) * devices - 1][1]) == (first, end)


@pytest.fixture
def pair(monkeypatch) -> list[Cluster]:
    monkeypatch.setattr(cluster, "POLL_SECONDS", 0.02)
    with socket.socket() as one, socket.socket() as two:
        for free in (one, two):
            free.bind(("localhost", 0))
        addresses = tuple(f"localhost:{free.getsockname()[1]}" for free in (one, two))
    return [Cluster(addresses, index) for index in (0, 1)]


def listening(address: str) -> socket.socket:
    return socket.create_server(("", int(address.rpartition(":")[2])))


def journal(folder) -> Journal:
    folder.mkdir()
    return Journal(folder)


def test_workers_wait_until_all_are_there(pair, tmp_path):
    journals = [journal(tmp_path / name) for name in ("first", "second")]
    waits = threading.Thread(target=cluster.meet, args=(pair[0], journals[0]), daemon=True)
    waits.start()
    until(lambda: pair[0].workers[1] in journals[0].status.message, 10)  # it says for whom
    cluster.meet(pair[1], journals[1])
    with listening(pair[1].workers[1]):  # as TensorFlow does from here on
        waits.join(10)
    assert not waits.is_alive()


def test_a_worker_that_waits_can_be_stopped(pair, tmp_path):
    waiting = journal(tmp_path / "run")
    (waiting.folder / "stop").touch()
    with pytest.raises(Stopped):
        cluster.meet(pair[0], waiting)


def test_a_port_in_use_is_one_sentence(pair, tmp_path):
    with listening(pair[0].workers[0]), pytest.raises(ClusterError, match="cannot listen at localhost"):
        cluster.meet(pair[0], journal(tmp_path / "run"))


@pytest.mark.parametrize("resume", [[], ["--resume"]])
def test_a_worker_that_does_not_write_leaves_no_folder(resume, tmp_path, monkeypatch, capsys):
    """Neither the one that is named, which may not even exist here, nor the one that it works in."""
    folders = []

    def spawn(folder):
        folders.append(folder)
        (folder / "status.json").write_text('{"state": "finished"}')

    monkeypatch.setattr(runs, "spawn", spawn)
    monkeypatch.setenv("TF_CONFIG", config(PAIR, index=1))
    out = tmp_path / "shared" / "run"
    assert cli.main(["train", "--data", str(tmp_path / "elsewhere"), "--out", str(out), "--json", *resume]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["run"], answer["model"], answer["state"]) == (None, None, "finished")
    assert folders != [out]
    assert not folders[0].exists()
    assert not out.parent.exists()


def test_the_examples_of_the_documents_are_as_they_say():
    guide = (ROOT / "docs" / "several-machines.md").read_text("utf-8")
    found = [cluster.parse(text) for text in re.findall(r"TF_CONFIG='(.*)'", guide)]
    assert found == [Cluster(("host1:2222", "host2:2222"), index) for index in (0, 1)]
    commands = guide + (ROOT / "docs" / "tfjob.yaml").read_text("utf-8")
    lines = re.findall(r"-m cnn_core (train.*)", commands)
    assert len(lines) == 3
    assert [parser().parse_args(line.replace("$resume", "--resume").split()).command for line in lines] == ["train"] * 3
