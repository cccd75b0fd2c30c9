"""`mutx approvals`, `mutx approve` and `mutx deny`: what waits for a person, and the person's answer."""

from collections.abc import Iterable

import click
from pydantic_core import to_jsonable_python

from mutx.cli.build import FamilyGroup
from mutx.cli.follow import follow
from mutx.cli.output import print_fields, print_table, printable, show
from mutx.cli.state import CliState, pass_state, shared_options
from mutx.contract.approvals import Approval, ApprovalResolve, ApprovalState
from mutx.sdk.groups import ApprovalsApi

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
MAX_ASKED = 80
"""Characters of a row that say what is asked about."""


class ApprovalsGroup(FamilyGroup):
    """Without a command it lists what is pending."""


approvals = ApprovalsGroup(
    "approvals",
    ApprovalsApi,
    "List and follow what waits for a person; without a command: what is pending now.",
    invoke_without_command=True,
)


@click.option("--watch", is_flag=True, help="Go on and show requests as they open and change.")
@shared_options
@click.pass_context
def _pending(ctx: click.Context, watch: bool) -> None:
    if ctx.invoked_subcommand is not None:
        return
    state = ctx.ensure_object(CliState)
    if watch:
        for approval in follow(state.client.approvals.stream, state):
            _line(state, approval)
        return
    found = state.client.approvals.list(ApprovalState.PENDING, limit=200)
    if state.as_json:
        show(state, found)
    else:
        _table(found.items)


approvals.callback = _pending
approvals.params = list(getattr(_pending, "__click_params__", []))[::-1]


@approvals.command("show")
@click.argument("request_id")
@shared_options
@pass_state
def show_approval(state: CliState, request_id: str) -> None:
    """Show a request with all that an approver has to see."""
    found = state.client.approvals.get(request_id)
    if state.as_json:
        show(state, found)
        return
    print_fields(
        {
            "request": found.id,
            "status": found.request_status,
            "asks": found.reason,
            "tool": found.action_type,
            "arguments": to_jsonable_python(found.payload),
            "expires_in": f"{found.remaining_seconds} s",
            "user_asked": found.original_request,
            "agent_says": found.stated_intent,
            "risk": found.risk,
            "session_holds": f"{found.labels.confidentiality}, untrusted content: {'yes' if found.labels.untrusted_seen else 'no'}",
            "on_behalf_of": f"{found.identity.human} through {found.identity.agent} ({found.identity.method})",
            "votes": f"{len(found.votes)} of {found.quorum}",
        }
    )
    if found.critical:
        print_table(
            ["critical", "value", "origin", "source"], ([c.name, c.value, c.origin, c.source] for c in found.critical)
        )
    if found.matched_rules:
        print_table(["rule", "policy", "effect"], ([r.name or r.id, r.policy, r.effect] for r in found.matched_rules))
    if found.prior_actions:
        print_table(["before", "effect", "at"], ([a.tool_name, a.effect, a.at] for a in found.prior_actions))


@click.command()
@click.argument("request_id")
@click.option("--comment", help="Why; it stands in the receipt.")
@click.option("--grant", metavar="TIME:USES", help="Also answer the same question for this agent and tool, e.g. 1h:10.")
@shared_options
@pass_state
def approve(state: CliState, request_id: str, comment: str | None, grant: str | None) -> None:
    """Say yes to a request, as the person who is signed in."""
    seconds, uses = _grant(grant) if grant else (None, None)
    body = ApprovalResolve(comment=comment, grant_ttl_seconds=seconds, grant_uses=uses)
    _answered(state, state.client.approvals.approve(request_id, body))


@click.command()
@click.argument("request_id")
@click.option("--comment", help="Why; it stands in the receipt.")
@shared_options
@pass_state
def deny(state: CliState, request_id: str, comment: str | None) -> None:
    """Say no to a request, as the person who is signed in."""
    _answered(state, state.client.approvals.reject(request_id, ApprovalResolve(comment=comment)))


def _grant(text: str) -> tuple[float, int]:
    """`1h:10` -> an hour, ten times."""
    time, _, uses = text.partition(":")
    try:
        return float(time[:-1]) * UNITS[time[-1:]], int(uses)
    except (ValueError, KeyError) as error:
        raise click.BadParameter(f"{text!r}: write time and uses as in 30m:5 or 1h:10", param_hint="--grant") from error


def _answered(state: CliState, approval: Approval) -> None:
    if state.as_json:
        show(state, approval)
        return
    votes = f", {len(approval.votes)} of {approval.quorum} votes" if approval.status is ApprovalState.PENDING else ""
    click.echo(f"{approval.request_status.lower()}{votes}: {printable(approval.action_type)} ({approval.id})")


def _table(items: Iterable[Approval]) -> None:
    rows = [
        [one.id, one.action_type, _asked(one), one.agent_id, one.reason, f"{one.remaining_seconds} s"] for one in items
    ]
    if rows:
        print_table(["request", "tool", "asked_about", "agent", "why", "left"], rows)
        click.echo("answer with `mutx approve REQUEST` or `mutx deny REQUEST`; `mutx approvals show REQUEST` says more")
    else:
        click.echo("nothing waits")


def _asked(approval: Approval) -> str:
    """The values asked about, `to = eve@example.org`; where none is named, all arguments. Short enough for one row."""
    named = [(value.name, value.value) for value in approval.critical]
    pairs = named or [(name, to_jsonable_python(value)) for name, value in approval.payload.items()]
    text = " ".join(", ".join(f"{name} = {value}" for name, value in pairs).split())
    return text if len(text) <= MAX_ASKED else f"{text[: MAX_ASKED - 1]}…"


def _line(state: CliState, approval: Approval) -> None:
    if state.as_json:
        show(state, approval)
        return
    left = f", {approval.remaining_seconds} s left" if approval.status is ApprovalState.PENDING else ""
    click.echo(
        printable(
            f"{approval.request_status.lower()}{left}: {approval.action_type}: {approval.reason}: {_asked(approval)} "
            f"({approval.id})"
        )
    )
