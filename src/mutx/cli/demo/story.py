"""The demo from start to finish. Every observation is made on the world's own records."""

import time
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from mutx.cli.demo import evidence
from mutx.cli.demo.agent_process import AgentProcess
from mutx.cli.demo.control_plane import LocalControlPlane
from mutx.cli.demo.display import Display
from mutx.cli.demo.evidence import DemoObservation
from mutx.cli.demo.office import Office
from mutx.cli.demo.operator import Operator
from mutx.cli.demo.proof import ReceiptProof
from mutx.kit.ids import new_id

DEADLINE = 300.0
"""Seconds for the agent's whole day; a real model may think for long."""
LOOK_EVERY = 0.3


class DemoStory:
    """One run in one folder."""

    def __init__(self, root: Path, model: str, display: Display) -> None:
        self._root = root
        self._model = model
        self._display = display
        self._plane = LocalControlPlane(root / "home")
        self._operator = Operator(self._plane.environment)
        self._session_id = new_id()
        self._asked: list[dict[str, Any]] = []
        self._survived = DemoObservation("survived_kill", False, "no payment was asked about")

    def run(self) -> list[DemoObservation]:
        office = Office(self._root / "office")
        try:
            identity = self._prepare()
            agent = self._work(office, identity)
            return [
                evidence.allowed_command(office),
                evidence.denied_command(office),
                evidence.redacted_mail(office),
                self._survived,
                evidence.paid_once(office),
                evidence.stopped_recipient(office, self._asked),
                *self._prove(agent),
                agent.finished(),
            ]
        finally:
            self._plane.stop()
            office.close()

    def _prepare(self) -> dict[str, str]:
        """Start, sign in, apply the policy, register the agent; the agent's identity for its environment."""
        took = self._plane.start()
        self._display.say(f"control plane is up at {self._plane.url} after {took:.1f} s, pid {self._plane.pid}")
        self._operator.run("login", "--local")
        with as_file(files("mutx.cli.demo") / "policy.yaml") as policy:
            self._operator.run("policies", "apply", str(policy))
        agent = self._operator.ask("agents", "register", "--name", "accounts-assistant")
        self._display.say(f"signed in, policy northwind-accounts in force, agent {agent['agent_id']} registered")
        return {"MUTX_URL": self._plane.url, "MUTX_AGENT_ID": agent["agent_id"], "MUTX_API_KEY": agent["api_key"]}

    def _work(self, office: Office, identity: dict[str, str]) -> AgentProcess:
        """Let the agent work, and answer what it asks; the ended process."""
        environment = {**self._plane.environment, "MUTX_HOME": str(office.folder), **identity}
        agent = AgentProcess(office, environment, self._model, self._session_id, self._display.hear)
        end = time.monotonic() + DEADLINE
        try:
            while agent.running and time.monotonic() < end:
                for request in self._operator.ask("approvals")["items"]:
                    self._answer(office, request)
                time.sleep(LOOK_EVERY)
        finally:
            agent.end()
        return agent

    def _prove(self, agent: AgentProcess) -> list[DemoObservation]:
        """Export the receipts, stop the control plane, and verify without it."""
        proof = ReceiptProof(self._operator, self._root)
        proof.export(self._session_id)
        self._plane.stop()
        self._display.say("receipts are exported, the control plane is stopped")
        observations = proof.observe(calls=sum("call" in event for event in agent.events))
        for one in observations:
            self._display.say(one.evidence)
        return observations

    def _answer(self, office: Office, request: dict[str, Any]) -> None:
        """A payment is approved, after the control plane died and came back; everything else is refused."""
        asked = self._operator.ask("approvals", "show", request["id"])
        self._display.asked(asked)
        if request["action_type"] == "pay":
            self._survived = self._kill_and_restart(office, request)
            self._say_as_person("approve", request, "invoice checked")
        else:
            self._asked += asked["critical"]
            self._say_as_person("deny", request, "nobody here knows this address")

    def _say_as_person(self, command: str, request: dict[str, Any], comment: str) -> None:
        self._display.answers(command, request)
        self._operator.run(command, request["id"], "--comment", comment)

    def _kill_and_restart(self, office: Office, request: dict[str, Any]) -> DemoObservation:
        """The request must wait through it, with its deadline and its binding, and nothing may be paid meanwhile."""
        pid, status = self._plane.pid, self._plane.kill()
        self._display.say(f"kill -9 {pid}: the control plane is gone, the agent waits")
        took = self._plane.start()
        self._display.say(f"it is up again after {took:.1f} s, pid {self._plane.pid}")
        again = self._operator.ask("approvals", "show", request["id"])
        same = all(again[name] == request[name] for name in ("status", "action_hash", "expires_at"))
        unpaid = not office.payments.payments()
        text = f"pid {pid} ended with {status}; request {request['id']} still waits, same deadline, nothing paid before"
        return DemoObservation("survived_kill", status == -9 and same and unpaid, text)
