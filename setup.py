"""What pyproject.toml cannot say: an editable install is a link, which type checkers follow.

The repository's root is the package, and so no directory on Python's path could hold it; an import
hook, which setuptools would make of that, is seen by no editor.
"""

import sys
from pathlib import Path

from setuptools import setup

LINK = Path(".editable", "melon")


def package_dir() -> dict[str, str]:
    """Where the packages are: `melon` is the root, or in an editable install the link to it."""
    if "editable_wheel" in sys.argv:
        LINK.parent.mkdir(exist_ok=True)
        try:
            if not LINK.exists():
                LINK.symlink_to("..", target_is_directory=True)
        except OSError:  # where links need a right, on Windows, it is the import hook
            return {"melon": "."}
        return {"": str(LINK.parent)}
    return {"melon": "."}


setup(package_dir=package_dir(), script_name="setup.py")  # the name is what a wheel leaves out
