"""The program's environment: what it needs to run, what it was given by name, and nothing that opens doors."""

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

KEPT = (
    "PATH HOME USER LOGNAME SHELL PWD TERM COLORTERM TERM_PROGRAM COLUMNS LINES NO_COLOR FORCE_COLOR TZ LANG LANGUAGE LC_* "
    "PYTHON* VIRTUAL_ENV CONDA_PREFIX CONDA_DEFAULT_ENV LD_LIBRARY_PATH SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE "
    "CURL_CA_BUNDLE CI DEBIAN_FRONTEND OMP_NUM_THREADS MKL_NUM_THREADS NODE_PATH NODE_EXTRA_CA_CERTS HOSTNAME"
).split()
"""Names and patterns of variables that hold no credentials by their meaning."""
SUPERVISORS_MARK = "MUTX_LAUNCH_ID"
"""By this a supervisor finds what an agent left running, so the program and its children carry it on. It is no secret."""
NEVER = re.compile(r"PYTHONPATH|PYTHONHOME|MUTX_.*")
"""Not passed as they are: the first is rewritten, the others would lead around the run."""
SECRET = re.compile(
    r"KEY|TOKEN|SECRET|PASS(WORD|WD|PHRASE)?($|_)|CREDENTIAL|AUTH|COOKIE|_DSN$|DATABASE_URL|REDIS_URL|KUBECONFIG|^AWS_|^AZURE_"
    r"|^GOOGLE_|^GCP_|SSH_|GPG_|NETRC"
)


class ChildEnvironment(NamedTuple):
    """What the program gets, and the names of what it does not get."""

    variables: dict[str, str]
    given: tuple[str, ...]
    """Passed because somebody named them."""
    stripped: tuple[str, ...]
    credentials: tuple[str, ...]
    """Of the stripped ones, those whose names say that they are secret."""


def child_environment(present: Mapping[str, str], passed: Iterable[str]) -> ChildEnvironment:
    """Choose from `present`; `passed` names what is to be passed beyond the usual."""
    wanted = [name for name in dict.fromkeys(passed) if name in present and not NEVER.fullmatch(name)]
    variables = {
        name: value for name, value in present.items() if name in wanted or (_usual(name) and not NEVER.fullmatch(name))
    }
    stripped = tuple(sorted(name for name in present if name not in variables and not NEVER.fullmatch(name)))
    if "PYTHONPATH" in present:
        variables["PYTHONPATH"] = present["PYTHONPATH"]
    credentials = tuple(name for name in stripped if SECRET.search(name.upper()))
    return ChildEnvironment(variables, tuple(wanted), stripped, credentials)


def _usual(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in KEPT)
