"""What the shapes of requests refuse before anybody looks at them."""

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from mutx.contract.api_keys import MAX_LANE_DAYS, ApiKeyCreate
from mutx.contract.base import Timestamp

LANE = "coding"
MOMENT: TypeAdapter[datetime] = TypeAdapter(Timestamp)


def test_a_moment_is_kept_in_utc() -> None:
    moment = MOMENT.validate_python("2027-01-15T09:00:00+01:00")
    assert (moment, moment.tzinfo) == (datetime(2027, 1, 15, 8, tzinfo=UTC), UTC)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-01:00"])
def test_a_moment_that_only_its_own_zone_has_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="outside the calendar"):
        MOMENT.validate_python(text)


@pytest.mark.parametrize(
    "key",
    [{"expires_in_days": 1}, {"role": "DEVELOPER", "expires_in_days": MAX_LANE_DAYS + 1}],
)
def test_a_key_of_a_lane_needs_a_role_and_ends_soon(key: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="a lane needs a role"):
        ApiKeyCreate.model_validate({"name": "ci", "lane": LANE, **key})
    assert ApiKeyCreate.model_validate({"name": "ci", "lane": LANE, "role": "DEVELOPER"}).lane is not None
