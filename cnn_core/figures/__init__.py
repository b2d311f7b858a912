"""Arrays and tables as pictures: Plotly figures, drawings of networks, colors."""
