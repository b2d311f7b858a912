"""The Keras scripts that repeat what a page shows. Each runs as it stands."""
