"""The demo's world: a folder of documents, a customer database, a mail server and a payment service. All real, all local."""

import shutil
import sqlite3
from contextlib import closing
from importlib.resources import as_file, files
from pathlib import Path

from mutx.cli.demo.mailbox import Mailbox
from mutx.cli.demo.payments import PaymentService

CUSTOMERS = (
    ("Marta Olsen", "NT-20418", "marta.olsen@fjord-crafts.example", "512-48-7730", 4200.0),
    ("Theo Lindqvist", "NT-20563", "theo@lindqvist-yachts.example", "431-67-2094", 18000.0),
    ("Ama Boateng", "NT-20771", "ama.boateng@goldcoast-tea.example", "265-19-8843", 950.0),
)
MARTA_SSN = CUSTOMERS[0][3]


class Office:
    """The place the agent works in. Its files and its services' own records are the demo's evidence."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with as_file(files("mutx.cli.demo") / "world") as world:
            shutil.copytree(world, folder, ignore=shutil.ignore_patterns("__pycache__"))
        make_database(folder / "customers.db")
        self.mailbox = Mailbox(folder / "sent")
        self.payments = PaymentService(folder / "payments.jsonl")

    def close(self) -> None:
        self.mailbox.close()
        self.payments.close()


def make_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE customers (name TEXT, account TEXT, email TEXT, ssn TEXT, credit_line REAL)")
        database.executemany("INSERT INTO customers VALUES (?, ?, ?, ?, ?)", CUSTOMERS)
