"""The embedded PostgreSQL's settings."""

from compose.postgres import shared_buffers_mb

GIB = 2**30


def test_the_cache_is_a_sixteenth_of_the_memory_within_bounds() -> None:
    assert [shared_buffers_mb(memory * GIB) for memory in (1, 8, 24)] == [128, 512, 1024]
