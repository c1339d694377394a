"""First-run set-up: a virtual environment, the locked packages, Qt's system libraries.

Standard library only: it runs before anything is installed. ``start`` decides what to do,
``environment`` makes ``.venv``, ``progress`` shows how far pip is, ``system`` looks at the machine.
Modules are imported when they are needed, because a second start must take no time.
"""
