"""Each limit of a shared server refuses with a sentence at its door, counts that, and does not bind anybody at home."""

import io
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from cnn_core import CnnLabError, dataset, models, runs, training
from cnn_core.data_files import kept
from cnn_core.engine import journal, line, run_size
from cnn_core.engine.config import TrainingConfig
from cnn_core.host import counts, gauges, limits, spaces
from cnn_core.storage import files, lock
from tests.shared_server import at, door  # noqa: F401
from tests.tiny_runs import TINY, folder_with, until
from tests.watched import written

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture(autouse=True)
def nothing_starts(monkeypatch):
    monkeypatch.setattr(runs, "spawn", lambda folder: None)


def refused(limit, do) -> None:
    with pytest.raises(limits.LimitError) as error:
        do()
    assert str(error.value) == limit.sentence
    name = f"refused_{limit.variable.removeprefix('CNN_LAB_').lower()}"
    assert counts.read()[name] == 1
    assert f"cnn_lab_{name}_total 1" in gauges.text().splitlines()


def test_the_readme_has_every_limit_with_its_default():
    rows = re.findall(r"^\| `(CNN_LAB_\w+)` \| ([\d,]+) \| (.+) \|$", README.read_text("utf-8"), re.MULTILINE)
    assert rows == [(limit.variable, f"{limit.usual:,}", limit.what) for limit in limits.TABLE]


@pytest.mark.parametrize("limit", limits.TABLE, ids=lambda limit: limit.variable)
@pytest.mark.parametrize("value", ["0", "-3", "many", "1.5", "٣"])
def test_a_limit_that_is_no_number_is_named(monkeypatch, limit, value):
    monkeypatch.setenv(limit.variable, value)
    with pytest.raises(limits.SettingError, match=f"{limit.variable} must be a whole number from 1 on"):
        _ = limit.value


@pytest.mark.parametrize(
    ("limit", "config"),
    [
        (limits.PICTURES, replace(TINY, images=2001)),
        (limits.PICTURES, replace(TINY, images=None)),
        (limits.EPOCHS, replace(TINY, epochs=21)),
    ],
)
def test_a_training_that_is_too_large_is_refused(at, limit, config):  # noqa: F811
    with at("anna"):
        refused(limit, lambda: runs.start(config))
        assert runs.list_runs() == []
        runs.start(replace(TINY, images=2000, epochs=20))


def test_a_visitor_has_few_trainings_under_way(at):  # noqa: F811
    with at("anna"):
        first = runs.start(TINY)
        (first.folder / "status.json").write_text('{"state": "stopped"}')
        others = [runs.start(TINY), runs.start(TINY)]
        assert [run.active for run in others] == [True, True]  # they wait to be heard of
        refused(limits.WAITING, lambda: runs.start(TINY))
        with pytest.raises(limits.LimitError):
            first.resume()
    with at("ben"):
        runs.start(TINY)


def test_the_line_of_all_has_an_end(at, monkeypatch):  # noqa: F811
    monkeypatch.setenv(limits.LINE.variable, "1")
    with at("anna"):
        theirs = folder_with(files.home() / "runs" / "one")
    with at("ben"), lock.locked(theirs):
        line.join(theirs)
        refused(limits.LINE, lambda: runs.start(TINY))
    with at("ben"):
        runs.start(TINY)


def test_an_upload_that_is_too_large_is_refused(at, monkeypatch):  # noqa: F811
    monkeypatch.setenv(limits.UPLOAD.variable, "1")
    with at("anna"):
        refused(limits.UPLOAD, lambda: kept.keep(bytes(1_000_001), "pets.zip"))
        with pytest.raises(limits.LimitError):
            models.save_upload(bytes(1_000_001), "mine.keras")
        assert kept.names() == []
        kept.keep(bytes(1_000_000), "pets.zip")


def test_a_full_space_takes_no_more_and_loses_its_cache_first(at, monkeypatch):  # noqa: F811
    monkeypatch.setenv(limits.SPACE.variable, "1")
    with at("anna") as _:
        kept.keep(bytes(600_000), "first.zip")
        waste = files.home() / "cache" / "images-0.npy"
        waste.parent.mkdir()
        waste.write_bytes(bytes(300_000))
        kept.keep(bytes([1]) * 300_000, "second.zip")
        assert not waste.exists()
        refused(limits.SPACE, lambda: kept.keep(bytes([2]) * 300_000, "third.zip"))
        assert len(kept.names()) == 2
    with at("ben"):
        kept.keep(bytes(600_000), "first.zip")


def test_a_training_that_cannot_fit_is_refused_before_it_starts(at, monkeypatch):  # noqa: F811
    wide = replace(TINY, network=replace(TINY.network, dense_units=2000))
    with at("anna"):
        needed = run_size.most_bytes(wide)
        monkeypatch.setenv(limits.SPACE.variable, str(needed // limits.MB + 1))
        run = runs.start(wide)
        (run.folder / "status.json").write_text('{"state": "stopped"}')
        (run.folder / "snapshots").mkdir()
        (run.folder / "snapshots" / "000000000.npz").write_bytes(bytes(needed - limits.MB))
        with pytest.raises(limits.LimitError) as error:
            runs.start(wide)
        assert str(error.value).startswith(
            f"This training may need {needed / limits.MB:,.0f} MB on the disk; a smaller network"
        )
        assert limits.SPACE.sentence in str(error.value)
        assert counts.read()["refused_max_space_mb"] == 1
        assert len(runs.list_runs()) == 1
        run.resume()  # what it has on the disk already is not counted twice


def test_more_of_everything_takes_more_room(at):  # noqa: F811
    def needs(**changes) -> int:
        return run_size.most_bytes(replace(TINY, **changes))

    with at("anna"):
        own = str(files.home() / "datasets" / "pets.zip")
        assert needs() < needs(epochs=9) < needs(epochs=9, batch_size=3)
        assert needs(network=replace(TINY.network, dense_units=9)) > needs()
        assert needs(data=own) - needs() == 24 * (16 * 16 * 3 + 4)  # the pictures of an upload are kept decoded
        assert needs(data=str(files.host_home() / "datasets" / "class")) == needs()


def test_a_training_that_outgrows_the_space_stops_and_says_so(at, monkeypatch):  # noqa: F811
    def fit(config, folder, writer, team):
        (folder / "model.keras").write_bytes(bytes(1_500_000))
        until(writer.heed_stop, 30)

    monkeypatch.setattr(training, "fit", fit)
    monkeypatch.setattr(journal, "HEARTBEAT_SECONDS", 0.01)
    monkeypatch.setattr(journal, "SPACE_SECONDS", 0.01)
    monkeypatch.setenv(limits.SPACE.variable, "1")
    with at("anna"):
        folder = folder_with(files.home() / "runs" / "one")
        training.train(folder)
        status = journal.read_status(folder)
    assert status.state == "stopped"
    assert status.message.startswith("Stopped: your space is full. The model was saved. A visitor has 1 MB")
    assert status.message.endswith("Then you can resume the run.")
    assert (folder / "model.keras").exists()
    assert counts.read()["refused_max_space_mb"] == 1


def test_what_an_upload_unpacks_to_counts(at, monkeypatch):  # noqa: F811
    monkeypatch.setenv(limits.SPACE.variable, "1")
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        for label in ("cat", "dog"):
            archive.writestr(f"{label}.0.jpg", bytes(600_000))
    with at("anna"):
        path = kept.keep(zipped.getvalue(), "pets.zip")
        refused(limits.SPACE, lambda: dataset.open_dataset(path))


def test_a_zip_inside_a_zip_counts_before_it_is_written(at, monkeypatch):  # noqa: F811
    monkeypatch.setenv(limits.SPACE.variable, "1")
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train.zip", bytes(2_000_000))
    with at("anna"):
        path = kept.keep(zipped.getvalue(), "pets.zip")
        with written() as seen:
            refused(limits.SPACE, lambda: dataset.open_dataset(path))
        assert [file for file in seen if file.suffix == ".zip"] == []


def test_links_in_a_space_lead_nobody_out_of_it(at, tmp_path):  # noqa: F811
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept.txt").write_text("kept")
    with at("anna"):
        kept.keep(b"photos", "pets.zip")
        run = runs.Run(files.home() / "runs" / "20260101-000000-aaaa")
        run.folder.parent.mkdir()
        run.folder.symlink_to(outside)
        (files.home() / "round").symlink_to(files.home())
        assert files.size(files.home()) < 1000
        with pytest.raises(runs.RunError):
            run.delete()
        assert spaces.clear()
        assert not files.home().exists()
    assert (outside / "kept.txt").read_text() == "kept"


def test_the_disk_of_all_visitors_is_bounded(at, monkeypatch):  # noqa: F811
    monkeypatch.setenv(limits.DISK.variable, "1")
    with at("anna"):
        kept.keep(bytes(600_000), "first.zip")
    with at("ben"):
        refused(limits.DISK, lambda: kept.keep(bytes(600_000), "first.zip"))


def test_who_asks_for_too_much_waits_a_minute_and_nobody_else(at, monkeypatch):  # noqa: F811
    now = [1000.0]
    monkeypatch.setattr(limits.time, "monotonic", lambda: now[0])
    monkeypatch.setenv(limits.COSTLY.variable, "3")
    with at("anna"):
        for _ in range(3):
            limits.spend()
            now[0] += 10
        refused(limits.COSTLY, limits.spend)
        with at("ben"):
            limits.spend()
        now[0] = 1060.5  # a minute after the first
        limits.spend()
        with pytest.raises(limits.LimitError):
            limits.spend()


def test_a_long_turn_ends(at, monkeypatch, tmp_path):  # noqa: F811
    now = [1000.0]
    monkeypatch.setattr(journal.time, "monotonic", lambda: now[0])
    with at("anna"):
        writer = journal.Journal(folder_with(tmp_path / "run"))
        writer.write(state="waiting")
        now[0] += 3600
        writer.heed_stop()  # who waits, does not train
        writer.start = now[0]
        writer.write(state="running")
        now[0] += 60 * limits.MINUTES.usual
        writer.heed_stop()
        now[0] += 1
        with pytest.raises(journal.TimeUp):
            writer.heed_stop()
        writer.close()


def test_a_run_whose_turn_is_over_is_stopped_and_says_how_to_go_on(at, monkeypatch):  # noqa: F811
    def fit(*_):
        raise journal.TimeUp

    monkeypatch.setattr(training, "fit", fit)
    with at("anna"):
        folder = folder_with(files.home() / "runs" / "one")
        training.train(folder)
        status = journal.read_status(folder)
    assert (status.state, status.message) == ("stopped", limits.MINUTES.sentence)
    assert counts.read()["refused_max_minutes"] == 1


def test_at_home_nobody_is_limited(monkeypatch, tmp_path):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    for limit in limits.TABLE:
        monkeypatch.setenv(limit.variable, "1")
    for _ in range(3):
        limits.spend()
    kept.keep(bytes(2_000_000), "pets.zip")
    kept.keep(bytes(2_000_001), "pets.zip")
    for _ in range(3):
        runs.start(TrainingConfig(images=None, epochs=1000))
    assert counts.read() == {}


def test_every_refusal_is_an_error_that_pages_show():
    assert issubclass(limits.LimitError, CnnLabError)
    assert all(limit.refusal for limit in limits.TABLE if limit not in (limits.RUNS, limits.IDLE))
