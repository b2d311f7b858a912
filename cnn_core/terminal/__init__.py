"""What the command line says and takes: the arguments of each command, and how far a command is."""
