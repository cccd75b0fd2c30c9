from tests.server.conftest import plane as plane
from tests.server.conftest import plane_on_both as plane_on_both
