"""The header of a well: what does not change with every report."""

from typing import Final

import polars as pl

HEADER_SCHEMA: Final = pl.Schema(
    {
        "well": pl.String(),
        "api_number": pl.String(),
        "company": pl.String(),
        "spud_date": pl.Date(),
        "total_depth_m": pl.Float64(),
        "water_depth_m": pl.Float64(),
        "latitude": pl.Float64(),
        "longitude": pl.Float64(),
        "first_production": pl.Date(),
        "source": pl.String(),
    }
)
"""One row a well. ``well`` is the public id; ``api_number`` is text, for it begins with zeros in some states; depths
are in m, measured along the bore and from the sea's surface; coordinates are those of the surface location in degrees;
null is "not known". ``source`` says where it comes from."""

BOUNDS: Final = {
    "total_depth_m": (0.0, 20_000.0),
    "water_depth_m": (0.0, 12_000.0),
    "latitude": (-90.0, 90.0),
    "longitude": (-180.0, 180.0),
}
"""What is possible, in the column's unit."""
