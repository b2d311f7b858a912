"""Which pictures could not be read."""

import pandas as pd
import streamlit as st


def show(names: list[str]) -> None:
    """Count the broken pictures, and name them in a fold; show nothing when there are none."""
    if not names:
        return
    count = "1 broken picture is" if len(names) == 1 else f"{len(names):,} broken pictures are"
    with st.expander(f"{count} left out", icon=":material/broken_image:"):
        st.caption("These files cannot be read as pictures. You can replace them. If you leave them, they are ignored.")
        st.dataframe(pd.DataFrame({"file": names}), hide_index=True, alt="Names of the broken pictures")
