"""Mail, handed to one SMTP server. Everything that mails people goes through here."""

import ipaddress
from collections.abc import Sequence
from email.message import EmailMessage

import aiosmtplib
from msgspec import Struct

from mutx.kit.errors import Unavailable

SECONDS = 10.0
LINE = 500


class MailServer(Struct, frozen=True, kw_only=True):
    """Where mail is handed in, and as whom. `tls`: from the first byte; else STARTTLS where the server offers it, and
    nothing but STARTTLS where a password is to cross a network."""

    host: str
    port: int = 25
    sender: str = "mutx@localhost"
    username: str | None = None
    password: str | None = None
    tls: bool = False

    def __repr__(self) -> str:
        return f"MailServer({self.host}:{self.port})"


class Mailer:
    def __init__(self, server: MailServer) -> None:
        self._server = server

    async def send(self, recipients: Sequence[str], subject: str, text: str, *, message_id: str) -> None:
        """One mail to all of them, who do not see one another. `message_id`: the same for the same news.

        Raises Unavailable where the server does not take it; then it is to be sent again later.
        """
        message = EmailMessage()
        message["Subject"] = one_line(subject)
        message["From"] = self._server.sender
        message["To"] = "undisclosed-recipients:;"
        message["Message-ID"] = f"<{message_id}@mutx>"
        message.set_content(text)
        server = self._server
        try:
            await aiosmtplib.send(
                message,
                sender=server.sender,
                recipients=list(recipients),
                hostname=server.host,
                port=server.port,
                username=server.username,
                password=server.password,
                use_tls=server.tls,
                start_tls=must_start_tls(server),
                timeout=SECONDS,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unavailable("the mail server did not take the mail; it is sent again later") from error


def must_start_tls(server: MailServer) -> bool | None:
    """A password never crosses a network in the clear, also where somebody cuts STARTTLS out of the conversation."""
    if server.tls:
        return False
    return True if server.password is not None and not _is_near(server.host) else None


def _is_near(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def one_line(text: str) -> str:
    """One line of bounded length, whatever somebody put into a name."""
    return " ".join(text.split())[:LINE]
