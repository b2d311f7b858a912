"""Arrays and tables as images: Plotly figures, drawings of networks, colors.

- `layout`: what all charts share
- `colors`: the app's colors, and numbers as colors (without Plotly)
- `pixel_charts`: pixels as cells, a histogram, bars
- `diagrams`: layers as boxes, kernels as small images, windows on a map
- `training_curves`: accuracy and loss over epochs or steps
- `scores`: confusion matrix, ROC curve, calibration, thresholds
- `replay_pictures`: the frames of the time machine, and its GIF
- `report`: a run's report, one HTML file
"""
