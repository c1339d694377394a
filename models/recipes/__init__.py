"""Training recipes: one module for each bundled model, run as `python -m models.recipes.<name>`."""
