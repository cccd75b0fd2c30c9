"""What the groups of settings share."""

from typing import Annotated

from pydantic import Field

MINUTE, HOUR, DAY = 60, 3600, 86_400

Positive = Annotated[int, Field(gt=0)]
