"""The Keras scripts that do in code what a page shows. Each runs as it is."""
