"""What is kept on the disk.

- `files`: the home folder, and files that are replaced whole
- `cache`: results that take long to compute
- `lock`: a lock on a folder
- `archives`: unpacking a zip safely
"""
