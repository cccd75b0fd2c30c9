"""What the groups of settings share."""

from typing import Annotated

from pydantic import Field

MINUTE, DAY = 60, 86_400

Positive = Annotated[int, Field(gt=0)]
