"""The Keras scripts that do in code what a page shows. Each runs as it is.

- `lessons`: pixels, convolution, classification, evaluation
- `chain_script`: the chain of stages on Pooling
- `training_script`: the training and the network
- `corrections_script`: corrected labels, as a part of the training script
- `literals`: numbers, arrays and texts as Python code
"""
