"""The statements of an FPL file: agent blocks, rules, budgets, phases, rates, redactions, delegates."""

from collections.abc import Callable, Mapping

from mutx.governance.policy.fpl.blocks import BlockReader
from mutx.governance.policy.fpl.expression import ExpressionReader, Vocabulary
from mutx.governance.policy.fpl.scan import Refused, Scanner
from mutx.governance.policy.fpl.syntax import FplAgent, FplFile, FplPhase, FplRule
from mutx.governance.policy.fpl.whole import contradictions
from mutx.governance.policy.nodes import MAX_PROBLEMS, PolicyProblem

EFFECTS: Mapping[str, str] = {
    **dict.fromkeys(("permit", "allow", "approve"), "allow"),
    **dict.fromkeys(("deny", "block", "reject"), "deny"),
    "deny!": "forbid",
    "defer": "step_up",
}
"""FPL's `defer` asks a person."""
NETWORK = frozenset({"host", "port", "method", "path", "query", "header"})
ABOUT = frozenset({"model", "framework", "version"})
REFUSED: Mapping[str, str] = {
    **dict.fromkeys(("import", "pack"), "one file is one policy; apply each file by itself"),
    **dict.fromkeys(
        ("runtime", "provider", "identity", "trust", "manifest"), "the control plane itself is set up elsewhere"
    ),
    **dict.fromkeys(("selector", "context"), "nothing outside is asked while a call is decided"),
    **dict.fromkeys(("credential", "egress"), "credentials and network access are no part of a policy here"),
    **dict.fromkeys(
        ("model_policy", "session", "spawn", "completion_gate", "enforcement"), "nothing here would act on it"
    ),
    "alert": "write `notify:` on the rules that somebody is to hear of",
}
"""Blocks and lines of the language that no policy here can hold, and why."""


class FileReader:
    """Reads a file, goes on after what it cannot read, and keeps what was wrong."""

    def __init__(self, scanner: Scanner) -> None:
        self.problems: list[PolicyProblem] = []
        self._scanner = scanner
        self._blocks = BlockReader(scanner)

    def read(self) -> FplFile:
        file = FplFile()
        while not self._scanner.at_end and len(self.problems) < MAX_PROBLEMS:
            self._attempt(lambda: self._top(file))
        if not file.agents and not self.problems:
            self.problems.append(self._scanner.refuse("the file has no agent block and no rule").problem)
        if not self.problems:
            self.problems += contradictions(file)
        return file

    def _attempt(self, read: Callable[[], None]) -> None:
        start = self._scanner.skip()
        try:
            read()
        except Refused as error:
            self.problems.append(error.problem)
            self._scanner.position = max(self._scanner.position, start)
            self._recover(start)

    def _recover(self, start: int) -> None:
        """To the next line, and over the block that this one opens, if any."""
        scanner = self._scanner
        end = scanner.text.find("\n", scanner.position)
        end = len(scanner.text) if end < 0 else end
        line = scanner.text[start:end].partition("#")[0]
        scanner.position = end
        depth = line.count("{") - line.count("}")
        while depth > 0 and not scanner.at_end:
            if scanner.comes_string():
                try:
                    scanner.string()
                except Refused:
                    return
                continue
            depth += {"{": 1, "}": -1}.get(scanner.text[scanner.position], 0)
            scanner.position += 1

    def _top(self, file: FplFile) -> None:
        place = self._place()
        word = self._scanner.peek_word()
        if word == "agent":
            self._scanner.word("`agent`")
            agent = FplAgent(id=self._scanner.text_or_word("the agent's id"), place=place)
            file.agents.append(agent)
            self._body(lambda: self._statement(agent))
        elif word == "system":
            self._blocks.system()
        else:
            if not file.agents or not file.agents[-1].flat:
                file.agents.append(FplAgent(id="*", flat=True, place=place))
            self._statement(file.agents[-1])

    def _body(self, statement: Callable[[], None]) -> None:
        """`{ statement... }`"""
        self._scanner.need("{")
        while not self._scanner.take("}"):
            if self._scanner.at_end:
                raise self._scanner.refuse("a block is not closed: `}` is missing")
            if len(self.problems) >= MAX_PROBLEMS:
                return
            self._attempt(statement)

    def _statement(self, agent: FplAgent) -> None:
        scanner, place = self._scanner, self._place()
        word = scanner.peek_word()
        if word in EFFECTS:
            agent.rules.append(self._rule(agent))
            return
        read = self._readers(agent).get(word)
        if read is None:
            raise self._unexpected("a rule or a block")
        scanner.word("a statement")
        read(place)

    def _readers(self, agent: FplAgent) -> Mapping[str, Callable[[tuple[int, int]], None]]:
        blocks = self._blocks
        return {
            "default": lambda place: self._default(agent),
            **{word: self._about(agent, word) for word in ABOUT},
            "var": lambda place: blocks.variable(agent),
            "rules": lambda place: self._body(lambda: self._only_rule(agent)),
            "phase": lambda place: self._phase(agent, place),
            "budget": lambda place: agent.budgets.append(blocks.budget(place)),
            "rate_limit": lambda place: agent.rates.append(blocks.rate(place)),
            "ambient": lambda place: agent.rates.append(blocks.ambient(place)),
            "redact": lambda place: agent.redactions.append(blocks.redaction(place)),
            "delegate": lambda place: agent.delegates.append(blocks.delegate(place)),
        }

    def _about(self, agent: FplAgent, word: str) -> Callable[[tuple[int, int]], None]:
        def read(_: tuple[int, int]) -> None:
            self._scanner.take("=")
            agent.about[word] = self._scanner.text_or_word(f"the {word}")

        return read

    def _default(self, agent: FplAgent) -> None:
        start = self._scanner.skip()
        if agent.default is not None:
            raise self._scanner.refuse("`default` is said twice", at=start)
        effect = EFFECTS.get(self._scanner.word("`deny` or `permit`"))
        if effect not in {"allow", "deny"}:
            raise self._scanner.refuse("the default is `deny` or `permit`", at=start)
        agent.default, agent.default_at = effect, self._scanner.place(start)

    def _only_rule(self, agent: FplAgent) -> None:
        if self._scanner.peek_word() not in EFFECTS:
            raise self._unexpected("permit, deny, deny! or defer")
        agent.rules.append(self._rule(agent))

    def _rule(self, agent: FplAgent) -> FplRule:
        scanner = self._scanner
        place = self._place()
        effect = EFFECTS[scanner.word("an effect")]
        rule = FplRule(effect=effect, tool=scanner.text_or_word("a tool or a glob over tools"), place=place)
        while True:
            start, word = scanner.skip(), scanner.peek_word()
            if word in {"when", "if"}:
                scanner.word("when")
                if rule.when is not None:
                    raise scanner.refuse("a rule has one condition; join several with `and`", at=start)
                rule.when_at = self._place()
                rule.when = ExpressionReader(scanner, Vocabulary(agent.variables)).read()
            elif word == "notify":
                rule.notify.append(self._clause("notify", "whom to tell"))
            elif word == "reason":
                rule.reason = self._clause("reason", "the reason")
            elif word in NETWORK or word == "reeval":
                scanner.position += len(word)
                raise scanner.unsupported(f"`{word}` is not supported on a rule: write a condition on args", at=start)
            else:
                return rule

    def _clause(self, name: str, what: str) -> str:
        self._scanner.need(name)
        self._scanner.take(":")
        self._scanner.take("=")
        return self._scanner.text_or_word(what)

    def _phase(self, agent: FplAgent, place: tuple[int, int]) -> None:
        phase = FplPhase(id=self._scanner.text_or_word("the phase's id"), place=place)
        agent.phases.append(phase)
        self._body(lambda: self._phase_statement(agent, phase))

    def _phase_statement(self, agent: FplAgent, phase: FplPhase) -> None:
        word = self._scanner.peek_word()
        if word in EFFECTS:
            phase.rules.append(self._rule(agent))
        elif word == "duration":
            self._scanner.need(word)
            phase.duration = f"{self._blocks.duration():g}s"
        elif word == "next":
            self._scanner.need(word)
            phase.next_at = self._place()
            phase.next = self._scanner.text_or_word("a phase")
        else:
            raise self._unexpected("a rule, `duration` or `next`")

    def _unexpected(self, what: str) -> Refused:
        """`what` is expected here; the position goes over the word that is not it."""
        start, word = self._scanner.skip(), self._scanner.peek_word()
        refused = self._scanner.refuse(f"{what} is expected here, not {self._scanner.shown()}")
        if word in REFUSED:
            refused = self._scanner.unsupported(f"`{word}` is not supported: {REFUSED[word]}", at=start)
        self._scanner.position += len(word)
        return refused

    def _place(self) -> tuple[int, int]:
        return self._scanner.place(self._scanner.skip())
