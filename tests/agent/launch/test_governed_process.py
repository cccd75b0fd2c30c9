"""Python processes of a run: they take its identity, prove what they load, and are not there if that fails."""

import os
import stat
import sys
from pathlib import Path

import pytest

from tests.agent.launch.conftest import RunningRelay

ADAPTER = """
import {framework}
def install(governor=None):
    from mutx_agent import govern
    {framework}.call = govern(tool="toy")({framework}.call)
    return lambda: None
"""
FAKE = """
from mutx_agent import hooks
from types import MappingProxyType
hooks.ADAPTERS = MappingProxyType({"toy": hooks.Adapter("pip", "toy_adapter", "toyframe")})
"""


def with_toy(relay: RunningRelay, adapter: str, *, prove: str = "return hooks.Proof(name, '1.0')") -> None:
    """A framework, its adapter, and a table that names it. The table is laid in by the program's own `sitecustomize`,
    which runs after the bootstrap; the bootstrap therefore runs again."""
    (relay.folder / "toyframe.py").write_text("def call(x): return x\n")
    (relay.folder / "toy_adapter.py").write_text(adapter)
    (relay.folder / "arm.py").write_text(
        FAKE + f"def prove(name, *, official):\n    {prove}\nhooks.prove = prove\n"
        "from mutx_agent.launch.activate import activate\nactivate()\n"
    )


def test_a_loaded_framework_is_governed_and_proved(relay: RunningRelay) -> None:
    with_toy(relay, ADAPTER.format(framework="toyframe"))
    done = relay.python("import arm, toyframe; print(toyframe.call(3))")
    assert done.stdout == "3\n"
    assert relay.journal.proved == {"toy": "1.0"}
    assert [(call["tool_name"], call["agent_id"], call["session_id"]) for call in relay.plane.calls] == [
        ("toy", "bot", "run-session")
    ]


@pytest.mark.parametrize(
    "before",
    [
        "from importlib.machinery import PathFinder\nsys.meta_path.insert(0, PathFinder)",
        "sys.meta_path[:] = [each for each in sys.meta_path if 'mutx' not in type(each).__module__]",
    ],
)
def test_a_framework_is_proved_whatever_finder_brings_it(relay: RunningRelay, before: str) -> None:
    """Type checkers, tracers and test runners put finders of their own before ours."""
    with_toy(relay, ADAPTER.format(framework="toyframe"))
    done = relay.python(f"import arm, sys\n{before}\nimport toyframe\nprint(toyframe.call(3))")
    assert done.stdout == "3\n"
    assert relay.journal.proved == {"toy": "1.0"}
    assert len(relay.plane.calls) == 1


def test_a_framework_that_was_loaded_past_the_hooks_is_told_at_the_end(relay: RunningRelay) -> None:
    with_toy(relay, ADAPTER.format(framework="toyframe"))
    past = (
        "import arm, sys, types\nmade = sys.modules['toyframe'] = types.ModuleType('toyframe')\n"
        "exec(open('toyframe.py').read(), vars(made))\nimport toyframe\nprint(toyframe.call(3))"
    )
    done = relay.python(past)
    assert done.stdout == "3\n"
    assert relay.journal.unproved == {"toy": "it was loaded past the hooks, and ran ungoverned"}
    assert "WARNING: toy was loaded past the hooks and ran NOT governed" in done.stderr


def test_a_framework_that_is_not_loaded_costs_nothing(relay: RunningRelay) -> None:
    with_toy(relay, "raise SystemError('never imported')")
    done = relay.python("import arm, sys; print('toyframe' in sys.modules, 'importlib.metadata' in sys.modules)")
    assert done.stdout == "False False\n"


@pytest.mark.parametrize(
    ("adapter", "prove"),
    [
        ("def install(): raise LookupError('patch point gone')", "return hooks.Proof(name, '1')"),
        ("def install(): pass", "raise hooks.HookNotProved('a spy tool ran 1 times')"),
        ("import no_such_module", "return hooks.Proof(name, '1')"),
    ],
)
def test_a_framework_that_is_not_proved_ends_the_process(relay: RunningRelay, adapter: str, prove: str) -> None:
    with_toy(relay, adapter, prove=prove)
    code = "import arm\nprint('before')\ntry: import toyframe\nfinally: print('after')"
    done = relay.python(code, exits=125)
    assert done.stdout == "before\n"
    assert "toy is loaded and its governance is not proved" in done.stderr
    assert list(relay.journal.unproved) == ["toy"]


def test_with_leave_it_runs_and_its_calls_say_so(relay: RunningRelay) -> None:
    with_toy(relay, "def install(): raise LookupError('gone')")
    code = "import arm, toyframe; from mutx_agent import govern; print(govern(toyframe.call)(1))"
    done = relay.python(code, allow_unproved=True)
    assert done.stdout == "1\n"
    assert "WARNING: toy is loaded and NOT governed" in done.stderr
    assert relay.plane.calls[0]["runtime"] == "mutx; unproved: toy"


def test_a_proof_waits_until_the_packages_around_it_are_whole(relay: RunningRelay) -> None:
    """A framework that is imported by another installed package can be run only when that one is there."""
    with_toy(relay, "def install(): pass", prove="import around; around.whole; return hooks.Proof(name, '2')")
    packages = relay.folder / "site-packages"
    packages.mkdir()
    (packages / "around.py").write_text("import toyframe\nwhole = True\n")
    done = relay.python("import sys; sys.path.insert(0, 'site-packages'); import arm, around; print('ran')")
    assert done.stdout == "ran\n"
    assert relay.journal.proved == {"toy": "2"}


def test_the_programs_own_sitecustomize_runs_afterwards(relay: RunningRelay) -> None:
    (relay.folder / "sitecustomize.py").write_text(
        "import sys; sys.own = 'mutx_agent.launch.activate' in sys.modules\n"
    )
    assert relay.python("import sys; print(sys.own)").stdout == "True\n"
    (relay.folder / "sitecustomize.py").write_text("raise ImportError('its own trouble', name='other')\n")
    assert "its own trouble" in relay.python("print(1)").stderr


def test_without_one_python_does_not_hear_of_it(relay: RunningRelay) -> None:
    done = relay.python("import sys; print([entry for entry in sys.path if 'bootstrap' in entry])")
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.parametrize("change", [{"MUTX_RUN": "{}"}, {"MUTX_RUN": "no json"}, {"MUTX_RUN": None}])
def test_a_process_that_cannot_read_its_orders_does_not_start(
    relay: RunningRelay, change: dict[str, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.agent.launch import conftest

    told = {name: value for name, value in change.items() if value is not None}
    monkeypatch.setattr(conftest, "to_environment", lambda _: told)
    for name in change:
        monkeypatch.delenv(name, raising=False)
    done = relay.python("print('ran')", exits=125)
    assert done.stdout == ""
    assert "cannot be governed and is stopped" in done.stderr


def test_a_process_whose_launcher_is_gone_does_not_start(relay: RunningRelay) -> None:
    relay.close()
    done = relay.python("print('ran')", exits=125)
    assert "DoorUnreachable" in done.stderr


class TestChildren:
    def test_every_way_of_starting_a_python_is_governed(self, relay: RunningRelay) -> None:
        (relay.folder / "child.py").write_text(
            "import sys\nfrom mutx_agent import govern\ngovern(lambda how: how, tool='child')(how=sys.argv[1])\n"
        )
        relay.python(
            "import os, subprocess, sys\n"
            "me = sys.executable\n"
            "from mutx_agent import govern\n"
            "with govern.session(session_id='inner', agent='worker'):\n"
            "    subprocess.run([me, 'child.py', 'run'], check=True)\n"
            "    subprocess.Popen([me, 'child.py', 'positional'], -1, me, None, None, None, None, True, False, None, {}).wait()\n"
            "    subprocess.run(f'{me} child.py shell', shell=True, env={b'PATH': b'/bin'}, check=True)\n"
            "    os.waitpid(os.posix_spawn(me, [me, 'child.py', 'spawn'], {}), 0)\n"
            "    os.waitpid(os.posix_spawnp(me, [me, 'child.py', 'spawnp'], {}), 0)\n"
            "    os.spawnv(os.P_WAIT, me, [me, 'child.py', 'spawnv'])\n"
            "    os.system(f'{me} child.py system')\n"
            "    os.execv(me, [me, 'child.py', 'exec'])\n"
        )
        ways = {call["tool_args"]["how"]: (call["session_id"], call["agent_id"]) for call in relay.plane.calls}
        assert set(ways) == {"run", "positional", "shell", "spawn", "spawnp", "spawnv", "system", "exec"}
        assert set(ways.values()) == {("inner", "worker")}

    def test_workers_of_pools_act_in_the_scope_of_their_task(self, relay: RunningRelay) -> None:
        (relay.folder / "work.py").write_text(
            "from mutx_agent import govern\ndef act(how): return govern(lambda how: how, tool='work')(how=how)\n"
        )
        (relay.folder / "pools.py").write_text(
            "import multiprocessing as mp, sys\n"
            "from concurrent.futures import ProcessPoolExecutor\n"
            "from mutx_agent import govern\n"
            "from work import act\n"
            "if __name__ == '__main__':\n"
            "    context = mp.get_context('spawn')\n"
            "    with ProcessPoolExecutor(1, mp_context=context) as executor, context.Pool(1) as pool:\n"
            "        with govern.session(session_id='inner'):\n"
            "            assert list(executor.map(act, ['executor'])) == ['executor']\n"
            "            assert pool.map(act, ['pool']) == ['pool']\n"
            "            assert pool.apply_async(func=act, args=('keyword',)).get(60) == 'keyword'\n"
            "            process = context.Process(target=act, args=('process',))\n"
            "            process.start(); process.join()\n"
        )
        relay.python("import runpy; runpy.run_path('pools.py', run_name='__main__')")
        assert {call["tool_args"]["how"]: call["session_id"] for call in relay.plane.calls} == dict.fromkeys(
            ("executor", "pool", "keyword", "process"), "inner"
        )

    @pytest.mark.parametrize(
        "start",
        [
            "subprocess.run([sys.executable, '-I', 'x.py'])",
            "subprocess.run(['x', '-I'], executable=sys.executable)",
            "subprocess.run(sys.executable + ' -E x.py', shell=True)",
            "os.system(sys.executable + ' -S x.py')",
            "os.posix_spawn(sys.executable, ['python', '-I', 'x.py'], {})",
            "os.execv(sys.executable, ['python', '-I', 'x.py'])",
            "subprocess.run('./blind', shell=False)",
        ],
    )
    def test_pythons_without_hooks_are_refused(self, relay: RunningRelay, start: str) -> None:
        script = relay.folder / "blind"
        script.write_text(f"#!{sys.executable} -I\nopen('ran', 'w').close()\n")
        script.chmod(stat.S_IRWXU)
        (relay.folder / "x.py").write_text("open('ran', 'w').close()\n")
        done = relay.python(f"import os, subprocess, sys\ntry: {start}\nexcept PermissionError as error: print(error)")
        assert "would run ungoverned below mutx run" in done.stdout
        assert not (relay.folder / "ran").exists()
        assert relay.journal.blind

    def test_with_leave_they_run_loudly(self, relay: RunningRelay) -> None:
        code = "import subprocess, sys; subprocess.run([sys.executable, '-I', '-c', 'print(5)'], check=True)"
        done = relay.python(code, allow_unproved=True)
        assert done.stdout == "5\n"
        assert "runs NOT governed because of --allow-unproved" in done.stderr

    def test_what_children_need_they_inherit_whatever_they_are_given(self, relay: RunningRelay) -> None:
        os.environ["FOR_CHILDREN"] = "yes"
        try:
            done = relay.python(
                "import subprocess, sys\n"
                'code = \'import os; print(os.environ["FOR_CHILDREN"], "MUTX_RUN_SCOPE" in os.environ)\'\n'
                "subprocess.run([sys.executable, '-c', code], env={}, check=True)",
                extra=("FOR_CHILDREN", "NOT_THERE"),
            )
        finally:
            del os.environ["FOR_CHILDREN"]
        assert done.stdout == "yes False\n"


EMPTIED = """
import asyncio, multiprocessing, os, subprocess, sys
import uvloop

def probe(what):
    return f"import sys; print({what!r}, any(type(f).__module__ == 'mutx_agent.launch.importing' for f in sys.meta_path))"

async def aside(what, **options):
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", probe(what), **options)
    await child.wait()
    shell = await asyncio.create_subprocess_shell(f'{sys.executable} -c "{probe(what + " shell")}"', **options)
    await shell.wait()

for name in [*os.environ]:
    if name.startswith(("MUTX", "PYTHON")):
        del os.environ[name]
spawn = multiprocessing.get_context("spawn").Process(target=exec, args=(probe("spawn"),))
spawn.start()
spawn.join()
subprocess.run([sys.executable, "-c", probe("subprocess")])
print(os.system(f'{sys.executable} -c "{probe("system")}"; exit 3') >> 8)
os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", probe("spawnv")])
asyncio.run(aside("asyncio", env={}))
uvloop.run(aside("uvloop"))
uvloop.run(aside("uvloop empty", env={}))
try:
    uvloop.run(asyncio.create_subprocess_exec(sys.executable, "-I", "-c", "pass"))
except Exception as error:
    print(type(error).__name__)
"""


def test_children_are_governed_also_where_the_program_has_emptied_its_environment(relay: RunningRelay) -> None:
    said = relay.python(EMPTIED, "-u").stdout.splitlines()
    aside = [f"{what}{how} True" for what in ("asyncio", "uvloop", "uvloop empty") for how in ("", " shell")]
    assert said == [
        "spawn True",
        "subprocess True",
        "system True",
        "3",
        "spawnv True",
        *aside,
        "UngovernedChild",
    ]


def test_what_ends_a_command_of_a_shell_is_the_commands_own(relay: RunningRelay) -> None:
    code = """
import os, signal, threading
signal.signal(signal.SIGINT, lambda *_: print("mine"))
print(os.system("kill -INT $PPID; kill -INT $$"), os.system(b"exit 5") >> 8)
os.kill(os.getpid(), signal.SIGINT)
beside = threading.Thread(target=lambda: print(os.system("exit 4") >> 8))
beside.start()
beside.join()
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print(os.system("true"))
"""
    assert relay.python(code, "-u").stdout.splitlines() == ["2 5", "mine", "4", "-1"]


def test_news_that_cannot_be_told_are_shown(relay: RunningRelay) -> None:
    done = relay.python(
        "from mutx_agent.launch.activate import _tell\n"
        "from mutx_agent.transport.unix import SocketTransport\n"
        "_tell(SocketTransport('nowhere.sock'), 'proved', {})"
    )
    assert "the launcher could not be told `proved`" in done.stderr


def test_no_bootstrap_lies_twice_in_the_path() -> None:
    from mutx_agent.launch.order import BOOTSTRAP, with_bootstrap

    assert with_bootstrap(f"a:{BOOTSTRAP}:b") == f"{BOOTSTRAP}:a:b"
    assert with_bootstrap(None) == BOOTSTRAP
    assert (Path(BOOTSTRAP) / "sitecustomize.py").is_file()


def test_a_proof_may_import_in_threads(relay: RunningRelay) -> None:
    """Frameworks run tools in threads, and these import: no lock of the import may be held by then."""
    with_toy(
        relay,
        "def install(): pass",
        prove="import threading; thread = threading.Thread(target=__import__, args=('toyframe.part',), daemon=True); "
        "thread.start(); thread.join(30); assert not thread.is_alive(); return hooks.Proof(name, '3')",
    )
    (relay.folder / "toyframe.py").unlink()
    (relay.folder / "toyframe").mkdir()
    (relay.folder / "toyframe" / "__init__.py").write_text("")
    (relay.folder / "toyframe" / "part.py").write_text("def call(x): return x\n")
    relay.python("import arm, toyframe.part; print(toyframe.part.call(1))")
    assert relay.journal.proved == {"toy": "3"}
