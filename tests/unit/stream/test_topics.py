"""Names of topics and channels."""

import pytest

from storage.domain.errors import InputRefused
from stream.topics import channel, topic


@pytest.mark.parametrize("text", ["field/volve", "well/volve.15-9-f-12"])
def test_a_topic_is_written_as_it_is_read(text: str) -> None:
    assert str(topic(text)) == text
    assert topic(text).field == "volve"


@pytest.mark.parametrize(
    "text", ["", "field/", "field/Volve", "well/volve", "field/a.b", "well/a.b.c", "x/volve", "field/a/b"]
)
def test_what_names_no_topic_is_refused(text: str) -> None:
    with pytest.raises(InputRefused, match="a topic is"):
        topic(text)


def test_epochs_never_share_a_channel() -> None:
    assert channel("a", "volve") != channel("b", "volve")
