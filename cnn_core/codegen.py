"""The Keras script that reproduces what a page shows. Every function returns text that runs as it stands."""
