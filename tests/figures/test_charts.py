"""The charts show the numbers they are given, in the app's colors."""

import re

import numpy as np
import pandas as pd
import pytest

from cnn_core.figures import colors, diagrams, pixel_charts, scores, training_curves

HISTORY = pd.DataFrame(
    {"epoch": [1, 2], "loss": [0.7, 0.5], "val_loss": [0.6, 0.4], "accuracy": [0.5, 0.7], "val_accuracy": [0.6, 0.8]}
)


def test_epoch_of_the_lowest_test_loss_is_marked():
    figure = training_curves.training_curve(HISTORY, "loss", best_epoch=2)
    (label,) = (note for note in figure.layout.annotations if note.text == "lowest test loss")
    assert label.x == 2
    assert 2 in [line.x0 for line in figure.layout.shapes]
    assert len(training_curves.training_curve(HISTORY, "loss").layout.annotations) == 1


def test_the_labels_of_a_chart_of_losses_do_not_cover_each_other():
    flat = HISTORY.assign(loss=0.7, val_loss=0.69)  # as when nothing is learned: the line of guessing is in the middle
    notes = {note.text: note for note in training_curves.training_curve(flat, "loss", best_epoch=2).layout.annotations}
    assert (notes["guessing"].yref, notes["guessing"].yanchor) == (None, "bottom")
    assert (notes["lowest test loss"].y, notes["lowest test loss"].yanchor) == (1, "top")


def test_a_training_curve_shows_both_sets_and_the_score_of_guessing():
    figure = training_curves.training_curve(HISTORY, "loss")
    training, test = figure.data
    assert list(training.y) == [0.7, 0.5]
    assert list(test.y) == [0.6, 0.4]
    assert (training.line.color, test.line.color) == (colors.TRAINING, colors.TEST)
    assert figure.layout.shapes[0].y0 == pytest.approx(np.log(2))


def test_a_long_line_of_steps_is_thinned_and_placed_between_the_epochs():
    steps = pd.DataFrame({"step": range(1, 5001), "epoch": [1] * 2500 + [2] * 2500, "loss": np.linspace(1, 0, 5000)})
    line = training_curves.training_curve(HISTORY, "loss", steps, steps_per_epoch=2500).data[0]
    assert len(line.x) <= 800
    assert 0 < min(line.x) < max(line.x) <= 2


def test_smoothing_is_tensorboards():
    """Its own algorithm: https://github.com/tensorflow/tensorboard, `classicSmoothing` in scalar_card_data_source."""
    values = np.random.default_rng(1).normal(size=50)
    for weight in (0.0, 0.6, 0.99):
        last, expected = 0.0, []
        for number, value in enumerate(values, 1):
            last = last * weight + (1 - weight) * value
            expected.append(last / (1 - weight**number))
        assert training_curves.smoothed(pd.Series(values), weight).tolist() == pytest.approx(expected)


def test_each_step_undoes_the_running_mean_of_its_epoch():
    losses = np.random.default_rng(2).random((3, 7))
    steps = pd.DataFrame({"epoch": np.repeat([1, 2, 3], 7)})
    steps["loss"] = (losses.cumsum(1) / np.arange(1, 8)).ravel()
    assert training_curves.each_step(steps, "loss").tolist() == pytest.approx(losses.ravel().tolist())


STEPS = pd.DataFrame({"step": [1, 2, 3, 4], "epoch": [1, 1, 2, 2], "loss": [0.8, 0.7, 0.5, 0.5]})


def test_the_raw_steps_stand_faint_behind_the_smoothed_ones():
    raw, smooth, *_ = training_curves.training_curve(HISTORY, "loss", STEPS, 2, smoothing=0.5).data
    assert list(raw.y) == pytest.approx([0.8, 0.6, 0.5, 0.5])
    assert raw.opacity < smooth.opacity
    assert list(smooth.y) == pytest.approx([0.8, 2 / 3, 0.4 / 0.7, 0.8 / 1.5])
    compared = training_curves.compare_runs({"a": HISTORY}, "loss", smoothing=0.5).data
    assert [list(line.y) for line in compared[:2]] == [[0.6, 0.4], pytest.approx([0.6, 0.7 / 1.5])]
    assert compared[0].opacity < (compared[1].opacity or 1)


def test_the_axis_counts_steps_where_that_is_wanted():
    figure = training_curves.training_curve(HISTORY, "loss", STEPS, 2, best_epoch=2, axis="step")
    assert [list(line.x) for line in figure.data] == [[1, 2, 3, 4], [2, 4], [2, 4]]
    assert 4 in [line.x0 for line in figure.layout.shapes]
    assert figure.layout.xaxis.title.text == "step"
    compared = training_curves.compare_runs({"a": HISTORY, "b": HISTORY}, "loss", steps_per_epoch={"a": 2, "b": 10})
    assert [list(line.x) for line in compared.data] == [[2, 4], [2, 4], [10, 20], [10, 20]]
    assert compared.layout.xaxis.title.text == "step"


def test_each_compared_run_has_a_color_and_a_symbol_of_its_own():
    lines = training_curves.compare_runs({f"run {number}": HISTORY for number in range(8)}, "accuracy").data
    tests = [line for line in lines if line.showlegend]
    assert len({line.line.color for line in tests}) == len({line.marker.symbol for line in tests}) == 8


def test_numbers_in_cells_can_be_read_on_their_color():
    shades = np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)
    texts = pixel_charts.numbered_cells(np.array([[0, 255]]), shades).data[1]
    assert list(texts.textfont.color) == ["white", "black"]


def test_a_histogram_counts_every_pixel_once():
    channel = np.random.default_rng(0).integers(0, 256, (30, 40), dtype=np.uint8)
    black, white = pixel_charts.histogram(channel, 100).data
    assert black.y.sum() == (channel < 100).sum()
    assert white.y.sum() == (channel >= 100).sum()


def test_the_followed_window_is_drawn_last_and_marked():
    windows = np.array([[0, 0, 1, 1], [0, 1, 1, 2]])
    frames = diagrams.windowed_cells(np.array([[-1.0, 2.0]]), windows, followed=0).layout.shapes
    assert (frames[-1].x0, frames[-1].line.color) == (-0.5, colors.MARK)


def test_no_cell_of_a_confusion_matrix_is_rounded_to_all():
    texts = scores.confusion_matrix([[999, 1], [0, 1000]]).data[0].text
    assert "over 99\u00a0% of the cats" in texts[0][0]
    assert "100\u00a0% of the dogs" in texts[1][1]  # these are all of them


ALMOST = 0.99996
"""Rounded to one digit it is 100 %."""


def hovers(figure) -> list[str]:
    """What a pointer sees on each point of a chart."""

    def fill(template: str, data) -> str:
        return re.sub(r"%\{customdata(?:\[(\d)\])?\}", lambda found: np.atleast_1d(data)[int(found[1] or 0)], template)

    return [fill(line.hovertemplate, data) for line in figure.data if line.hovertemplate for data in line.customdata]


@pytest.mark.parametrize(
    "figure",
    [
        scores.roc(
            pd.DataFrame(
                {"threshold": [1, 0], "false_positive_rate": [0.00001, ALMOST], "true_positive_rate": [0.00001, ALMOST]}
            ),
            (ALMOST, ALMOST),
        ),
        scores.calibration(
            pd.DataFrame(
                {"low": [0.95], "high": [1.0], "images": [70_000], "confidence": [ALMOST], "accuracy": [ALMOST]}
            )
        ),
        scores.thresholds(
            pd.DataFrame({"threshold": [0.5], "accuracy": [ALMOST], "precision": [ALMOST], "recall": [ALMOST]}), 0.5
        ),
        training_curves.training_curve(
            pd.DataFrame({"epoch": [1], "accuracy": [ALMOST], "val_accuracy": [1.0]}),
            "accuracy",
            pd.DataFrame({"step": [1], "epoch": [1], "accuracy": [1.0]}),
            steps_per_epoch=1,
        ),
        training_curves.compare_runs(
            {"first": pd.DataFrame({"epoch": [1], "accuracy": [ALMOST], "val_accuracy": [1.0]})}, "accuracy"
        ),
    ],
    ids=["roc", "calibration", "thresholds", "training curve", "compared runs"],
)
def test_what_a_pointer_sees_is_never_rounded_to_all_or_nothing(figure):
    seen = hovers(figure)
    assert seen
    for words in seen:
        assert "over 99.9\u00a0%" in words or "under 0.1\u00a0%" in words
        assert "%{y" not in words


def test_all_of_some_answers_may_be_right_but_no_probability_is_100_percent():
    rows = pd.DataFrame({"low": [0.95], "high": [1.0], "images": [7], "confidence": [1.0], "accuracy": [1.0]})
    right, sure = hovers(scores.calibration(rows))
    assert "7 answers, right in 100\u00a0%" in right
    assert "over 99.9\u00a0%" in sure


def test_the_loss_keeps_its_digits_under_the_pointer():
    steps = pd.DataFrame({"step": [1], "epoch": [1], "loss": [0.69]})
    step, first, *_ = hovers(training_curves.training_curve(HISTORY, "loss", steps, steps_per_epoch=2))
    assert step.endswith("0.690")
    assert first.endswith("0.7000")


def test_numbers_in_charts_are_written_as_in_the_text_of_the_page():
    cells = np.array([[-13.0, 2.5]])
    assert diagrams.windowed_cells(cells, np.array([[0, 0, 1, 2]])).data[1].text == ("−13", "2.5")
    texts = pixel_charts.numbered_cells(cells, np.zeros((1, 2, 3), np.uint8)).data[1]
    assert (texts.text, texts.customdata[0]) == (("−13", "2.5"), "−13")
    assert hovers(pixel_charts.number_bars(["number 3"], [-0.123456])) == ["%{y}: −0.12346"]


def test_long_numbers_are_written_smaller_so_that_they_stay_in_their_cells():
    windows = np.array([[0, 0, 1, 1]])
    short, long = (
        diagrams.windowed_cells(np.full((8, 8), value), windows).data[1].textfont.size for value in (1.0, -1234.5)
    )
    assert long < short
