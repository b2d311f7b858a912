"""What is behind `cnn_core.training`.

Settings:

- `config`: the settings, as in ``config.json``
- `allowed`: what a visitor of a shared server may start
- `run_size`: how much disk space a run can need
- `environment`: versions, command and processor, as in ``environment.json``

The process:

- `process`: starting it, and the reason when it dies
- `child`: how a process is started
- `warm`: a process that has imported TensorFlow before it is needed
- `loading`: the import of TensorFlow
- `line`: the line in which runs wait
- `liveness`: whether a run is alive, from its folder

The training:

- `learning`: the training itself, from any epoch and step
- `batches`: images to batches
- `augmentation`: random changes of the images
- `class_weights`: weights for a rare class
- `precision`: float32 or bfloat16
- `fast_blocks`: convolution and pooling in a faster order
- `image_by_image`: the same one image after the other, compiled, for a long training
- `ahead`: compiling it before the first step, beside all else
- `one_image`: an image's convolution and pooling, by Winograd's way
- `fused_adam`: Adam's step in one operation
- `callbacks`: what happens after each step and epoch

The run folder:

- `journal`: status, history and steps
- `saving`: when the model and the history are saved
- `checkpoint`: the file from which a run continues
- `snapshots`: copies of the weights for the time machine
- `tensorboard`: event files for TensorBoard
- `damage`: which files are damaged

Several machines:

- `cluster`: which machines, from ``TF_CONFIG``
- `team`: what the processes tell each other
- `shared_training`: one training step on all of them
"""
