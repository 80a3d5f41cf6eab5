# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The frame of a module: what comes out of it, and what never does."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.client import core_path
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.options import cluster_argument_spec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.argument_spec import ArgumentSpec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.diff import Difference
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import InputError
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.report import Report
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.runner import ModuleContext, run_module
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_server import (
    Reply,
    ScriptedServer,
)

RunModule = t.Callable[..., t.Any]
Work = t.Callable[[ModuleContext], Report]
SECRET = "s3cret-of-the-test"
PATH = core_path("shop", "secrets", "pull")


def main_of(work: Work) -> t.Callable[[], None]:
    spec = cluster_argument_spec().merge(
        ArgumentSpec({"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}})
    )
    return lambda: run_module(spec, work)


def forms(secret: str) -> list[str]:
    encoded = base64.b64encode(secret.encode()).decode()
    return [secret, encoded, encoded.rstrip("=")]


# ---- reports
CHANGE = Difference("thing", "shop/web", {"a": 1}, {"a": 2})


def test_a_report_becomes_the_result(run_module_main: RunModule) -> None:
    report = Report(True, {"streams": [{"name": "web"}]}, [CHANGE], warnings=["careful"])
    outcome = run_module_main(main_of(lambda context: report), {})
    assert outcome.code == 0
    assert outcome.result["changed"] is True
    assert outcome.result["streams"] == [{"name": "web"}]
    assert outcome.warnings == ["careful"]
    assert "diff" not in outcome.result


def test_the_diff_is_there_in_diff_mode_only(run_module_main: RunModule) -> None:
    outcome = run_module_main(main_of(lambda context: Report(True, differences=[CHANGE])), {}, diff=True)
    assert outcome.diff == {"thing shop/web": (["a: 1"], ["a: 2"])}


def test_a_failure_loses_nothing_that_was_done(run_module_main: RunModule) -> None:
    report = Report(True, {"failed_tags": ["v1"]}, [CHANGE], failure="Tag v1 could not be imported.")
    outcome = run_module_main(main_of(lambda context: report), {}, diff=True)
    assert outcome.code == 1
    assert outcome.failed
    assert outcome.result["msg"] == "Tag v1 could not be imported."
    assert (outcome.result["changed"], outcome.result["failed_tags"]) == (True, ["v1"])
    assert outcome.diff == {"thing shop/web": (["a: 1"], ["a: 2"])}


@pytest.mark.parametrize("check_mode", [True, False])
def test_the_work_knows_about_check_mode(run_module_main: RunModule, check_mode: bool) -> None:
    outcome = run_module_main(
        main_of(lambda context: Report(context.check_mode, {"state": context.params["state"]})),
        {},
        check_mode=check_mode,
    )
    assert (outcome.result["changed"], outcome.result["state"]) == (check_mode, "present")


def test_an_error_is_its_sentence(run_module_main: RunModule) -> None:
    def work(context: ModuleContext) -> Report:
        raise InputError("The option tags is empty.")

    outcome = run_module_main(main_of(work), {})
    assert (outcome.code, outcome.result["msg"]) == (1, "The option tags is empty.")


def test_no_message_commands_a_terminal(run_module_main: RunModule) -> None:
    text = "red \x1b[31m, title \x1b]0;x\x07, one byte \x9b1m, backwards \u202eabc, half \ud800,\ttab,\r\nline"
    seen = (
        "red \u241b[31m, title \u241b]0;x\u2407, one byte \ufffd1m, backwards \ufffdabc, half "
        "\ufffd,\u2409tab,\u240d\nline"
    )

    def refuse(context: ModuleContext) -> t.NoReturn:
        context.warn(text)
        raise InputError(text)

    outcome = run_module_main(main_of(refuse), {})
    assert outcome.result["msg"] == seen
    assert outcome.warnings == [seen.replace("\n", "\u240a")]


def test_a_secret_with_a_control_character_is_masked_first(run_module_main: RunModule) -> None:
    def refuse(context: ModuleContext) -> t.NoReturn:
        context.mask("one\ttwo\x1bthree")
        raise InputError("sent one\ttwo\x1bthree")

    assert run_module_main(main_of(refuse), {}).result["msg"] == "sent ********"


def test_an_error_of_the_api_has_its_parts(run_module_main: RunModule, api: ScriptedServer) -> None:
    api.replies = [
        Reply(403, {"kind": "Status", "reason": "Forbidden", "message": "secrets is forbidden", "code": 403})
    ]
    outcome = run_module_main(main_of(lambda context: context.client().get(PATH)), {"host": api.url, "api_key": SECRET})
    assert outcome.result["status"] == 403
    assert outcome.result["reason"] == "Forbidden"
    assert outcome.result["error"] == "secrets is forbidden"
    assert outcome.result["msg"].startswith('Cannot read secret "pull" in namespace "shop": the API server ')
    assert api.asked[0].values("Authorization") == [f"Bearer {SECRET}"]


def test_an_unexpected_error_tells_where_and_no_value(
    run_module_main: RunModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_json(self: AnsibleModule, msg: str, **results: t.Any) -> None:
        # some versions of Ansible show a traceback only on request
        print(json.dumps({"failed": True, "msg": msg, **results}))
        sys.exit(1)

    monkeypatch.setattr(AnsibleModule, "fail_json", fail_json)

    def work(context: ModuleContext) -> Report:
        try:
            raise KeyError(SECRET)
        except KeyError as exc:
            raise RuntimeError(f"unregistered {SECRET}") from exc

    outcome = run_module_main(main_of(work), {})
    assert outcome.result["msg"] == (
        "Internal error of the module (RuntimeError), nothing more is known about what was done; please report it with "
        "the traceback."
    )
    assert "test_runner.py" in outcome.text
    assert "KeyError" in outcome.text
    assert SECRET not in outcome.text


def test_warnings_of_the_api_server_become_the_tasks(run_module_main: RunModule, api: ScriptedServer) -> None:
    api.replies = [Reply(headers={"Warning": '299 - "it is old"'})]
    outcome = run_module_main(
        main_of(lambda context: Report(False, context.client().get(PATH))), {"host": api.url, "api_key": "abc"}
    )
    assert outcome.warnings == ["The API server warns: it is old"]


def test_a_credential_without_encryption_is_warned_about(run_module_main: RunModule) -> None:
    def work(context: ModuleContext) -> Report:
        context.client()
        return Report(False)

    outcome = run_module_main(main_of(work), {"host": "http://api.example.com", "api_key": "abc"})
    assert outcome.warnings == [
        "The credential for http://api.example.com is sent without encryption, because the host begins with http://."
    ]
    assert run_module_main(main_of(work), {"host": "http://127.0.0.1:8001", "api_key": "abc"}).warnings == []


# ---- secrets


def leak_everything(context: ModuleContext) -> Report:
    """Return a module that returns every option as it is, as careless as can be."""
    return Report(False, {"leak": json.loads(json.dumps(context.params))}, warnings=[f"params: {context.params}"])


def test_derived_forms_of_a_registered_secret_are_masked(run_module_main: RunModule) -> None:
    def work(context: ModuleContext) -> Report:
        context.mask(SECRET)
        return Report(False, {"leak": forms(SECRET), "inside": f"x{forms(SECRET)[1]}y"}, failure=f"no {SECRET}")

    outcome = run_module_main(main_of(work), {})
    for form in forms(SECRET):
        assert form not in outcome.text


CONTENT = {
    "current-context": "c",
    "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:9"}}],
    "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    "users": [
        {
            "name": "u",
            "user": {"token": "content-token", "password": "content-password", "client-key-data": "Y29udGVudC1rZXk="},
        }
    ],
}


@pytest.mark.parametrize("content", [CONTENT, json.dumps(CONTENT), json.dumps(CONTENT, indent=1)])
@pytest.mark.parametrize("options", [{}, {"state": "wrong"}, {"unknown": 1}])
def test_secrets_inside_a_kubeconfig_are_masked_even_in_a_complaint_about_options(
    run_module_main: RunModule, content: t.Any, options: dict[str, t.Any]
) -> None:
    outcome = run_module_main(main_of(leak_everything), {"kubeconfig": content, **options})
    assert outcome.failed is bool(options)
    for secret in ("content-token", "content-password", "Y29udGVudC1rZXk="):
        assert secret not in outcome.text
        for form in forms(secret):
            assert form not in outcome.text


KEY = "-----BEGIN PRIVATE KEY-----\nhunter2hunter2\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize("option", ["client_key", "ca_cert", "client_cert", "kubeconfig"])
@pytest.mark.parametrize("content", [KEY, base64.b64encode(KEY.encode()).decode(), "hunter2hunter2" * 30])
@pytest.mark.parametrize("more", [{}, {"unknown": 1}])
def test_content_for_a_path_is_repeated_nowhere(
    run_module_main: RunModule, monkeypatch: pytest.MonkeyPatch, option: str, content: str, more: dict[str, t.Any]
) -> None:
    logged: list[str] = []
    monkeypatch.setattr(AnsibleModule, "log", lambda self, msg, log_args=None: logged.append(f"{msg} {log_args}"))

    def work(context: ModuleContext) -> Report:
        context.client()
        return leak_everything(context)

    options = {"host": "https://x", "api_key": "abc"} if option != "kubeconfig" else {}
    outcome = run_module_main(main_of(work), {**options, option: content, **more})
    assert outcome.failed
    for piece in ("hunter2", content[:40]):
        assert piece not in outcome.text
        assert piece not in "".join(logged)


def test_the_system_log_holds_no_secret(run_module_main: RunModule, monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[str] = []

    def log(self: AnsibleModule, msg: str, log_args: t.Any = None) -> None:
        logged.append(f"{msg} {log_args}")

    monkeypatch.setattr(AnsibleModule, "log", log)
    run_module_main(
        main_of(leak_everything), {"kubeconfig": CONTENT, "proxy": "http://u:proxy-pass@p:1", "host": "https://x"}
    )
    assert "https://x" in logged[0]
    for secret in ("content-token", "content-password", "proxy-pass"):
        assert secret not in "".join(logged)


def test_secrets_of_every_option_are_masked(run_module_main: RunModule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S_AUTH_API_KEY", "environment-token")
    options = {
        "username": "bob",
        "password": "the-password",
        "proxy": "http://eve:proxy-pass@p:1",
        "proxy_headers": {"proxy_basic_auth": "eve:header-pass"},
    }
    outcome = run_module_main(main_of(leak_everything), options)
    for secret in ("environment-token", "the-password", "bob:the-password", "proxy-pass", "eve:header-pass"):
        for form in forms(secret):
            assert form not in outcome.text


def test_a_plugins_token_is_masked(run_module_main: RunModule, tmp_path: Path) -> None:
    plugin = tmp_path / "login"
    status = f'{{"token": "{SECRET}"}}'
    plugin.write_text(
        "#!/bin/sh\n"
        f"""echo '{{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", """
        f""""status": {status}}}'\n"""
    )
    plugin.chmod(0o700)
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin)}}

    def work(context: ModuleContext) -> Report:
        connection = context.client().connection
        assert connection.token == SECRET
        return Report(False, {"leak": [connection.token, f"Bearer {connection.token}"]})

    outcome = run_module_main(main_of(work), {"kubeconfig": {**CONTENT, "users": [{"name": "u", "user": user}]}})
    assert not outcome.failed
    assert SECRET not in outcome.text


# ---- start cost


def test_nothing_heavy_is_loaded_before_it_is_needed(tmp_path: Path) -> None:
    """The start of a module is what a task costs: no yaml for host and token, no kubernetes for static kubeconfigs."""
    kubeconfig = tmp_path / "config"
    kubeconfig.write_text(json.dumps(CONTENT))
    script = f"""
import sys
from ansible_collections.quayside.openshift_images.plugins.module_utils._module import runner
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.access import connection_from_params
def loaded():
    return [name for name in ("yaml", "kubernetes") if name in sys.modules]
connection_from_params({{"host": "https://x", "api_key": "abc"}}, lambda secrets: None)
print(loaded())
connection_from_params({{"kubeconfig": {str(kubeconfig)!r}}}, lambda secrets: None)
print(loaded())
"""
    outcome = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert outcome.stdout.splitlines() == ["[]", "['yaml']"]


def test_a_string_that_yaml_made_a_number_of_is_refused_and_not_shown(run_module_main: RunModule) -> None:
    spec = cluster_argument_spec().merge(
        ArgumentSpec({"tag": {"type": "str"}, "secret": {"type": "str", "no_log": True}})
    )

    def main() -> None:
        run_module(spec, lambda _context: Report(changed=True))

    outcome = run_module_main(main, {"tag": 3.1, "secret": 42798})
    assert outcome.failed
    assert (
        outcome.result["msg"]
        == "tag, secret: not a string; put it in quotes, because YAML reads 3.10 as 3.1, 017 as 15 and yes as true"
    )
    assert "42798" not in str(outcome.result)
    assert not run_module_main(main, {"tag": "3.10"}).failed
