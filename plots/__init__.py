"""What can be looked at: the map of a release, and pages of figures, each in one file.

What is heavy (openTSNE, matplotlib, pyarrow) is imported where it is used.
"""

from melon.plots.colours import check_colour, colouring
from melon.plots.evaluation import evaluation_page
from melon.plots.export import check_projector, write_parquet, write_projector
from melon.plots.inspection import inspection_page, inspection_tables
from melon.plots.map import PLACES, MalformedMap, Map, map_file, map_of, save_map, saved_map
from melon.plots.map_page import map_data, map_page
from melon.plots.page import asset
from melon.plots.picture import write_picture

__all__ = [
    "PLACES",
    "MalformedMap",
    "Map",
    "asset",
    "check_colour",
    "check_projector",
    "colouring",
    "evaluation_page",
    "inspection_page",
    "inspection_tables",
    "map_data",
    "map_file",
    "map_of",
    "map_page",
    "save_map",
    "saved_map",
    "write_parquet",
    "write_picture",
    "write_projector",
]
