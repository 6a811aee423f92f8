"""Where the real data sets are; a test that needs one is skipped without it, and fails under CI."""

import os
from pathlib import Path

import pytest


def shared(*parts: str) -> Path:
    """A file or folder of the shared data, which `WELLSTREAM_SHARED_DATA` names."""
    path = Path(os.environ.get("WELLSTREAM_SHARED_DATA", "../shared/data"), *parts)
    if not path.exists():
        told = f"there is no {path}; WELLSTREAM_SHARED_DATA names the folder of shared data"
        if os.environ.get("CI") == "true":
            pytest.fail(told)
        pytest.skip(told)
    return path
