from tests.server.conftest import plane_on_both as plane  # noqa: F401 - pytest finds it by this name
