"""What the tests ask of the machine. It is imported before numpy is, which reads this but once."""

from __future__ import annotations

import os
import sys

IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}

# Where Python is told to keep no bytecode, each process of a test would compile what it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Each process of the tests is told of a terminal, where commands print tables to fit.
os.environ.pop("COLUMNS", None)

# Threads that wait for one another beside other work would take most of the time of learning.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
