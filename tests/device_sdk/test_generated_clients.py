"""Clients generated from openapi.yaml send what their caller gave, and nothing else."""

import subprocess
import sys

from conftest import ROOT

TYPESCRIPT = """
import type { components } from "./api";
type Command = components["schemas"]["CreateCommand"];
export const commands: Command[] = [
  { name: "reboot", target: { things: ["pump-7"] } },
  { name: "reboot", target: { things: ["pump-7"] }, timeout: 60, retry: {}, lane: { name: "valve" } },
  { name: "reboot", target: { groups: ["pumps"] }, delivery: "broadcast", broadcast: {} },
  {
    name: "reboot",
    target: { groups: ["pumps"] },
    rollout: { maximumPerMinute: 10, canary: { things: 1 }, waves: { percentages: [10, 100] } },
    schedule: { window: { start: "22:00", end: "23:00" } },
  },
];
export const cancel: components["schemas"]["Cancel"] = {};
"""


def run(*words, folder):
    done = subprocess.run([str(word) for word in words], cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, words))}\n{done.stdout}\n{done.stderr}"


def test_python_client_sends_what_it_was_given(stack, tmp_path, monkeypatch):
    generator = ["openapi-python-client", "generate", "--path", ROOT / "openapi.yaml", "--output-path", tmp_path / "client"]
    run(*generator, "--fail-on-warning", folder=tmp_path)
    monkeypatch.syspath_prepend(tmp_path / "client")
    from flaghoist_client.models import CreateCommand, CreateCommandRetryType0, Target

    target = Target(things=["client-1"])
    for command, sent in (
        (CreateCommand(name="reboot", target=target, timeout=60), {"timeout": 60}),
        (CreateCommand(name="reboot", target=target, ttl=10, retry=CreateCommandRetryType0()), {"ttl": 10, "retry": {}}),
    ):
        assert command.to_dict() == {"name": "reboot", "target": {"things": ["client-1"]}, **sent}
        status, answer = stack.http("POST", "/commands", command.to_dict())
        assert status == 202, answer
    for name in [name for name in sys.modules if name.startswith("flaghoist_client")]:
        del sys.modules[name]


def test_typescript_requires_only_what_the_api_requires(tmp_path):
    (tmp_path / "use.ts").write_text(TYPESCRIPT, encoding="utf-8")
    run("npx", "--yes", "--package", "openapi-typescript@7.13.0", "openapi-typescript", ROOT / "openapi.yaml", "--output", "api.ts", folder=tmp_path)
    run("npx", "--yes", "--package", "typescript@5.9.3", "tsc", "--noEmit", "--strict", "use.ts", folder=tmp_path)
