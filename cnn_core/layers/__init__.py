"""What a network's layers are made of: how deep it can be, its first kernels, and what its layers are good for."""
