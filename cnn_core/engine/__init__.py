"""What stands behind a training: its settings, its journal, the augmentation."""
