"""The types of the arrays that this room works with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
"""Vectors and weights."""

Scores = NDArray[np.float64]
"""Scores, and what they are made of."""

SongArray = NDArray[np.int32]

PlaylistArray = NDArray[np.uint32]
"""Ids of playlists, which are also the dimensions of the sparse vector `playlists`."""
