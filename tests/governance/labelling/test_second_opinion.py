"""Names that begin as if they only read, and descriptions that say otherwise."""

from typing import Any

import pytest

from mutx.governance.labelling.label import label
from mutx.governance.labelling.policy import declaration
from mutx.governance.labelling.spec import read_specs
from mutx.governance.tools import Access
from tests.governance.labelling.toolsets import tool


@pytest.mark.parametrize(
    ("name", "description"),
    [
        ("get_or_create_tag", "Returns the tag."),
        ("check_and_renew", "Looks whether a permit is due."),
        ("query_close", "Closes a query that an auditor raised."),
        ("list_add", "An entry for a list."),
        ("info_update", "Contact info."),
        ("rank_up", "Promotes a member."),
        ("is_paid", "Marks an invoice as paid."),
    ],
)
def test_what_begins_as_if_it_read_writes(name: str, description: str) -> None:
    assert label(_spec(name, description)).access is Access.WRITE


@pytest.mark.parametrize(
    ("name", "description"),
    [
        ("list_orders", "Orders of a customer."),
        ("search_closed_tickets", "Tickets that were closed."),
        ("get_report", "Gives the report of a month."),
        ("check_update", "Checks whether an update is there."),
        ("query_tables", "Tables of the database."),
    ],
)
def test_what_reads_is_not_taken_for_more(name: str, description: str) -> None:
    found = label(_spec(name, description))
    assert found.access is Access.READ
    assert not found.guarded


@pytest.mark.parametrize(
    ("name", "description"),
    [
        ("load_truck", "Loads a truck."),
        ("display_message", "Displays a message on the board."),
        ("list_clear", "Empties a list."),
        ("lookup_request", "Requests a lookup from the registry."),
    ],
)
def test_what_may_do_more_is_not_done_on_a_stranger_s_word(name: str, description: str) -> None:
    found = label(_spec(name, description))
    assert found.access is Access.READ
    assert declaration(found)["ask_instructed"]
    assert declaration(found)["ask_hearsay"]


def _spec(name: str, description: str) -> Any:
    return read_specs([tool(name, description, thing="string")])[0]


@pytest.mark.parametrize(
    ("name", "description", "access"),
    [
        ("queries.reply", "Reply to a research query.", Access.WRITE),
        ("checks_cancel", "Cancel a check.", Access.WRITE),
        ("queries.list", "Queries of members.", Access.READ),
        ("counts", "Counts of a cellar.", Access.READ),
        ("status_page", "Status of a page.", Access.READ),
    ],
)
def test_what_there_are_several_of_is_no_verb(name: str, description: str, access: Access) -> None:
    assert label(_spec(name, description)).access is access
