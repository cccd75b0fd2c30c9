from tests.server.conftest import plane as plane
