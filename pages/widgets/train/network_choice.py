"""Which network is trained: the one that was built in lesson 4, or the article's."""

import streamlit as st

from cnn_core.network import ARTICLE, NetworkSpec

OWN, ARTICLES = "My network from lesson 4", "The article's network"


def choose() -> NetworkSpec | None:
    """Return the network to train, or None after saying which of its layers does not fit."""
    spec = NetworkSpec.from_dict(st.session_state.get("network_spec", ARTICLE.to_dict()))
    if spec != ARTICLE and st.radio("Network", [OWN, ARTICLES], key="network_choice") == ARTICLES:
        spec = ARTICLE
    _, problem = spec.layers_that_fit()
    if problem:
        st.error(f"Your network from lesson 4 cannot be trained. {problem} Or train the article's network.")
    else:
        count = len(spec.blocks)
        st.caption(
            f"{count} block{'' if count == 1 else 's'} of convolution and pooling, input of {spec.input_size}×"
            f"{spec.input_size} pixels, {spec.parameters:,} parameters."
        )
    st.page_link("pages/network.py", label="Change the network", icon=":material/account_tree:")
    return None if problem else spec
