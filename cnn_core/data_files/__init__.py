"""Datasets on the disk: download, listing, decoding, and what is in them.

- `kept`: the datasets folder: what is in it, and uploads
- `download`: download of a large file that can be continued
- `naming`: what an image shows, by its name
- `unpacking`: the folder of a zip, which is unpacked once
- `reading`: listing files, and working on each of them in threads
- `decoded`: photos at one size, decoded once and kept in the cache
- `survey`: one look at every photo: size, checksum, hash
- `summary`: numbers about a dataset: classes, split, sizes
- `duplicates`: photos of the test set that are also in the training set
- `corrections`: labels that were corrected by hand
"""
