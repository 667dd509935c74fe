"""A PostgreSQL server that neither answers nor goes away: webhooks are answered in time all the same."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from django.db import connections

from crmsync.models import Connection, Event
from tests.webhooks.sender import body
from tests.webhooks.test_receiving import send


class Line:
    """A way to the server that can be held: what is sent then arrives nowhere, and nothing comes back."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._open = threading.Event()
        self._open.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self) -> None:
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    def close(self) -> None:
        self.release()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                self._open.wait()
                target.sendall(piece)
        for end in (source, target):
            end.close()


@pytest.fixture
def line(transactional_db: None, ghl: Connection) -> Iterator[Line]:
    database = connections["default"]
    if database.vendor != "postgresql":
        pytest.skip("needs PostgreSQL")
    usual = database.settings_dict
    line = Line(usual["HOST"], int(usual["PORT"]))
    database.close()
    database.settings_dict = {**usual, "HOST": "127.0.0.1", "PORT": line.port}
    yield line
    line.close()
    database.close()
    database.settings_dict = usual


@pytest.mark.parametrize("is_connected", [True, False])
def test_a_silent_server_is_given_up_in_time_and_nothing_is_lost(line: Line, ghl: Connection, is_connected: bool) -> None:
    if is_connected:
        assert send(ghl, body()).status_code == 200
        connections["default"].close_if_unusable_or_obsolete()  # as at the start of each request, which the test client leaves out
    line.hold()
    sent = body(webhookId="wh-late")
    begun = time.monotonic()
    assert send(ghl, sent).status_code == 429
    assert time.monotonic() - begun < 5
    line.release()
    connections["default"].close()
    assert send(ghl, sent).status_code == 200
    assert Event.objects.filter(webhook_id="wh-late").count() == 1
