"""What the command line takes and prints.

- `arguments`: the arguments of all commands
- `progress`: progress on stderr
- `dataset_report`: the command ``dataset``
"""
