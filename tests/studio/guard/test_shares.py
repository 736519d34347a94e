"""The guard and fair shares: nobody uses up what belongs to everyone, under any number of names."""

import json
from dataclasses import replace

import pytest

from studio.server.guard import FairShares, Guard, GuardRules
from studio.server.rates import Buckets, Recent, Share, client_of
from tests.studio.guard.asking import CALL, HEAD, JOIN, KIND, UPLOAD, asked, whole


@pytest.fixture
def not_refilled(rules):
    """The same shares on a machine of any speed: what is used up stays used up."""
    names = ("requests", "visitors", "calls", "uploads")
    shares = {name: replace(getattr(rules.shares, name), per_second=0) for name in names}
    return replace(rules, shares=FairShares(**shares))


def test_one_visitor_cannot_use_up_what_belongs_to_others(app, rules, not_refilled):
    guard = Guard(app, not_refilled)
    text = json.dumps(CALL).encode()
    own = [asked(rules, app, JOIN, body=whole(text), guard=guard)[0] for _ in range(200)]
    assert own == [200] * 150 + [429] * 50
    other = json.dumps({**CALL, "session_hash": "other"}).encode()
    assert asked(rules, app, JOIN, body=whole(other), guard=guard)[0] == 200


def test_a_flood_of_fresh_sessions_leaves_known_ones_alone(app, rules, not_refilled):
    guard = Guard(app, not_refilled)
    known = json.dumps(CALL).encode()
    assert asked(rules, app, JOIN, body=whole(known), guard=guard)[0] == 200
    flood = [
        asked(rules, app, "/gradio_api/queue/data", method="GET", query=b"session_hash=s%d" % n, guard=guard)[
            0
        ]
        for n in range(400)
    ]
    assert flood.count(200) <= 120 and flood[-1] == 429
    assert asked(rules, app, JOIN, body=whole(known), guard=guard)[0] == 200
    strange = asked(rules, app, "/gradio_api/heartbeat/new", method="GET", client="9.9.9.9", guard=guard)
    assert strange[0] == 200


def test_uploaded_bytes_are_shared_out(app, rules):
    few = GuardRules(rules.routes, rules.headers, 10_000, {}, FairShares(uploads=Share(0, 25_000)))
    guard = Guard(app, few)
    size = [(b"content-length", b"9000"), *KIND]
    file = whole(HEAD + b"x" * 8900)
    sent = [asked(few, app, UPLOAD, body=file, headers=size, guard=guard)[0] for _ in range(4)]
    assert sent == [200, 200, 429, 429]


def test_buckets_fill_up_again():
    now = [0.0]
    bucket = Buckets(Share(2, 4), clock=lambda: now[0])
    assert [bucket.take("a") for _ in range(5)] == [True] * 4 + [False]
    now[0] = 1.0
    assert [bucket.take("a") for _ in range(3)] == [True, True, False]
    assert bucket.take("b", 4) and not bucket.take("b")


def test_a_customer_with_many_networks_has_some_shares_of_them_only():
    bucket = Buckets(Share(0, 5))
    clients = [client_of(f"2001:db8:7:{number:x}::1") for number in range(200)]
    assert sum(bucket.take(client) for client in clients) == 16 * 5
    assert bucket.take(client_of("2001:db8:8::1")) and bucket.take("1.2.3.4")
    alone = Buckets(Share(0, 5))
    assert [alone.take(clients[0]) for _ in range(6)] == [True] * 5 + [False]


def test_what_was_seen_long_ago_is_forgotten():
    recent = Recent(2)
    for key in ("a", "b"):
        recent.add(key)
    assert "a" in recent  # and is now the younger one
    recent.add("c")
    assert "b" not in recent and "a" in recent and "c" in recent


def test_clients():
    assert client_of("1.2.3.4") == "1.2.3.4" == client_of("::ffff:1.2.3.4")
    assert client_of("2001:db8::1") == client_of("2001:db8::2") != client_of("2001:db8:0:1::1")
    assert client_of("a unix socket") == "a unix socket"
