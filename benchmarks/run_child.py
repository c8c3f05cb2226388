"""Runs one command and prints what it took as JSON; `harness.run` starts it.

Linux counts the peak memory of whoever starts a process as that process's own, so this one, which
imports next to nothing, stands in between.
"""

import os
import sys
import time


def main() -> None:
    """`python -I -S run_child.py COMMAND…`: the command's own output goes to stderr."""
    start = time.perf_counter()
    output = [(os.POSIX_SPAWN_DUP2, 2, 1)]
    child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=output)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    cpu_seconds = usage.ru_utime + usage.ru_stime
    print(f'{{"seconds": {seconds}, "cpu_seconds": {cpu_seconds}, ', end="")
    print(f'"peak_mb": {usage.ru_maxrss * unit / 1e6}}}')
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
