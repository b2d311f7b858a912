"""Two visitors of a shared server: neither sees, opens, stops or deletes what is the other's, however it is named."""

import json
import shutil
from types import SimpleNamespace

import pytest

from cnn_core import models, runs
from cnn_core.data_files import corrections, kept
from cnn_core.dataset import DatasetError, open_dataset
from cnn_core.engine import process
from cnn_core.engine.config import TrainingConfig
from cnn_core.host import limits
from cnn_core.model_io import export
from cnn_core.storage import files
from cnn_core.storage.cache import cache_path
from pages.widgets import background, data_source
from tests.made_images import photos
from tests.pages.fake_runs import fake_run
from tests.shared_server import at, door  # noqa: F401

DONE = SimpleNamespace(wait=lambda: 0)
ANNAS, BENS = "20260101-000000-aaaa", "20260102-000000-bbbb"


@pytest.fixture
def runs_of_both(at):  # noqa: F811
    folders = {}
    for name, run in (("anna", ANNAS), ("ben", BENS)):
        with at(name):
            folders[name] = fake_run(run, state="running", done=1, step=5, model=False)
    return folders


def everything(test) -> str:
    """Return all that has been sent to the browser."""
    return "\n".join(str(node.proto) for node in (*test.main, *test.sidebar) if node.proto is not None)


def test_each_sees_only_their_own_trainings(app, door, runs_of_both):  # noqa: F811
    for name, own, other in (("anna", ANNAS, BENS), ("ben", BENS, ANNAS)):
        door.comes(name)
        for page, query in (("train", {"run": other}), ("evaluate", {"model": other})):
            test = app(page, **query)
            assert not test.exception
            (asked,) = query
            said = f"“{asked}={other}”, which is not one of the choices"  # as of one that does not exist
            assert said in test.main.warning[0].value
            assert other not in everything(test).replace(said, "")
            if page == "train":
                assert test.selectbox(key="run").options == [test.selectbox(key="run").options[0], "The bundled model"]
                assert test.selectbox(key="run").value == own


def test_stop_reaches_only_ones_own_training(app, door, runs_of_both):  # noqa: F811
    door.comes("anna")
    app("train").button(key="train_stop").click().run()
    assert (runs_of_both["anna"] / "stop").exists()
    assert not (runs_of_both["ben"] / "stop").exists()


def test_a_model_of_another_is_as_one_that_does_not_exist(app, door, at):  # noqa: F811
    with at("ben"):
        theirs = files.home() / "models" / "bens.keras"
        theirs.parent.mkdir(parents=True)
        shutil.copy(models.WEIGHTS / "article.keras", theirs)
        assert models.find("bens").path == theirs
    with at("anna"):
        for name in ("bens", str(theirs), str(models.WEIGHTS / "article.keras"), "../bens/bens"):
            with pytest.raises(models.ModelError, match="There is no model called"):
                models.open_model(name)
    door.comes("anna")
    for page in ("classify", "evaluate"):
        test = app(page, model="bens")
        assert test.selectbox(key="model").value != "bens"
        assert "bens" not in test.selectbox(key="model").options
    told = []
    for name in (str(theirs), "nothing"):
        test = app("convolution", kernel_of=f"{name}:0", conv_channel="All three")
        told.append([error.value.replace(name, "") for error in test.main.error])
    assert told[0] == told[1] != []


def test_the_lab_under_the_hand_opens_no_file_by_its_path(app, monkeypatch, tmp_path):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    path = shutil.copy(models.WEIGHTS / "article.keras", tmp_path / "mine.keras")
    test = app("convolution", kernel_of=f"{path}:0", conv_channel="All three")
    assert any("There is no model called" in error.value for error in test.main.error)


def test_datasets_are_the_hosts_and_ones_own_and_nothing_else(app, door, at, tmp_path):  # noqa: F811
    elsewhere = photos(tmp_path / "elsewhere")
    photos(files.host_home() / "datasets" / "class")
    (files.host_home() / "datasets" / "linked").symlink_to(elsewhere)
    with at("ben"):
        theirs = kept.keep(b"bens zip", "bens.zip")
    with at("anna"):
        assert kept.names() == ["class", "linked"]
        for name in kept.names():
            assert len(open_dataset(kept.path(name))) == 8
        inside = kept.path("class") / ".." / ".." / "spaces"
        for path in (elsewhere, theirs, files.host_home(), inside, "/", tmp_path / "nothing", "~"):
            with pytest.raises(DatasetError, match="There is no folder or zip at"):
                open_dataset(path)
    door.comes("anna")
    for page in ("train", "evaluate"):
        test = app(page, data="Folder on the server", data_path=str(elsewhere))
        assert not test.exception
        assert test.radio(key="data").options == ["Drawn pets", "Upload a zip", "Datasets folder"]
        assert test.radio(key="data").value == "sketches"
        assert str(elsewhere) not in everything(test)
        test = app(page, data="Datasets folder", dataset=theirs.name)
        assert test.selectbox(key="dataset").options == ["class", "linked"]
        assert str(files.host_home()) not in everything(test)
    assert [field.label for field in test.sidebar.text_input] == []


def test_corrections_of_a_common_dataset_are_ones_own(at):  # noqa: F811
    data = photos(files.host_home() / "datasets" / "class")
    with at("anna"):
        corrections.correct(data, ["cat.0.png"], "dog")
        assert corrections.of(data) == {"cat.0.png": "dog"}
    with at("ben"):
        assert corrections.of(data) == {}
    assert sorted(path.name for path in (files.host_home() / "datasets").iterdir()) == ["class"]


def test_a_process_works_for_its_visitor_but_in_the_line_of_all(door, at, monkeypatch):  # noqa: F811
    begun = []
    monkeypatch.setattr(process.subprocess, "Popen", lambda command, env, **_: begun.append(env) or DONE)
    with at("anna"):
        run = runs.start(TrainingConfig(images=8))
        assert run.folder.parent == door.space("anna") / "runs"
    files.ask_for_home(None)  # as in that process
    for name in (files.HOME, files.HOST_HOME):
        monkeypatch.setenv(name, begun[0][name])
    assert files.home() == door.space("anna")
    assert files.host_home() == door.space("anna").parents[1]
    assert files.visiting()


def test_what_is_computed_of_the_hosts_pictures_is_kept_once_and_of_ones_own_apart(at):  # noqa: F811
    host = files.host_home()
    kept_for_all, own = [], []
    for name in ("anna", "ben"):
        with at(name):
            pictures = [host / "datasets" / "class" / "cat.0.jpg", host / "cache" / "unpacked-1" / "dog.0.jpg"]
            kept_for_all.append(cache_path("images", ["key"], about=pictures))
            own.append(cache_path("images", ["key"], about=[*pictures, files.home() / "datasets" / "cat.jpg"]))
            own.append(cache_path("images", ["another key"]))
    assert set(kept_for_all) == {host / "cache" / kept_for_all[0].name}
    assert len(set(own)) == 4
    assert not any(path.is_relative_to(host / "cache") for path in own)


def test_a_model_that_everyone_has_is_written_once_for_all(at, monkeypatch):  # noqa: F811
    written = []
    monkeypatch.setattr(export, "export_in_child", lambda model, kind, out: written.append(out.write_bytes(b"a file")))
    given = files.host_home() / "models" / "given.keras"
    given.parent.mkdir(parents=True)
    shutil.copy(models.WEIGHTS / "article.keras", given)
    found = []
    for name in ("anna", "ben"):
        with at(name):
            own = files.home() / "models" / "mine.keras"
            own.parent.mkdir(parents=True)
            shutil.copy(models.WEIGHTS / "accurate.keras", own)
            found.append([export.exported(model, "onnx") for model in ("accurate", "given", "mine")])
    assert found[0][:2] == found[1][:2]
    assert {path.parent for path in found[0][:2]} == {files.host_home() / "cache"}
    assert found[0][2] != found[1][2]
    assert found[1][2].is_relative_to(files.host_home() / "spaces")
    assert len(written) == 4


def test_a_download_that_waits_for_a_click_belongs_to_its_visitor(door, at):  # noqa: F811
    with at("anna"):
        download = files.at_this_home(files.home)
    with at("ben"):
        assert download() == door.space("anna")
        assert files.home() == door.space("ben")


def test_jobs_of_another_are_not_there(at):  # noqa: F811
    class Secret(background.Job):
        def work(self) -> None:
            self.found = files.home()

    with at("anna"):
        mine = background.job(Secret)
        assert mine.ready(5)
        assert background.job(Secret) is mine
    with at("ben"):
        assert background.jobs(Secret) == []
        theirs = background.job(Secret)
        assert theirs.ready(5)
        assert theirs is not mine
        assert theirs.found == files.home() != mine.found
        background.forget(*background.jobs())
    with at("anna"):
        assert background.jobs(Secret) == [mine]
        background.forget(mine)


def test_too_many_jobs_are_told_in_a_sentence(at, monkeypatch):  # noqa: F811
    class Nothing(background.Job):
        def work(self) -> None:
            pass

    monkeypatch.setenv(limits.COSTLY.variable, "1")
    with at("anna"):
        jobs = [Nothing(), Nothing()]
        assert all(job.ready(5) for job in jobs)
        assert sorted(job.error for job in jobs) == ["", limits.COSTLY.sentence]


def test_controls_end_at_the_limits(app, door, spawned, monkeypatch):  # noqa: F811
    door.comes("anna")
    test = app("train", epochs="500", data="Folder on the server")
    assert not test.exception
    assert "“data=Folder on the server” and “epochs=500”" in test.main.warning[0].value
    assert test.number_input(key="epochs").max == limits.EPOCHS.usual
    assert test.number_input(key="epochs").value <= limits.EPOCHS.usual
    assert test.number_input(key="images_drawn").max == limits.PICTURES.usual
    monkeypatch.setenv(limits.PICTURES.variable, "100")
    monkeypatch.setenv(limits.EPOCHS.variable, "2")
    test = app("train")
    assert not test.exception
    test.button(key="short_start").click().run()
    (folder,) = spawned
    assert folder.parent == door.space("anna") / "runs"
    started = json.loads((folder / "config.json").read_text())
    assert (started["images"], started["epochs"]) == (100, 2)


def test_a_visitor_sees_and_deletes_what_is_theirs(app, door, runs_of_both):  # noqa: F811
    shutil.rmtree(runs_of_both["anna"])
    with files.at_home(door.comes("anna")):
        kept.keep(bytes(2_000_000), "pets.zip")
    test = app()
    test.session_state["own_space"] = True
    test.run()
    assert "take 2 of 1,000 MB" in "".join(caption.value for caption in test.sidebar.caption)
    test.button(key="own_space_delete").click().run()
    assert not test.exception
    assert not door.space("anna").exists()
    assert door.space("ben").exists()


def test_at_home_a_link_reads_nothing_before_a_click(app, monkeypatch, tmp_path):
    def read() -> list[str]:
        return [job.data for job in background.jobs(data_source.Look)]

    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    background.forget(*background.jobs())
    data, other = str(photos(tmp_path / "pets")), str(photos(tmp_path / "others"))
    for page in ("evaluate", "train"):
        test = app(page, data="Folder on the server", data_path=data)
        assert not test.exception
        assert (read(), background.jobs()) == ([], [])
        assert data in [code.value for code in test.main.code]
    next(button for button in test.main.button if button.label == "Read these pictures").click().run()
    assert read() == [data]
    assert "Read these pictures" not in [button.label for button in test.main.button]
    test.text_input(key="data_path").set_value(other).run()  # who types it, means it
    assert read() == [data, other]
