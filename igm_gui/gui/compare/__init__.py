"""The Compare workspace: models side by side, driven by one point."""
