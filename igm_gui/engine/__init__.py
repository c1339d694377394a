"""The engine: renderer, render loop, jobs, devices, sound output."""
