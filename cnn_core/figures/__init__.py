"""Arrays and tables as images: Plotly figures, drawings of networks, colors."""
