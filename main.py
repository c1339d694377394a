#!/usr/bin/env python3
"""Open IGM Studio; on the first run, set it up.

    python3 main.py [FILE]        open the window (on a model, a project or a result)
    python3 main.py test [...]    run the tests; what follows goes to pytest
    python3 main.py --setup       only set up; "--setup test" with what the tests need

This file and the folder igm_setup use nothing but Python's standard library. What they install goes to
the folder .venv beside this file. This file itself is kept readable to old Pythons, so that they can say
what is wrong.
"""

import sys

if sys.version_info < (3, 11):
    sys.stderr.write(
        "IGM Studio needs Python 3.11 or newer; this is Python %d.%d (%s).\n"
        "Start it with a newer one, for example: python3.12 main.py\n"
        % (sys.version_info[0], sys.version_info[1], sys.executable)
    )
    sys.exit(2)

from igm_setup.start import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
