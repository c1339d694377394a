"""The Timeline workspace: keyframes in time, played, scrubbed and written."""
