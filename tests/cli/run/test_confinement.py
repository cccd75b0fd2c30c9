"""What a governed program is kept from: credentials, files, connections, and requests that nobody allows."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.cli.run.conftest import PYTHON, Launch, Script, enforcement
from tests.services.egress.conftest import serving
from tests.tls_road import certificates


class TestEnvironment:
    def test_credentials_stay_outside(self, launch: Launch, script: Script) -> None:
        name = script("import json, os; print(json.dumps(dict(os.environ)))")
        done = launch("--env", "OTHER", "--", PYTHON, name)
        seen = json.loads(done.stdout)
        assert "SOME_API_KEY" not in seen
        assert seen["OTHER"] == "plain"
        assert not [name for name, value in seen.items() if "k-123" in value]
        assert "SOME_API_KEY" in done.stderr
        assert "MUTX_API_KEY" not in seen
        assert "MUTX_URL" not in seen

    def test_a_required_layer_that_does_not_hold_stops_the_run(self, launch: Launch) -> None:
        done = launch("--no-sandbox", "--require", "files", "--", "true", exits=125)
        assert "`files` was required and does not hold" in done.stderr
        assert "there is no layer `fils`" in launch("--require", "fils", "--", "true", exits=125).stderr


class TestSandbox:
    def test_a_write_elsewhere_and_a_connection_are_refused_or_the_report_says_that_they_are_not(
        self, launch: Launch, script: Script, folder: Path, tmp_path: Path
    ) -> None:
        elsewhere = tmp_path / "stolen"
        with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
            name = script(
                "import socket, sys\n"
                "def tried(what, *args):\n"
                "    try: what(*args)\n"
                "    except OSError as error: return 'refused'\n"
                "    return 'done'\n"
                "def connect():\n"
                f"    socket.create_connection(('127.0.0.1', {server.server_port}), 5).close()\n"
                "def send():\n"
                "    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))\n"
                f"print(tried(open, {str(elsewhere)!r}, 'w'), tried(connect), tried(open, 'here', 'w'))\n"
            )
            done = launch("--report", "report.json", "--", PYTHON, name)
        layers = enforcement(folder)
        write, connect, here = done.stdout.split()
        assert write == ("refused" if layers["files"]["state"] == "holds" else "done")
        assert connect == ("done" if layers["network"]["state"] == "off" else "refused")
        assert here == "done"
        assert elsewhere.exists() == (write == "done")
        for name in ("files", "network"):
            if layers[name]["state"] != "holds":
                assert layers[name]["detail"], "a layer that does not hold says why"

    def test_the_signing_key_cannot_be_read(
        self, launch: Launch, script: Script, folder: Path, environment: dict[str, str]
    ) -> None:
        home = Path(environment["MUTX_HOME"])
        keys = [str(path) for path in home.rglob("*") if path.is_file() and path.suffix != ".sock"]
        assert keys
        name = script(
            "import sys\n"
            "for path in sys.argv[1:]:\n"
            "    try: print('read', open(path, 'rb').read(1) and path)\n"
            "    except (PermissionError, FileNotFoundError): pass\n"
        )
        done = launch("--report", "report.json", "--", PYTHON, name, *keys)
        if enforcement(folder)["keys"]["state"] == "holds":
            assert done.stdout == ""

    def test_system_calls_that_lead_out_are_refused(self, launch: Launch, script: Script, folder: Path) -> None:
        name = script(
            "import ctypes, os\n"
            "libc = ctypes.CDLL(None, use_errno=True)\n"
            "for call in (lambda: libc.unshare(0x10000000), lambda: libc.ptrace(16, os.getppid(), 0, 0)):\n"
            "    print(call(), ctypes.get_errno())\n"
            "try: os.kill(os.getppid(), 15)\n"
            "except PermissionError: print('no signal')\n"
        )
        if "seccomp" not in (done := launch("--report", "report.json", "--", PYTHON, name)).stderr:
            pytest.skip(enforcement(folder)["syscalls"]["detail"])
        assert done.stdout.splitlines()[:2] == ["-1 1", "-1 1"]


class TestEgress:
    def test_requests_are_decided_and_carried(self, launch: Launch, script: Script) -> None:
        class Shop(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"welcome")

            def log_message(self, *_: object) -> None:
                """Silent."""

        name = script(
            "import sys, urllib.error, urllib.request\n"
            "for path in ('/public/a', '/secret'):\n"
            "    try: print(urllib.request.urlopen(sys.argv[1] + path, timeout=30).read().decode())\n"
            "    except urllib.error.HTTPError as error: print(error.code)\n"
            "    except urllib.error.URLError: print('no way')\n"
        )
        with HTTPServer(("127.0.0.1", 0), Shop) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            where = f"http://127.0.0.1:{server.server_port}"
            done = launch("--allow-net", "127.0.0.0/8", "--", PYTHON, name, where)
            assert done.stdout == "welcome\n403\n"
            assert launch("--", PYTHON, name, where).stdout in ("no way\nno way\n", "403\n403\n")
            server.shutdown()

    def test_https_is_decided_by_path_with_leave_to_look_into_it(
        self, launch: Launch, script: Script, folder: Path, tmp_path: Path
    ) -> None:
        """The program trusts the gateway by its environment alone, and a child that got another one does too."""
        name = script(
            "import os, subprocess, sys, urllib.request, urllib.error\n"
            "for path in ('public', 'secret'):\n"
            "    try:\n"
            "        print(urllib.request.urlopen(f'https://127.0.0.1:{sys.argv[1]}/{path}', timeout=60).read().decode())\n"
            "    except urllib.error.HTTPError as error:\n"
            "        print(error.code)\n"
            "if len(sys.argv) == 2:\n"
            "    subprocess.run([sys.executable, __file__, sys.argv[1], 'again'], env={'PATH': os.environ['PATH']}, check=True)\n"
        )
        made = certificates(tmp_path, "127.0.0.1")
        with serving(made) as port:
            words = ("--egress-inspect", "--report", "report.json", "--allow-net", "127.0.0.0/8")
            env = {"SSL_CERT_FILE": str(made.authority)}
            done = launch(*words, "--", PYTHON, name, str(port), env=env)
        shown = f"GET /public host=127.0.0.1:{port} proxy=None\n403\n"
        assert done.stdout == shown * 2, done.stderr
        assert "of https too" in enforcement(folder)["egress"]["detail"]

    def test_there_is_nothing_to_look_into_without_a_gateway(self, launch: Launch) -> None:
        assert "--no-egress" in launch("--egress-inspect", "--no-egress", "--", "true", exits=125).stderr
