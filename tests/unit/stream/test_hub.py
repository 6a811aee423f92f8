"""The hub: who gets what, from where, and who must reload."""

import json

from storage.log import Head, LogMessage
from stream.hub import RECENT_MAX, Hub, Reload
from stream.session import Session
from stream.topics import topic

FIELD = topic("field/demo")
WELL = topic("well/demo.a")


def logged(offset: int, well: str = "demo.a", epoch: str = "e") -> LogMessage:
    body = {"offset": offset, "at": 1, "field": "demo", "well": [well]}
    return LogMessage(epoch, "demo", offset, json.dumps(body, separators=(",", ":")).encode())


def hub_at(head: int) -> Hub:
    hub = Hub("e")
    hub.open("demo", frozenset({"demo.a", "demo.b"}), Head(head, 1))
    return hub


def hot_session(hub: Hub, *topics: object) -> Session:
    session = Session(0.0)
    for one in topics:
        session.subscribe(one, None)  # type: ignore[arg-type]
        hub.warm(session, one)  # type: ignore[arg-type]
    return session


def payload(frame: bytes) -> dict[str, object]:
    return json.loads(frame[frame.index(b"{") :])  # type: ignore[no-any-return]


def test_one_frame_is_built_for_all_who_follow_a_topic() -> None:
    hub = hub_at(0)
    sessions = {hot_session(hub, FIELD) for _ in range(3)}
    assert hub.heard(logged(1))
    (delivery,) = hub.flush(hub.feeds["demo"])
    assert set(delivery.sessions) == sessions
    assert payload(delivery.frame)["offset"] == 1


def test_what_comes_within_a_tick_leaves_as_one_frame() -> None:
    hub = hub_at(0)
    hot_session(hub, FIELD)
    for offset in (1, 2, 3):
        hub.heard(logged(offset))
    (delivery,) = hub.flush(hub.feeds["demo"])
    assert len(payload(delivery.frame)["batches"]) == 3  # type: ignore[arg-type]


def test_a_quiet_well_topic_gets_no_frame_but_its_position_moves_with_the_heartbeat() -> None:
    hub = hub_at(0)
    hot_session(hub, WELL)
    hub.heard(logged(1, "demo.b"))
    assert list(hub.flush(hub.feeds["demo"])) == []
    (delivery,) = hub.advance()
    assert payload(delivery.frame) == {
        "type": "records", "topic": "well/demo.a", "after": 0, "offset": 1, "head": 1, "batches": [],
    }  # fmt: skip
    assert list(hub.advance()) == []


def test_a_client_that_comes_back_is_served_from_memory() -> None:
    hub = hub_at(0)
    for offset in range(1, 6):
        hub.heard(logged(offset))
    list(hub.flush(hub.feeds["demo"]))
    session = Session(0.0)
    session.subscribe(FIELD, 2, "e")
    ready = hub.admission(FIELD, session.subscriptions[FIELD])
    assert isinstance(ready, list)
    assert [body["offset"] for one in ready for body in json.loads(one.payload)["batches"]] == [3, 4, 5]


def test_a_client_further_back_than_memory_needs_the_log() -> None:
    hub = hub_at(0)
    for offset in range(1, RECENT_MAX + 10):
        hub.heard(logged(offset))
        list(hub.flush(hub.feeds["demo"]))
    session = Session(0.0)
    session.subscribe(FIELD, 1, "e")
    assert hub.admission(FIELD, session.subscriptions[FIELD]) is None


def test_what_cannot_be_continued_is_reloaded() -> None:
    hub = hub_at(10)
    hub.feeds["demo"].oldest = 5
    session = Session(0.0)
    for offset, epoch, reason in [(9, "other", "epoch"), (11, "e", "ahead"), (3, "e", "too-old")]:
        session.subscribe(FIELD, offset, epoch)
        assert hub.admission(FIELD, session.subscriptions[FIELD]) == Reload(reason)


def test_a_client_that_left_the_shared_frames_stands_where_the_last_one_ended() -> None:
    hub = hub_at(0)
    session = hot_session(hub, FIELD)
    hub.heard(logged(1))
    list(hub.flush(hub.feeds["demo"]))
    hub.cool(session)
    hub.heard(logged(2))
    assert list(hub.flush(hub.feeds["demo"])) == []
    assert session.subscriptions[FIELD].offset == 1
    assert session.cold() == FIELD


def test_a_message_of_another_epoch_is_not_heard() -> None:
    hub = hub_at(0)
    hot_session(hub, FIELD)
    assert not hub.heard(logged(1, epoch="other"))
    assert hub.feeds["demo"].follower.position == 0


def test_fields_nobody_wants_are_followed_no_more() -> None:
    hub = hub_at(0)
    hub.close_idle({"demo"})
    assert "demo" in hub.feeds
    hub.close_idle(set())
    assert hub.feeds == {}


def test_heads_that_the_doorbell_has_overtaken_do_not_look_like_a_log_that_turned_back() -> None:
    hub = hub_at(0)
    stood = hub.positions()
    hub.heard(logged(1))
    assert hub.heads_are({"demo": Head(0, 1)}, stood)
    assert not hub.heads_are({"demo": Head(0, 1)}, hub.positions())


def test_heads_beyond_a_feed_open_a_hole_to_read() -> None:
    hub = hub_at(0)
    assert hub.heads_are({"demo": Head(3, 2), "closed": Head(9, 1)}, hub.positions())
    ((feed, gap),) = hub.missing()
    assert (gap.after, gap.upto, feed.oldest) == (0, 3, 2)
