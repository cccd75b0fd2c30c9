"""Child processes: they get the bootstrap, the run and the scope they were started in, or they are refused.

A program may give its children an environment of its own; what governs them is added to it. Processes made by `fork` have
everything in memory already; workers of process pools get the scope of each task with the task.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from importlib import import_module
from types import MappingProxyType
from typing import Any

from mutx_agent.launch.gate import Tell, shout
from mutx_agent.launch.order import SCOPE_VARIABLE, Order, portable, scope_to_text, to_environment, with_bootstrap
from mutx_agent.scope import CURRENT, Scope

Environment = Mapping[Any, Any]
SHELL = "/bin/sh"
ENVIRONMENT_AT = 5
"""Among the arguments of CPython's own `fork_exec`."""
POOL_METHODS = ("apply_async", "_map_async", "imap", "imap_unordered")


class Children:
    """Rewrites the ways by which Python starts processes. Each module is touched only once it has been imported."""

    def __init__(self, order: Order, tell: Tell) -> None:
        self._order = order
        self._tell = tell
        self.steps: Mapping[str, Callable[[], None]] = MappingProxyType(
            {
                "subprocess": self._in_subprocess,
                "multiprocessing.process": _in_multiprocessing,
                "multiprocessing.util": self._in_spawn,
                "multiprocessing.pool": _in_pools,
                "concurrent.futures.process": _in_executors,
                "uvloop": self._in_uvloop,
            }
        )

    def environment(self, given: Environment | None) -> dict[str, str]:
        """A child's environment: what it was given, and what governs it."""
        base = {
            os.fsdecode(name): os.fsdecode(value) for name, value in (os.environ if given is None else given).items()
        }
        inherited = {name: os.environ[name] for name in self._order.extra if name in os.environ}
        governing = {
            **to_environment(self._order),
            "PYTHONPATH": with_bootstrap(base.get("PYTHONPATH")),
            SCOPE_VARIABLE: scope_to_text(CURRENT.get()),
        }
        return {**inherited, **base, **governing}

    def check(self, option: str | None) -> None:
        """Raises UngovernedChild for a Python that would not load the bootstrap."""
        if option is None:
            return
        self._tell("blind", {"option": option})
        if self._order.allow_unproved:
            shout(f"WARNING: a child process `{option}` runs NOT governed because of --allow-unproved")
            return
        from mutx_agent.launch.interpreters import UngovernedChild

        raise UngovernedChild(
            f"`{option}` would run ungoverned below mutx run: leave the option out, or accept it with --allow-unproved"
        )

    def guard_exec(self) -> None:
        """For what is there from the start: the functions of `os`."""
        for name in ("posix_spawn", "posix_spawnp", "execve"):
            plain = getattr(os, name, None)
            if plain is not None:
                setattr(os, name, self._with_environment(plain))
        plain_execv, plain_system = os.execv, os.system

        @wraps(plain_execv)
        def execv(path: Any, args: Sequence[Any], /) -> Any:
            # Through `execve`, which gives it the governing environment.
            return os.execve(path, list(args), os.environ)  # noqa: S606 - the program's own command

        @wraps(plain_system)
        def system(command: Any) -> int:
            from mutx_agent.launch.interpreters import blind_option_in_shell

            self.check(blind_option_in_shell(os.fsdecode(command)))
            return _shell(command)

        os.execv, os.system = execv, system

    def _with_environment(self, plain: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(plain)
        def spawn(path: Any, args: Sequence[Any], env: Environment, **options: Any) -> Any:
            if isinstance(path, str | bytes | os.PathLike):  # and not a descriptor of something open
                self.check(_blind_in(args, path, shell=False))
            return plain(path, args, self.environment(env), **options)

        return spawn

    def _in_subprocess(self) -> None:
        popen = sys.modules["subprocess"].Popen
        plain = popen.__init__
        names = plain.__code__.co_varnames[1 : plain.__code__.co_argcount]

        @wraps(plain)
        def start(this: Any, *args: Any, **options: Any) -> None:
            given = dict(zip(names, args, strict=False)) | options
            self.check(_blind_in(given.get("args", ()), given.get("executable"), shell=bool(given.get("shell"))))
            plain(this, **(given | {"env": self.environment(given.get("env"))}))

        popen.__init__ = start

    def _in_spawn(self) -> None:
        """A process of `multiprocessing` gets what the environment is then; the program may have emptied it."""
        spawning: Any = import_module("_posixsubprocess")
        plain = spawning.fork_exec

        @wraps(plain)
        def fork_exec(*args: Any) -> Any:
            if args[ENVIRONMENT_AT] is None:
                pairs = [os.fsencode(f"{name}={value}") for name, value in self.environment(None).items()]
                args = (*args[:ENVIRONMENT_AT], pairs, *args[ENVIRONMENT_AT + 1 :])
            return plain(*args)

        spawning.fork_exec = fork_exec

    def _in_uvloop(self) -> None:
        """Its event loop starts processes itself."""
        loop = sys.modules["uvloop"].Loop
        plain_exec, plain_shell = loop.subprocess_exec, loop.subprocess_shell

        @wraps(plain_exec)
        async def subprocess_exec(
            this: Any, factory: Any, program: Any, *args: Any, env: Any = None, **options: Any
        ) -> Any:
            self.check(_blind_in([program, *args], options.get("executable"), shell=False))
            return await plain_exec(this, factory, program, *args, env=self.environment(env), **options)

        @wraps(plain_shell)
        async def subprocess_shell(this: Any, factory: Any, command: Any, *, env: Any = None, **options: Any) -> Any:
            from mutx_agent.launch.interpreters import blind_option_in_shell

            self.check(blind_option_in_shell(os.fsdecode(command)))
            return await plain_shell(this, factory, command, env=self.environment(env), **options)

        loop.subprocess_exec, loop.subprocess_shell = subprocess_exec, subprocess_shell


def _shell(command: Any) -> int:
    """As `system(3)`, but by `os.posix_spawn`, which hands on what governs: what is typed to end the command ends it alone.

    Returns the status as `os.waitpid` has it.
    """
    typed = (signal.SIGINT, signal.SIGQUIT)
    mine = threading.current_thread() is threading.main_thread()
    kept = {number: signal.signal(number, signal.SIG_IGN) for number in typed} if mine else {}
    usual = [number for number in typed if kept.get(number) is not signal.SIG_IGN]
    try:
        pid = os.posix_spawn(SHELL, ["sh", "-c", command], os.environ, setsigdef=usual)
        return os.waitpid(pid, 0)[1]
    except ChildProcessError:  # the program has its children reaped by the kernel
        return -1
    finally:
        for number, handler in kept.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _blind_in(args: Any, executable: Any, *, shell: bool) -> str | None:
    from mutx_agent.launch.interpreters import blind_option, blind_option_in_shell

    words = [args] if isinstance(args, str | bytes | os.PathLike) else list(args)
    texts = [os.fsdecode(word) for word in words]
    if shell and texts:
        return blind_option_in_shell(texts[0])
    return blind_option([os.fsdecode(executable), *texts[1:]] if executable is not None else texts)


class ScopedCall:
    """A callable that runs in the scope it was handed over in, in whatever process that happens."""

    def __init__(self, function: Callable[..., Any], scope: Scope) -> None:
        self._function = function
        self._scope = scope

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        token = CURRENT.set(self._scope)
        try:
            return self._function(*args, **kwargs)
        finally:
            CURRENT.reset(token)


def _scoped(plain: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a pool whose first argument is the function to run."""

    @wraps(plain)
    def hand_over(this: Any, *args: Any, **kwargs: Any) -> Any:
        scope = portable(CURRENT.get())
        if args:
            args = (ScopedCall(args[0], scope), *args[1:])
        elif "func" in kwargs:
            kwargs = {**kwargs, "func": ScopedCall(kwargs["func"], scope)}
        return plain(this, *args, **kwargs)

    return hand_over


def _in_executors() -> None:
    executor = sys.modules["concurrent.futures.process"].ProcessPoolExecutor
    executor.submit = _scoped(executor.submit)


def _in_pools() -> None:
    pool = sys.modules["multiprocessing.pool"].Pool
    for name in POOL_METHODS:
        setattr(pool, name, _scoped(getattr(pool, name)))


def _in_multiprocessing() -> None:
    """`spawn` and `forkserver` start a Python that knows nothing; the scope travels with the process object."""
    process = sys.modules["multiprocessing.process"].BaseProcess
    plain_start, plain_bootstrap = process.start, process._bootstrap

    @wraps(plain_start)
    def start(this: Any) -> None:
        this._mutx_scope = portable(CURRENT.get())
        plain_start(this)

    @wraps(plain_bootstrap)
    def bootstrap(this: Any, *args: Any, **kwargs: Any) -> Any:
        CURRENT.set(getattr(this, "_mutx_scope", CURRENT.get()))
        return plain_bootstrap(this, *args, **kwargs)

    process.start, process._bootstrap = start, bootstrap
