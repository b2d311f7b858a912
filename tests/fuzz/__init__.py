"""Random damage for the doors that strangers' files come through: a corpus made in code, a mutator, a process."""
