"""The labs: components that compute in the browser, and tell Python once the visitor pauses.

The browser's code stands in files of its own: one subject a file, joined to one script here, since Streamlit takes a
component as texts. What Python knows already (kernels, colors, limits) is handed over as constants.
"""
