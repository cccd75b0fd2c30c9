"""A real SMTP server on loopback, and what it was handed."""

import logging
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller

TOKEN = re.compile(r"mutx_(?:reset|verify|invite)_[\w-]+")


class Postbox:
    """Recipients and mails as they came. `refusing`: answer 451 instead."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.refusing = False
        self.port = 0

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
        if self.refusing:
            return "451 try again later"
        message = message_from_bytes(envelope.content, policy=policy.default)  # type: ignore[attr-defined]
        self.mails.append((envelope.rcpt_tos, message))  # type: ignore[attr-defined, arg-type]
        return "250 OK"

    def token(self, index: int = -1) -> str:
        found = TOKEN.search(self.mails[index][1].get_content())
        assert found is not None
        return found[0]


@contextmanager
def postbox() -> Iterator[Postbox]:
    box = Postbox()
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # the receiver would write down every line it is handed
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        box.port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
