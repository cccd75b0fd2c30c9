"""Receipts: exported, verified with the control plane stopped, changed in one byte, and verified again."""

import json
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

from mutx.cli.demo.evidence import DemoObservation
from mutx.cli.demo.operator import Operator

EFFECTS = {"allow", "deny", "modify", "step_up"}
"""What the day's decisions must have been, each at least once."""


class ReceiptProof:
    """One session's receipts as a file, and what a verifier who has nothing but that file and a key says of it."""

    def __init__(self, operator: Operator, folder: Path) -> None:
        self._operator = operator
        self.file = folder / "receipts.json"
        self.changed = folder / "receipts-changed.json"
        self.key = folder / "public-keys.json"

    def export(self, session_id: str) -> None:
        self._operator.run("receipts", "export", "--session", session_id, "--output", str(self.file))
        self.key.write_text(json.dumps(self._operator.ask("security", "keys")), "utf-8")

    def observe(self, calls: int) -> list[DemoObservation]:
        """Needs no control plane. `calls`: how many tool calls the agent made."""
        return [self._complete(calls), self._verified(), self._caught()]

    def _complete(self, calls: int) -> DemoObservation:
        """Every call was decided, and every call that ran has its outcome."""
        bodies = read_bodies(self.file)
        decided = {body["action"]["id"] for body in bodies if body["kind"] == "decision"}
        effects = {body["decision"]["effect"] for body in bodies if "decision" in body}
        seen = len(decided) == calls and effects >= EFFECTS
        return DemoObservation(
            "receipts", seen, f"{len(bodies)} receipts about {len(decided)} calls: {', '.join(sorted(effects))}"
        )

    def _verified(self) -> DemoObservation:
        done = self._operator.attempt("receipts", "verify", str(self.file), "--key", str(self.key))
        return DemoObservation("verified", done.status == 0, last_line(done.output + done.problem))

    def _caught(self) -> DemoObservation:
        name = change_one_byte(self.file, self.changed)
        done = self._operator.attempt("receipts", "verify", str(self.changed), "--key", str(self.key))
        said = f"tampered receipt caught: {name}"
        seen = done.status != 0 and said in done.output + done.problem
        return DemoObservation("tamper_caught", seen, said if seen else last_line(done.output + done.problem))


def read_bodies(file: Path) -> list[dict[str, Any]]:
    """The signed bodies, without any check: `mutx receipts verify` is there for those."""
    return [json.loads(b64decode(receipt["payload"])) for receipt in json.loads(file.read_bytes())["receipts"]]


def change_one_byte(file: Path, copy: Path) -> str:
    """Flip one bit of what the payment's receipt says of its arguments; the receipt's id."""
    content = file.read_bytes()
    payloads = [receipt["payload"] for receipt in json.loads(content)["receipts"]]
    payload = next(one for one in payloads if json.loads(b64decode(one))["action"]["tool"] == "pay")
    body = bytearray(b64decode(payload))
    start = body.index(b'"args":"') + len(b'"args":"')
    digit = next(at for at in range(start, len(body)) if chr(body[at]).isdigit())
    body[digit] ^= 1
    copy.write_bytes(content.replace(payload.encode(), b64encode(body), 1))
    return str(json.loads(body)["id"])


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1] if text.strip() else ""
