"""What Train offers to download of a run."""

from cnn_core import runs
from pages.widgets.train import downloads
from tests.pages.fake_runs import fake_run


def test_the_keras_script_is_that_of_the_run_not_of_the_settings_beside_it(app, home):
    run = runs.Run(fake_run(epochs=5, seed=7))
    test = app("train", epochs="9")
    assert "EPOCHS, BATCH, SEED = 9" in test.code[0].value
    scripts = [content().decode() for label, *_, content in downloads.files(run) if label == "Keras script"]
    assert ["EPOCHS, BATCH, SEED = 5, 15, 7" in script for script in scripts] == [True]
    (run.folder / "config.json").write_text("{")
    assert "Keras script" not in [label for label, *_ in downloads.files(run)]
    assert "Keras script" not in [label for label, *_ in downloads.files(runs.Run(fake_run("x", recipe="accurate")))]


def test_the_last_epochs_model_is_offered_where_the_model_is_the_best_ones(app, home):
    run = runs.Run(fake_run())
    assert "Last epoch's model" not in [label for label, *_ in downloads.files(run)]
    run.last_path.write_bytes(b"the last one")
    assert [content() for label, *_, content in downloads.files(run) if label == "Last epoch's model"] == [
        b"the last one"
    ]
    assert any("is the best epoch's" in caption.value for caption in app("train").caption)
