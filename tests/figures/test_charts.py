"""The charts show the numbers they are given, in the app's colors."""

import numpy as np
import pandas as pd
import pytest

from cnn_core.figures import colors, diagrams, pixel_charts, scores, training_curves

HISTORY = pd.DataFrame(
    {"epoch": [1, 2], "loss": [0.7, 0.5], "val_loss": [0.6, 0.4], "accuracy": [0.5, 0.7], "val_accuracy": [0.6, 0.8]}
)


def test_a_training_curve_shows_both_sets_and_the_score_of_guessing():
    figure = training_curves.training_curve(HISTORY, "loss")
    training, test = figure.data
    assert list(training.y) == [0.7, 0.5]
    assert list(test.y) == [0.6, 0.4]
    assert (training.line.color, test.line.color) == (colors.TRAINING, colors.TEST)
    assert figure.layout.shapes[0].y0 == pytest.approx(np.log(2))


def test_a_long_line_of_steps_is_thinned_and_placed_between_the_epochs():
    steps = pd.DataFrame({"step": range(1, 5001), "loss": np.linspace(1, 0, 5000)})
    line = training_curves.training_curve(HISTORY, "loss", steps, steps_per_epoch=2500).data[0]
    assert len(line.x) <= 800
    assert 0 < min(line.x) < max(line.x) <= 2


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
    assert "over 99 % of the cats" in texts[0][0]
    assert "100 % of the dogs" in texts[1][1]  # these are all of them
