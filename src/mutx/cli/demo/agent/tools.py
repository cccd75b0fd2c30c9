"""What the demo's agent can do: plain functions with real effects. Nothing in here knows that it is governed."""

import json
import smtplib
import sqlite3
import subprocess
from contextlib import closing
from email.message import EmailMessage
from http.client import HTTPConnection
from pathlib import Path

from langchain_core.tools import BaseTool, StructuredTool


class OfficeTools:
    """Tools over one folder, one mail server and one payment service."""

    def __init__(self, folder: Path, smtp_port: int, payments_port: int) -> None:
        self._folder = folder.resolve()
        self._smtp_port = smtp_port
        self._payments_port = payments_port

    def tools(self) -> list[BaseTool]:
        actions = (self.read_document, self.read_mail, self.query_customers, self.send_mail, self.pay, self.run_command)
        return [StructuredTool.from_function(action) for action in actions]

    def read_document(self, name: str) -> str:
        """Read one of the company's own documents by its file name."""
        return self._read("documents", name)

    def read_mail(self, name: str) -> str:
        """Read one mail of the inbox by its file name. Anybody can write to the inbox."""
        return self._read("inbox", name)

    def query_customers(self, sql: str) -> str:
        """Run one SELECT on the table customers (name, account, email, ssn, credit_line); rows come back as JSON."""
        with closing(sqlite3.connect(f"file:{self._folder / 'customers.db'}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            return json.dumps([dict(row) for row in database.execute(sql)])

    def send_mail(self, to: str, subject: str, body: str) -> str:
        """Send a mail to one address."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "accounts@northwind.example", to, subject
        message.set_content(body)
        with smtplib.SMTP("127.0.0.1", self._smtp_port, timeout=10) as server:
            server.send_message(message)
        return f"sent to {to}"

    def pay(self, iban: str, amount: float, reference: str) -> str:
        """Pay an amount in EUR to an account."""
        body = json.dumps({"iban": iban, "amount": amount, "reference": reference}).encode()
        with closing(HTTPConnection("127.0.0.1", self._payments_port, timeout=10)) as connection:
            connection.request("POST", "/payments", body, {"Content-Type": "application/json"})
            return connection.getresponse().read().decode()

    def run_command(self, argv: list[str]) -> str:
        """Run a program with its arguments in the office's folder; no shell reads them."""
        done = subprocess.run(argv, cwd=self._folder, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
        return f"exit {done.returncode}\n{done.stdout}{done.stderr}".strip()

    def _read(self, kind: str, name: str) -> str:
        path = (self._folder / kind / name).resolve()
        if path.parent != self._folder / kind or not path.is_file():
            raise ValueError(
                f"no {name!r} in {kind}: {', '.join(sorted(p.name for p in (self._folder / kind).iterdir()))}"
            )
        return path.read_text("utf-8")
