"""What overfitting is, and a training that shows it, one click away."""

import streamlit as st

from cnn_core.curves import GAP
from cnn_core.engine.config import TrainingConfig
from cnn_core.wording import percent
from pages.widgets import run_monitor

PLACE = "overfit"
"""Where `run_monitor` shows that the demonstration could not start."""

DEMONSTRATION = TrainingConfig(
    images=80, test_size=0.9, epochs=15, batch_size=4, learning_rate=1e-3, schedule="constant", augment="none"
)
"""Eight training pictures, which the network soon knows by heart; 72 test pictures, so that their loss is no chance."""


def show() -> None:
    """Explain overfitting, and offer to train a network that overfits."""
    with st.expander("What is overfitting?"):
        points = percent(GAP, 0).replace("%", "percentage points")
        st.markdown(
            "At first both curves improve: what the network learns from the training pictures also helps with pictures "
            "that it has never seen. Later it may begin to **memorize** its training pictures. Then the training "
            "accuracy still rises, but the test accuracy does not follow, and the test loss rises again. This is "
            "overfitting."
        )
        st.markdown(
            f"On this page, overfitting means: after the last epoch, the training accuracy is at least {points} above "
            "the test accuracy, and the test loss has been lower before. What helps: more photos, augmentation (each "
            "epoch shows the pictures slightly changed), or fewer epochs."
        )
    if st.button("Show me overfitting", key="train_overfit", icon=":material/trending_down:"):
        run_monitor.begin(DEMONSTRATION, PLACE)
    st.caption(
        f"Trains the article's network on only 8 drawn pets, without augmentation, for {DEMONSTRATION.epochs} epochs, "
        "and tests it on 72 others. It takes about a minute."
    )
    run_monitor.show_error(PLACE)
