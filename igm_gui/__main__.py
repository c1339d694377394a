"""``python -m igm_gui`` is the command ``igm``."""

import sys

from igm_gui.cli import main

if __name__ == "__main__":
    sys.exit(main())
