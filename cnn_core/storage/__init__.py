"""What outlives a session: the home folder, files that are replaced whole, zips that are unpacked safely."""
