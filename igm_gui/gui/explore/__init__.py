"""Explore: what goes in on the left, what comes out in the middle, places to go on the right."""
