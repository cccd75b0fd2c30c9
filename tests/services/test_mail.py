"""Mail through a real server: what arrives, and what never crosses a network in the clear."""

import pytest

from mutx.kit.errors import Unavailable
from mutx.services.mail import Mailer, MailServer, must_start_tls, one_line
from tests.mailbox import postbox


async def test_recipients_do_not_see_one_another() -> None:
    with postbox() as box:
        mailer = Mailer(MailServer(host="127.0.0.1", port=box.port, sender="mutx@example.org"))
        await mailer.send(
            ["a@example.org", "b@example.org"], "Hello\r\nBcc: eve@example.org", "Text\n", message_id="m1"
        )
    ((to, mail),) = box.mails
    assert to == ["a@example.org", "b@example.org"]
    assert (mail["from"], mail["to"], mail["bcc"]) == ("mutx@example.org", "undisclosed-recipients:;", None)
    assert (mail["subject"], mail["message-id"]) == ("Hello Bcc: eve@example.org", "<m1@mutx>")


async def test_a_server_that_offers_no_encryption_gets_no_password() -> None:
    with postbox() as box:
        server = MailServer(host="localhost", port=box.port, username="mutx", password="a password of ours", tls=True)
        with pytest.raises(Unavailable, match="sent again later"):
            await Mailer(server).send(["a@example.org"], "Hello", "Text\n", message_id="m1")
    assert box.mails == []


@pytest.mark.parametrize(
    ("server", "required"),
    [
        (MailServer(host="mail.example.org"), None),
        (MailServer(host="mail.example.org", username="u", password="p"), True),
        (MailServer(host="192.0.2.1", username="u", password="p"), True),
        (MailServer(host="127.0.0.1", username="u", password="p"), None),
        (MailServer(host="localhost", username="u", password="p"), None),
        (MailServer(host="mail.example.org", username="u", password="p", tls=True), False),
    ],
)
def test_a_password_crosses_a_network_only_encrypted(server: MailServer, required: bool | None) -> None:
    assert must_start_tls(server) is required
    assert "p)" not in repr(server)


def test_a_line_stays_one() -> None:
    assert one_line("a\r\nb\t c") == "a b c"
    assert len(one_line("x" * 1000)) == 500
