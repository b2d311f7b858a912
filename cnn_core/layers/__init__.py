"""What a network's layers are made of: depth, first kernels, what they are good for, the way back through them."""
