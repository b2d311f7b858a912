"""The first page: a photo in, a verdict and its reason out; and what happens when something is missing or broken."""

import contextlib
import csv
import io
import shutil

import numpy as np
import pytest
from PIL import Image

from cnn_core import explain, models, pixels
from cnn_core.explain import scores
from cnn_core.model_io import export, lite_file
from cnn_core.wording import percent
from pages.widgets import picture, verdict, warmup


def photo(seed: int, name: str = "") -> bytes:
    file = io.BytesIO()
    image = np.random.default_rng(seed).integers(0, 256, (30 + seed, 50, 3), dtype=np.uint8)
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def uploader(test, key="photos"):
    return next(upload for upload in test.main.file_uploader if upload.key == key)


def drop(test, *files):
    for name, content in files:
        uploader(test).upload(name, content, "image/png")
    return test.run()


def verdicts(test) -> list[str]:
    return [text.value for text in test.main.markdown if text.value.startswith(("## Cat", "## Dog", "## Neither"))]


def errors(test) -> list[str]:
    return [error.value for error in test.main.error]


def test_without_a_model_the_page_says_how_to_get_one(app, home):
    test = app()
    assert not test.exception
    assert "There is no model yet" in test.main.info[0].value


def test_while_tensorflow_loads_the_page_is_there_already(app, lab, monkeypatch):
    """As for a model of one's own."""
    monkeypatch.setattr(warmup, "start", lambda: None)
    monkeypatch.setattr(warmup, "ready", lambda: False)
    lite_file.beside(models.WEIGHTS / "tiny.keras").unlink()
    test = app()
    assert not test.exception
    assert uploader(test).label == "Drop a photo of your cat or dog"
    assert test.selectbox(key="model").value == "tiny"
    assert verdicts(test) == []
    progress = next(element.proto for element in test.main.get("progress"))
    assert progress.text.startswith("Loading TensorFlow")


def test_the_picture_of_the_sidebar_is_classified_at_once(app, lab):
    test = app()
    assert not test.exception
    assert verdicts(test) == ["## " + models.open_model("tiny").classify(picture.sample("chelsea")[0]).sentence]
    test = app(picture="coffee")
    assert verdicts(test) == ["## " + models.open_model("tiny").classify(picture.sample("coffee")[0]).sentence]


def test_a_dropped_photo_is_classified_and_becomes_the_picture_of_all_pages(app, lab):
    test = drop(app(), ("rex.png", photo(1)))
    expected = models.open_model("tiny").classify(pixels.open_image(photo(1)))
    assert not test.exception
    assert errors(test) == []
    assert verdicts(test) == [f"## {expected.sentence}"]
    bars = next(html.proto.body for html in test.main.get("html") if "verdict-bars" in html.proto.body)
    for value in expected.probabilities.values():
        assert f"{value * 100:.1f}\u00a0%" in bars
    assert any("rex.png" in line.value for line in test.sidebar.markdown)


def test_many_photos_make_a_table_and_broken_ones_are_named(app, lab):
    good = {f"pet{number}.png": photo(number) for number in range(3)}
    test = drop(app(), *good.items(), ("empty.jpg", b""), ("letter.jpg", b"Dear dog,"))
    assert not test.exception
    assert [error.split(":")[0] for error in errors(test)] == ["empty.jpg", "letter.jpg"]
    table = test.main.dataframe[0].value
    expected = [models.open_model("tiny").classify(pixels.open_image(content)) for content in good.values()]
    assert table["file"].tolist() == list(good)
    assert table["verdict"].tolist() == [prediction.sentence for prediction in expected]
    np.testing.assert_allclose(table["dog"], [prediction.probabilities["dog"] for prediction in expected], atol=1e-5)
    assert verdicts(test) == [f"## {expected[0].sentence}"]


def test_a_broken_photo_alone_leaves_the_verdict_on_the_picture_there_was(app, lab):
    test = app()
    before = verdicts(test)
    drop(test, ("cut.png", photo(1)[:200]))
    assert not test.exception
    assert errors(test)[0].startswith("cut.png: ")
    assert verdicts(test) == before


def test_the_reason_can_be_seen_for_either_class(app, lab):
    test = app()
    said = verdicts(test)[0]
    control = next(group for group in test.main.button_group if (group.key or "").startswith("why_"))
    assert said.lower().startswith(f"## {control.value}")
    other = {"cat": "dog", "dog": "cat"}[control.value]
    control.set_value(other).run()
    assert not test.exception
    assert verdicts(test) == [said]
    assert any(f"score for **{other}**" in text.value for text in test.main.markdown)
    test.slider(key="heat_opacity").set_value(100).run()
    assert not test.exception


def test_a_heat_map_that_was_seen_is_not_drawn_again(app, lab, monkeypatch):
    draw, drawn = explain.overlay, []
    monkeypatch.setattr(explain, "overlay", lambda *given: drawn.append(given) or draw(*given))
    test = app()
    control = next(group for group in test.main.button_group if (group.key or "").startswith("why_"))
    for label in ("cat", "dog", "cat", "dog"):
        control.set_value(label).run()
    assert len(drawn) == 2
    test.slider(key="heat_opacity").set_value(100).run()
    assert len(drawn) == 3
    drop(test, ("other.png", photo(1)))
    assert len(drawn) == 4
    assert not test.exception


def test_the_model_is_part_of_the_address(app, lab):
    for file in list(models.WEIGHTS.iterdir()):
        shutil.copy(file, models.WEIGHTS / file.name.replace("tiny", "another"))
    assert app().selectbox(key="model").value == "another"
    test = app(model="tiny")
    assert test.selectbox(key="model").value == "tiny"
    assert not app(model="../../etc/passwd").exception


@pytest.mark.slow
def test_an_uploaded_model_is_checked_kept_and_asked(app, home, good, monkeypatch):
    monkeypatch.setattr(warmup, "ready", lambda: True)
    test = app()
    uploader(test, "model_upload").upload("mine.keras", b"not a model", "application/octet-stream")
    test.run()
    assert not test.exception
    assert "mine.keras: This is not a .keras file" in errors(test)[0]
    assert models.list_models() == []
    uploader(test, "model_upload").upload("good.keras", good, "application/octet-stream")
    test.run()
    assert not test.exception
    assert test.selectbox(key="model").value == "good"
    assert len(verdicts(test)) == 1


def test_a_model_that_breaks_later_is_a_sentence(app, lab, monkeypatch):
    monkeypatch.setattr(warmup, "ready", lambda: True)
    (models.WEIGHTS / "tiny.keras").write_bytes(b"overwritten by something else")
    test = app()
    assert not test.exception
    assert "not a .keras file" in errors(test)[0]
    assert uploader(test)


def test_a_model_that_is_deleted_meanwhile_is_a_sentence(app, lab, monkeypatch):
    monkeypatch.setattr(warmup, "ready", lambda: True)
    test = app()
    chosen = models.find("tiny")
    (models.WEIGHTS / "tiny.keras").unlink()
    lists = iter([[chosen]])  # still there when the page begins, gone when it is asked
    monkeypatch.setattr(models, "list_models", lambda: next(lists, []))
    test.run()
    assert not test.exception
    assert "There is no model called “tiny”" in errors(test)[0]


@pytest.mark.slow
def test_the_script_of_the_page_gives_the_answer_of_the_page(app, lab, tmp_path, monkeypatch):
    test = drop(app(), ("rex.png", photo(4)))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rex.png").write_bytes(photo(4))
    (tmp_path / "tiny.keras").write_bytes((models.WEIGHTS / "tiny.keras").read_bytes())
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(test.main.code[0].value, "script.py", "exec"), {})
    expected = models.open_model("tiny").classify(pixels.open_image(photo(4))).probabilities
    assert out.getvalue() == f"cat {expected['cat']:.1%}, dog {expected['dog']:.1%}\n"


def test_the_csv_holds_a_row_for_every_photo():
    good = {"file": 'a,"b".png', "label": "dog", "probability": 0.9, "cat": 0.1, "dog": 0.9, "model": "m", "error": ""}
    rows = list(csv.DictReader(io.StringIO(verdict.csv_of([good, {"file": "x.jpg", "error": "The file is empty."}]))))
    assert rows[0]["file"] == 'a,"b".png'
    assert float(rows[0]["dog"]) == 0.9
    assert rows[1]["error"] == "The file is empty."
    assert rows[1]["label"] == ""


def downloads(test) -> list[str]:
    return [button.label for button in test.main.get("download_button")]


def test_model_can_be_downloaded_in_the_format_one_chooses(app, lab, monkeypatch):
    asked = []

    def exported(name, kind):
        asked.append((name, kind))
        return models.find(name).path

    monkeypatch.setattr(export, "exported", exported)
    test = app(model="tiny")
    assert "Download tiny.keras" in downloads(test)
    test.main.segmented_control(key="export_format").set_value("onnx").run()
    assert not test.exception
    assert "Download tiny.onnx" in downloads(test)
    assert asked[-1] == ("tiny", "onnx")


def test_export_that_fails_leaves_its_sentence_and_the_page(app, lab, monkeypatch):
    def exported(name, kind):
        raise export.ExportError("There is no converter. Install one.")

    monkeypatch.setattr(export, "exported", exported)
    test = app(model="tiny")
    assert errors(test) == ["There is no converter. Install one."]
    assert len(verdicts(test)) == 1


def test_card_of_the_bundled_model_is_on_the_page(app):
    (card,) = [text.value for text in app(model="article").main.markdown if text.value.startswith("## The article")]
    for part in ("95 % interval", "Where it fails", "must not be used for", "MIT"):
        assert part in card


def formulas(test) -> list[str]:
    return [latex.value for latex in test.main.latex]


def test_the_percentage_is_written_out_with_the_networks_own_scores(app, lab):
    test = app()
    assert "How the percentage is computed" in [fold.label for fold in test.main.expander]
    assert formulas(test) == [], "the scores are asked for only when the fold is open"
    test.session_state["softmax_fold"] = True
    test.run()
    assert not test.exception
    steps = scores(models.open_model("tiny"), picture.sample("chelsea")[0])
    (formula,) = formulas(test)
    label = max(steps.probabilities, key=steps.probabilities.__getitem__)
    assert f"e^{{{steps.scores[label]:.3f}}}" in formula
    assert percent(steps.probabilities[label]).replace("\u00a0%", r"\ \%") in formula
    said = " ".join(text.value for text in test.main.markdown)
    for name, score in steps.scores.items():
        assert f"**{name} {score:.3f}**".replace("-", "−") in said
    assert "temperature" not in said
