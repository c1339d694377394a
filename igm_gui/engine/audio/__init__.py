"""Sound output: ring buffer, devices, the player and live streaming. No Qt; torch only while live."""
