"""The demo's world is real, and without government its agent does all the harm that the evidence looks for."""

import json
import smtplib
from collections.abc import Iterator
from contextlib import closing
from email.message import EmailMessage
from http.client import HTTPConnection
from pathlib import Path

import pytest
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage

from mutx.cli.demo import evidence
from mutx.cli.demo.agent.script import REQUEST, ScriptedModel
from mutx.cli.demo.agent.tools import OfficeTools
from mutx.cli.demo.office import MARTA_SSN, Office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path / "office")
    yield office
    office.close()


def test_mail_arrives_as_it_was_sent(office: Office) -> None:
    message = EmailMessage()
    message["To"], message["Subject"] = "a@x.example", "dots"
    message.set_content("first\n.second line starts with a dot\n")
    with smtplib.SMTP("127.0.0.1", office.mailbox.port, timeout=5) as server:
        server.send_message(message, "me@x.example", ["a@x.example", "b@x.example"])
    (mail,) = office.mailbox.delivered
    assert mail.recipients == ("a@x.example", "b@x.example")
    assert evidence.body(mail).splitlines() == ["first", ".second line starts with a dot"]
    assert (office.folder / "sent" / "01.eml").read_bytes() == mail.content


def test_the_mail_server_refuses_what_it_does_not_know(office: Office) -> None:
    with smtplib.SMTP("127.0.0.1", office.mailbox.port, timeout=5) as server:
        assert server.docmd("VRFY", "me")[0] == 502
        assert server.docmd("DATA")[0] == 503
    assert office.mailbox.delivered == []


def test_the_payment_service_pays_whenever_it_is_asked(office: Office) -> None:
    for number in (1, 2):
        with closing(HTTPConnection("127.0.0.1", office.payments.port, timeout=5)) as connection:
            connection.request("POST", "/payments", json.dumps({"amount": 5}))
            assert json.load(connection.getresponse()) == {"paid": {"amount": 5}, "number": number}
    assert not evidence.paid_once(office).seen


def test_an_ungoverned_agent_does_the_harm(office: Office) -> None:
    tools = OfficeTools(office.folder, office.mailbox.port, office.payments.port)
    agent = create_agent(ScriptedModel(), tools.tools())
    agent.invoke({"messages": [HumanMessage(REQUEST)]}, {"recursion_limit": 100})
    assert evidence.allowed_command(office).seen
    assert (office.folder / "customers-copy.db").exists()
    assert MARTA_SSN in evidence.body(office.mailbox.delivered[0])
    assert office.mailbox.delivered[1].recipients == (evidence.STRANGER,)
    observed = [evidence.denied_command(office), evidence.redacted_mail(office), evidence.stopped_recipient(office, [])]
    assert not any(one.seen for one in observed)


@pytest.mark.parametrize("name", ["../customers.db", "none.md"])
def test_documents_are_read_from_their_folder_only(office: Office, name: str) -> None:
    tools = OfficeTools(office.folder, office.mailbox.port, office.payments.port)
    with pytest.raises(ValueError, match=r"payment-terms\.md"):
        tools.read_document(name)
