"""The Network page: edit the layers, see shapes and parameters, see where it ends and why."""

import pytest

from cnn_core.layers.dense import compare_with_dense
from cnn_core.layers.depth import max_depth
from cnn_core.network import ARTICLE, ConvBlock, NetworkSpec
from cnn_core.wording import large


def table(test):
    return test.dataframe[0].value


def metric(test):
    return next(item.value for item in test.metric if item.label == "Total parameters")


def widget(items, label):
    return next(item for item in items if item.label == label)


@pytest.fixture
def page(app):
    return app("network")


def test_starts_with_the_articles_network(page):
    assert not page.exception
    assert metric(page) == "3,725,314"
    assert table(page)["parameters"].tolist() == ARTICLE.table()["parameters"].tolist()
    assert table(page)["output_shape"].iloc[1] == "126 × 126 × 64"


def test_every_edit_changes_table_and_code(page):
    widget(page.selectbox, "Filters 1").set_value(8).run()
    widget(page.selectbox, "Kernel 2").set_value(5).run()
    widget(page.selectbox, "Padding 2").set_value("same").run()
    widget(page.select_slider, "Dense units").set_value(16).run()
    spec = NetworkSpec(128, (ConvBlock(8), ConvBlock(64, 5, "same")), 16)
    assert metric(page) == f"{spec.parameters:,}"
    assert 'layers.Conv2D(64, 5, padding="same", activation="relu")' in page.code[0].value
    assert page.session_state["network_spec"] == spec.to_dict()


def test_impossible_network_is_a_sentence_and_the_page_lives_on(page):
    widget(page.select_slider, "Input size").set_value(16).run()
    widget(page.slider, "Blocks of convolution and pooling").set_value(4).run()
    assert not page.exception
    assert "conv_3" in page.error[0].value
    widget(page.select_slider, "Input size").set_value(128).run()
    assert not page.error
    assert metric(page)


def test_depth_answers(page):
    assert f"**{max_depth(128)} blocks**" in page.info[0].value
    widget(page.select_slider, "Pooling").set_value(1).run()
    assert f"**{max_depth(128, pool_size=1)} blocks**" in page.info[0].value
    widget(page.segmented_control, "Padding").set_value("same").run()
    assert "No limit" in page.success[0].value


def test_link_reproduces_the_network(app):
    test = app("network", blocks="1", filters_1="8", dense="0", size="32")
    assert metric(test) == f"{NetworkSpec(32, (ConvBlock(8),), 0).parameters:,}"


def test_junk_in_the_address_is_ignored(app):
    test = app("network", blocks="many", filters_1="-8", size="1e9")
    assert not test.exception
    assert metric(test) == "3,725,314"


def test_junk_in_the_address_gets_a_sentence(app):
    test = app("network", blocks="many", filters_1="-8", dense="64")
    assert "“blocks=many” and “filters_1=-8”" in test.warning[0].value
    assert "dense" not in test.warning[0].value
    assert "“blocks=2.5”" in app("network", blocks="2.5").warning[0].value
    assert not app("network", blocks="3", filters_1="8", kernel_1="5×5", pool_2="none").warning


def test_impossible_network_shows_how_far_it_gets(app):
    test = app("network", size="16", blocks="4")
    assert table(test)["layer"].tolist() == ["rescaling", "conv_1", "pool_1", "conv_2", "pool_2"]


def test_random_kernels_are_shown_beside_learned_ones(page):
    alike = [float(metric.value.replace("−", "-")) for metric in page.metric if metric.label == "Neighbor similarity"]
    assert len(alike) == 2
    assert abs(alike[0]) < 0.05 < alike[1]


def said(test) -> str:
    return " ".join(item.value for item in test.markdown)


def test_a_dense_layer_with_as_many_results_stands_beside_the_convolution(page):
    conv, dense = compare_with_dense(ARTICLE)["parameters"]
    assert page.dataframe[1].value["parameters"].tolist() == [conv, dense]
    assert f"**{conv:,}** parameters" in said(page)
    assert f"**{large(dense)}** parameters" in said(page)
    widget(page.selectbox, "Filters 1").set_value(8).run()
    assert f"**{8 * (27 + 1)}** parameters" in said(page)


def test_fewer_parameters_without_blocks_are_explained(page):
    without = NetworkSpec(128, (), 64)
    assert without.parameters < ARTICLE.parameters
    assert f"With 0 blocks, this network has **{without.parameters:,}** parameters; as built above" in said(page)
    widget(page.slider, "Blocks of convolution and pooling").set_value(0).run()
    assert not page.exception
    assert f"With 0 blocks, this network has **{without.parameters:,}** parameters. " in said(page)
    assert page.dataframe[1].value["parameters"].tolist() == compare_with_dense(ARTICLE)["parameters"].tolist()
