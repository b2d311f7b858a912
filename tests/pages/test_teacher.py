"""The teacher's page: closed without the code; with it, everyone's trainings, and what is put there for all."""

import shutil

import pytest

from cnn_core import dataset, models
from cnn_core.data_files import kept
from cnn_core.host import classroom, spaces, start
from cnn_core.storage import files
from tests.made_files import zip_of
from tests.pages.fake_runs import fake_run
from tests.shared_server import at, door  # noqa: F401

CODE = "eight letters"
clock = [1000.0]
PHOTOS = zip_of({"cat.0.jpg": b"", "dog.0.jpg": b""})
RUNS = {"anna": "20260101-000000-aaaa", "ben": "20260102-000000-bbbb"}


@pytest.fixture(autouse=True)
def with_code(door, monkeypatch) -> None:  # noqa: F811
    monkeypatch.setenv(start.TEACHER, CODE)
    monkeypatch.setattr(classroom, "monotonic", lambda: clock[0])
    clock[0] += 1000  # wrong codes of before are forgotten


@pytest.fixture
def class_at_work(at):  # noqa: F811
    folders = {}
    for name, run in RUNS.items():
        with at(name):
            folders[name] = fake_run(run, state="running", done=1, step=5, model=False)
    return folders


def opened(app, door, code: str = CODE):  # noqa: F811
    door.comes("teacher")
    test = app("teacher")
    test.text_input(key="teacher_code").set_value(code)
    return next(button for button in test.main.button if button.label == "Open").click().run()


def test_without_the_code_nothing_is_shown(app, door, class_at_work):  # noqa: F811
    for code in ("", "eight letter", "EIGHT LETTERS", "ü"):
        test = opened(app, door, code)
        assert not test.exception
        assert "This code is wrong" in test.main.error[0].value
        assert not test.main.header
        assert not test.main.get("progress")


def test_nobody_can_try_all_codes():
    for _ in range(classroom.MOST_WRONG):
        with pytest.raises(classroom.CodeError, match="code is wrong"):
            classroom.check_code("wrong")
    with pytest.raises(classroom.CodeError, match="Wait a minute"):
        classroom.check_code(CODE)
    clock[0] += 61
    classroom.check_code(CODE)


def test_there_is_no_such_page_without_a_code_or_at_home(app, door, monkeypatch):  # noqa: F811
    monkeypatch.delenv(start.TEACHER)
    with pytest.raises(classroom.CodeError):
        classroom.check_code("")
    monkeypatch.setenv(start.TEACHER, CODE)
    monkeypatch.setenv("CNN_LAB_MODE", "personal")
    with pytest.raises(classroom.CodeError):
        classroom.check_code(CODE)


def test_the_teacher_sees_and_stops_everyones_trainings(app, door, class_at_work):  # noqa: F811
    test = opened(app, door)
    assert not test.exception
    for name, run in RUNS.items():
        label = spaces.label(door.space(name))
        assert any(text.value.startswith(f"**{label}** · ") for text in test.main.markdown)
        assert f"teacher_stop_{label}_{run}" in [button.key for button in test.main.button]
    assert set(test.main.dataframe[0].value["visitor"]) == {spaces.label(door.space(name)) for name in RUNS}
    test.button(key=f"teacher_stop_{spaces.label(door.space('ben'))}_{RUNS['ben']}").click().run()
    assert [(folder / "stop").exists() for folder in class_at_work.values()] == [False, True]


def test_photos_and_models_for_all(door, at):  # noqa: F811
    article = (models.WEIGHTS / "article.keras").read_bytes()
    name = classroom.give_dataset(PHOTOS, "class.zip")
    theirs = files.host_home() / "models" / "for-all.keras"
    theirs.parent.mkdir()
    theirs.write_bytes(article)
    with at("anna"):
        assert kept.names() == [name]
        assert models.named("for-all").path == theirs
        own = files.home() / "models" / "for-all.keras"
        own.parent.mkdir(parents=True)
        shutil.copy(theirs, own)
        assert models.named("for-all").path == own
    with at("ben"):
        assert models.named("for-all").path == theirs
        assert kept.names() == [name]


def test_a_file_that_is_no_zip_is_refused_and_not_kept(app, door, at):  # noqa: F811
    test = opened(app, door)
    test.file_uploader(key="teacher_upload").upload("bad.zip", b"nope", "application/zip").run()
    assert not test.exception
    assert "is not a zip file" in test.main.error[0].value
    assert not test.main.success
    with at("anna"):
        assert kept.names() == []


def test_what_was_given_can_be_taken_back_and_what_the_host_has_put_there_cannot(app, door, at):  # noqa: F811
    datasets = files.host_home() / "datasets"
    datasets.mkdir(parents=True)
    (datasets / "of-the-host.zip").write_bytes(PHOTOS)
    test = opened(app, door)
    test.file_uploader(key="teacher_upload").upload("class.zip", PHOTOS, "application/zip").run()
    classroom.give_model((models.WEIGHTS / "article.keras").read_bytes(), "for-all.keras")
    test.run()
    for begins in ("class", "for-all"):
        button = next(button for button in test.main.button if button.key.startswith(f"teacher_take_back_{begins}"))
        button.click().run()
        assert not test.exception
    assert not [button for button in test.main.button if button.label == "Take back"]
    assert not test.main.success
    classroom.take_back("of-the-host.zip")
    with at("anna"):
        assert kept.names() == ["of-the-host.zip"]
        assert "for-all" not in [card.name for card in models.list_models()]


def test_the_hosts_own_zip_stays_when_the_same_one_is_given(door, at):  # noqa: F811
    with files.at_home(files.host_home()):
        own = [kept.keep(content, "class.zip") for content in (PHOTOS, b"nope")]
    assert classroom.give_dataset(PHOTOS, "class.zip") == own[0].name
    with pytest.raises(dataset.DatasetError, match="not a zip file"):
        classroom.give_dataset(b"nope", "class.zip")
    assert classroom.given() == []
    assert [path.exists() for path in own] == [True, True]


def test_a_link_for_the_class_becomes_a_qr_code(app, door):  # noqa: F811
    test = opened(app, door)
    test.text_input(key="teacher_link").set_value("http://school.example/convolution?kernel=sobel_x").run()
    assert not test.exception
    assert "http://school.example/convolution?kernel=sobel_x" in [code.value for code in test.main.code]
    images = [image for block in (*test.get("image"), *test.get("imgs")) for image in block.proto.imgs]
    assert images[0].alt == "The address as a QR code"
    for wrong, sentence in (("school.example", "whole address"), ("javascript:alert(1)", "whole address")):
        test.text_input(key="teacher_link").set_value(wrong).run()
        assert sentence in test.main.info[0].value
    test.text_input(key="teacher_link").set_value("http://localhost:8501/").run()
    assert "only on this computer" in test.main.warning[0].value
    test.text_input(key="teacher_link").set_value("http://school.example/?kernel=" + "1" * 5000).run()
    assert not test.exception
    assert "too long" in test.main.info[0].value


def test_a_visitor_can_give_a_name_that_is_only_text(app, door):  # noqa: F811
    space = door.comes("anna")
    test = app()
    test.session_state["own_space"] = True
    test.run()
    test.text_input(key="own_space_name").set_value("**[Anna](http://evil)** :red[x]").run()
    assert not test.exception
    assert spaces.label(space) == f"Anna-http-evil-red-x {space.name[:4]}"
    assert test.text_input(key="own_space_name").value
    test.text_input(key="own_space_name").set_value("").run()
    assert spaces.label(space) == space.name[:4]
