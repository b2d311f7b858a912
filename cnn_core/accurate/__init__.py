"""How the bundled model `accurate` is made.

- `recipe`: all steps, from the photos to the saved model
- `backbone`: the network that was trained on ImageNet
- `features`: its features of every photo, kept in the cache
- `finetuning`: training of its upper blocks
- `port`: its weights, brought from PyTorch: run once, by hand
"""
