"""What a network's layers are made of: how deep it can be, and the kernels of its first convolution."""
