"""A mail server on this machine that keeps what it takes, or takes nothing."""

from __future__ import annotations

import socketserver
from threading import Thread
from typing import Any, Self


class _Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("220 here")
        while line := self.rfile.readline().decode().strip():
            match line[:4].upper():
                case "RCPT" if self.server.refuses:
                    self._say("550 nobody of this name")
                case "RCPT":
                    self.server.recipients.append(line.partition("<")[2].rstrip(">"))
                    self._say("250 well")
                case "DATA":
                    self._say("354 go on")
                    self.server.text = self._text()
                    self._say("250 taken")
                case "QUIT":
                    self._say("221 goodbye")
                    break
                case _:
                    self._say("250 well")

    def _text(self) -> str:
        lines = iter(self.rfile.readline, b".\r\n")
        return b"".join(lines).decode()

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class MailServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, *, refuses: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.refuses = refuses
        self.recipients: list[str] = []
        self.text = ""
        self._thread = Thread(target=self.serve_forever, args=(0.01,))

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.server_address[:2]
        return str(host), int(port)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
