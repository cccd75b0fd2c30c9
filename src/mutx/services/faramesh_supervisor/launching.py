"""The last step before a child: what exactly is run, and with which environment."""

from collections.abc import Iterator, Mapping

from mutx.services.faramesh_supervisor.config import SupervisionConfig
from mutx.services.faramesh_supervisor.supervisor import About, Launch
from mutx.services.faramesh_supervisor.validation import Runnable, policy_file

ENV_WORD = "{env}"
"""A word of the prefix that stands for `--env NAME` of each variable given."""
INHERITED = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)
"""What a child gets of the control plane's own environment. Nothing else of it: secrets stand in there."""


def launch_of(config: SupervisionConfig, runnable: Runnable, about: About, environment: Mapping[str, str]) -> Launch:
    """`environment`: the control plane's. Raises SupervisionValidationError for a policy file that is gone."""
    env = {name: environment[name] for name in INHERITED if name in environment}
    env |= runnable.env
    env |= {
        "MUTX_SOCKET": str(config.mutx_socket),
        "MUTX_AGENT_ID": about.agent_id,
        "FARAMESH_SOCKET": str(config.socket_path),
        "FARAMESH_AGENT_ID": about.agent_id,
    }
    if config.faramesh_bin is None and not config.launch_prefix:
        env["FARAMESH_AUTOLOAD"] = "1"  # an agent that has Faramesh's library in it is governed by that
    command = (*_prefix(config, runnable, about), *_governed(config, runnable, about))
    return Launch(about=about, command=command, env=env, cwd=runnable.cwd, own=runnable.env)


def _prefix(config: SupervisionConfig, runnable: Runnable, about: About) -> Iterator[str]:
    for word in config.launch_prefix:
        if word == ENV_WORD:
            yield from (part for name in runnable.env for part in ("--env", name))
        else:
            yield word.replace("{agent_id}", about.agent_id)


def _governed(config: SupervisionConfig, runnable: Runnable, about: About) -> tuple[str, ...]:
    if config.faramesh_bin is None:
        return runnable.command
    policy = () if runnable.policy is None else ("--policy", str(policy_file(config, runnable.policy)))
    return (config.faramesh_bin, "run", "--agent-id", about.agent_id, *policy, "--", *runnable.command)
