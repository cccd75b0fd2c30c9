"""A small SMTP server (RFC 5321) that keeps what it is sent: the mail server of the demo's world."""

import socketserver
from pathlib import Path
from threading import Lock, Thread
from typing import NamedTuple

MAX_LINE = 1000
"""Bytes of one line, its end included (RFC 5321 §4.5.3.1.6)."""


class Delivered(NamedTuple):
    """One message as it came over the wire."""

    recipients: tuple[str, ...]
    content: bytes


class Mailbox(socketserver.ThreadingTCPServer):
    """Listens on loopback and writes every message into a folder; `delivered` has them in order."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), SmtpDialogue)
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._lock = Lock()
        self.delivered: list[Delivered] = []
        Thread(target=self.serve_forever, name="demo-smtp", daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def keep(self, message: Delivered) -> None:
        with self._lock:
            self.delivered.append(message)
            (self._folder / f"{len(self.delivered):02}.eml").write_bytes(message.content)

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class SmtpDialogue(socketserver.StreamRequestHandler):
    """One connection: HELO, MAIL, RCPT, DATA, RSET, NOOP, QUIT."""

    server: Mailbox

    def handle(self) -> None:
        self._recipients: list[str] = []
        self._say("220 demo mail server")
        while line := self.rfile.readline(MAX_LINE):
            verb, _, rest = line.decode("ascii", "replace").strip().partition(" ")
            if verb.upper() == "QUIT":
                self._say("221 bye")
                return
            self._say(self._answer(verb.upper(), rest))

    def _answer(self, verb: str, rest: str) -> str:
        match verb:
            case "HELO" | "EHLO" | "NOOP":
                return "250 demo"
            case "MAIL" | "RSET":
                self._recipients = []
                return "250 ok"
            case "RCPT":
                self._recipients.append(rest.partition("<")[2].partition(">")[0])
                return "250 ok"
            case "DATA" if self._recipients:
                self._say("354 end with a dot on a line of its own")
                self.server.keep(Delivered(tuple(self._recipients), self._content()))
                return "250 kept"
            case "DATA":
                return "503 RCPT first"
        return "502 not known here"

    def _content(self) -> bytes:
        """The lines up to the single dot, with the doubled dots at line starts undone (RFC 5321 §4.5.2)."""
        lines = []
        while (line := self.rfile.readline()) and line != b".\r\n":
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)

    def _say(self, reply: str) -> None:
        self.wfile.write(f"{reply}\r\n".encode("ascii"))
