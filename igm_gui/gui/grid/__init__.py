"""The Grid workspace: many pictures at once, shown and written."""
