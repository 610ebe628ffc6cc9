"""An approval is of one very plan, by somebody else, for a time; whatever is edited makes another plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.gates.plan import Approval, Person, Plan, not_approved, same_person
from tests.domain.gates.stage import NOW

PLAN = Plan("agent", "switch", "switch", "green", "", 7, ("canary",), "d", "because", "ada", "default", NOW)
EDITS: dict[str, Any] = {
    "agent": "atlas",
    "command": "resume",
    "act": "resume",
    "target": "blue",
    "step": "2",
    "expected_epoch": 8,
    "closed": ("canary", "guard"),
    "content": "e",
    "reason": "Because",
    "who": "eve",
    "login": "ada",
}


def approval(plan: Plan = PLAN, who: str = "bob", login: str = "default", seconds: float = 900) -> Approval:
    return Approval(plan.id, who, login, NOW, NOW + timedelta(seconds=seconds))


def test_an_approval_by_somebody_else_of_this_very_plan_holds() -> None:
    assert not_approved(PLAN, approval(), NOW) == ""


@pytest.mark.parametrize("name", [*EDITS])
def test_an_edit_of_anything_but_the_time_makes_another_plan(name: str) -> None:
    edited = replace(PLAN, **{name: EDITS[name]})
    assert edited.id != PLAN.id
    assert not_approved(edited, approval(), NOW) == "the approval is of another plan"


def test_every_field_but_the_time_is_bound() -> None:
    assert {*EDITS, "proposed_at"} == set(PLAN.document())
    assert replace(PLAN, proposed_at=NOW + timedelta(1)).id == PLAN.id


@pytest.mark.parametrize(("later_s", "holds"), [(0, True), (899.9, True), (900, False), (-0.1, False)])
def test_an_approval_holds_from_its_moment_until_its_expiry(later_s: float, holds: bool) -> None:
    assert (not_approved(PLAN, approval(), NOW + timedelta(seconds=later_s)) == "") is holds


def test_no_approval_and_one_by_the_proposer_are_none() -> None:
    assert not_approved(PLAN, None, NOW) == "nobody has approved it"
    assert "can't approve it" in not_approved(PLAN, approval(who="ada"), NOW)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Person("ada"), Person("bob"), False),
        (Person("ada"), Person("ada"), True),
        (Person("ada", "ada"), Person("bob", "ada"), True),
        (Person("ops", "ada"), Person("ops", "bob"), False),
        (Person("ada", "ada"), Person("bob"), True),
        (Person("ada"), Person("bob", "bob"), True),
        (Person("ada", "?"), Person("bob", "?"), True),
        (Person("ada", "?"), Person("bob", "bob"), True),
        (Person("ada", "?"), Person("bob"), True),
    ],
)
def test_the_stores_login_says_who_is_who_where_it_knows_anybody(one: Person, other: Person, same: bool) -> None:
    assert same_person(one, other) is same_person(other, one) is same


@given(who=st.text(max_size=20), login=st.text(max_size=20))
def test_nobody_is_a_second_person_to_themselves(who: str, login: str) -> None:
    assert same_person(Person(who, login), Person(who, login))
