"""How large the recipe's network, its images and its training are: asked also where TensorFlow is not imported."""

INPUT_SIZE = 300
"""Height and width of the images in pixels. ImageNet's network of this size learned from 260, but from crops, in
which things look larger than in whole images: "Fixing the train-test resolution discrepancy", arXiv:1906.06423."""

IMAGE_SIZE = 224
"""Height and width of the training images. With `finetuning.CROP_SHARE`, things are as large as in a whole image of
`INPUT_SIZE`."""

FEATURES = 1280
"""Numbers that the network says about an image, before any class is asked."""

PARAMETERS = 4_784_586
"""Of the network with its verdict, which a snapshot holds."""

EPOCHS, BATCH_SIZE = 4, 32
"""Of the fine-tuning."""
