"""The program's name and version, for every place that states them."""

__version__ = "0.1.0"
PROGRAM = f"IGM Studio {__version__}"
