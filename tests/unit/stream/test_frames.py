"""The wire format."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Opcode
from websockets.streams import StreamReader

from storage.domain.errors import InputRefused
from storage.log import LogMessage
from stream import frames
from stream.frames import Pong, Subscribe, Unsubscribe, client_message, records, text_frame
from stream.topics import topic


def logged(offset: int, *wells: str) -> LogMessage:
    content = {"offset": offset, "at": 1, "field": "demo", "well": list(wells), "oil_sm3": [1.5] * len(wells)}
    return LogMessage("e", "demo", offset, json.dumps(content).encode())


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 200_000])
def test_a_frame_is_read_by_websockets_as_the_text_it_carries(size: int) -> None:
    from websockets.frames import Frame

    payload = b"x" * size
    reader = StreamReader()
    reader.feed_data(text_frame(payload))
    reader.feed_eof()
    parser = Frame.parse(reader.read_exact, mask=False)
    with pytest.raises(StopIteration) as parsed:
        next(parser)
    frame = parsed.value.value
    assert (frame.opcode, frame.fin, bytes(frame.data)) == (Opcode.TEXT, True, payload)


@given(st.lists(st.integers(0, 400), max_size=20), st.integers(1, 800))
def test_records_cover_their_stretch_without_a_seam_and_stay_under_the_limit(sizes: list[int], limit: int) -> None:
    messages = [
        LogMessage("e", "demo", n, json.dumps({"offset": n, "pad": "x" * size}).encode())
        for n, size in enumerate(sizes, start=5)
    ]
    upto = 4 + len(sizes)
    made = records(topic("field/demo"), 4, upto, upto, messages, limit)
    assert [one.after for one in made] == [4, *(one.offset for one in made[:-1])]
    assert made[-1].offset == upto
    bodies = [body for one in made for body in json.loads(one.payload)["batches"]]
    assert [body["offset"] for body in bodies] == [message.offset for message in messages]
    for one in made:
        batches = json.loads(one.payload)["batches"]
        assert len(batches) <= 1 or sum(len(json.dumps(body)) for body in batches) <= limit


def test_a_well_topic_carries_only_its_rows_and_an_empty_stretch_when_there_are_none() -> None:
    made = records(topic("well/demo.a"), 0, 2, 2, [logged(1, "demo.a", "demo.b", "demo.a"), logged(2, "demo.b")])
    (one,) = (json.loads(each.payload) for each in made)
    assert (one["after"], one["offset"]) == (0, 2)
    assert [body["well"] for body in one["batches"]] == [["demo.a", "demo.a"]]
    assert one["batches"][0]["oil_sm3"] == [1.5, 1.5]
    (empty,) = records(topic("well/demo.c"), 0, 2, 2, [logged(1, "demo.a")])
    assert empty.is_empty
    assert json.loads(empty.payload)["batches"] == []


def test_the_client_messages_of_the_protocol_are_understood() -> None:
    subscribe = client_message(b'{"type":"subscribe","topics":["field/a"],"from":{"field/a":{"epoch":"e","offset":4}}}')
    assert subscribe == Subscribe(["field/a"], {"field/a": frames.From("e", 4)})
    assert client_message(b'{"type":"unsubscribe","topics":["field/a"]}') == Unsubscribe(["field/a"])
    assert client_message(b'{"type":"pong","n":3}') == Pong(3)


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b'{"type":"hello"}', b'{"type":"subscribe"}', b'{"type":"subscribe","topics":"field/a"}',
     b'{"type":"subscribe","topics":["field/a"],"from":{"field/a":{"epoch":"e","offset":"4"}}}', b"\xff\xfe",
     json.dumps({"type": "subscribe", "topics": ["field/a"] * 257}).encode()],
)  # fmt: skip
def test_what_is_not_of_the_protocol_is_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(InputRefused):
        client_message(data)
