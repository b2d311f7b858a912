"""How the bundled model `accurate` is made: the recipe, its backbone, the features, the fine-tuning, the port."""
