"""What a network's layers do.

- `depth`: how deep a network can be, and why kernels are small
- `dense`: a dense layer in the place of a convolution
- `stacked`: two convolutions in a row are one, without ReLU
- `first_kernels`: the kernels of the first layer, random and learned
- `weighted_sum`: one number of a convolution or dense layer as a sum
- `way_back`: from such a number back through pooling, ReLU and other layers
"""
