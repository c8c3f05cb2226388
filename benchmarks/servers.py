"""The servers of scripts/, which is beside the benchmarks and not a package."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "scripts"))
from qdrant_server import Server, running_cluster, running_server

__all__ = ["Server", "running_cluster", "running_server"]
