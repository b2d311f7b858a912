"""Image files.

- `decoding`: from a file of any format to red, green and blue
- `jpeg_scans`: how many scans a JPEG file has
"""
