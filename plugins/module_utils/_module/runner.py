# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The frame of every module: options in, work, one report or one message out. The only place that ends a module.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import traceback
import typing as t
from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleModule

from .._cluster.access import connection_from_params, option_secrets
from .._cluster.client import ClusterClient
from .._core.argument_spec import ArgumentSpec
from .._core.errors import CollectionError
from .._core.masking import SECRETS_MET, contents_of_paths, misspelt_secrets, redact, register_secrets
from .._core.outward import OutwardWall
from .._core.report import Report, listed
from .unquoted import unquoted_options


class ModuleContext:
    """What a module's work may use of the module it runs in."""

    def __init__(self, params: dict[str, t.Any], check_mode: bool, module: _Module) -> None:
        self.params = params
        self.check_mode = check_mode
        self._module = module
        self._clients: list[ClusterClient] = []

    def client(self, pool_size: int = 8) -> ClusterClient:
        """Return a client for the cluster of the options.

        Call it after the other options were validated: it reads kubeconfigs and may run an exec plugin. Raises
        InputError, ConfigurationError, MissingLibraryError.
        """
        connection = connection_from_params(self.params, lambda secrets: self.mask(*secrets))
        address = urlsplit(connection.host)
        if (
            address.scheme == "http"
            and connection.credential_origin
            and address.hostname not in ("localhost", "127.0.0.1", "::1")
        ):
            self.warn(
                f"The credential for {connection.host} is sent without encryption, because the host begins with "
                "http://."
            )
        client = ClusterClient(connection, pool_size=pool_size, warn=self.warn)
        self._clients.append(client)
        return client

    def mask(self, *values: str) -> None:
        """Hide the secrets and their derived forms from every output. base64 of ``user:password`` is the caller's to
        compute."""
        self._module.hide(values)

    def shown(self, text: str) -> str:
        """Return text for people as it may be written anywhere, redacted and printable."""
        return OutwardWall(self._module.no_log_values).text(text, multiline=True)

    def warn(self, message: str) -> None:
        """Show a warning with the task's result."""
        self._module.warn(message)

    def close(self) -> None:
        """Close the connections of every client that was handed out."""
        for client in self._clients:
            client.close()


class _Module(AnsibleModule):
    """Knows the secrets of the options, in every form, before anything is written: while it is constructed, Ansible
    logs the invocation to the system log, and returns it with a complaint about an option."""

    def __init__(self, **kwargs: t.Any) -> None:
        self._hidden: set[str] = set()
        self.unquoted: list[str] = []
        SECRETS_MET.clear()
        super().__init__(**kwargs)

    def _load_params(self) -> None:
        super()._load_params()
        # Afterwards Ansible has made strings of them.
        self.unquoted = unquoted_options(self.argument_spec, self.params)

    def log(self, msg: t.Any, log_args: t.Any = None) -> None:
        self.hide_option_secrets()
        forms = self._hidden
        clean = {name: redact(str(value), forms) for name, value in log_args.items()} if log_args else log_args
        super().log(redact(msg, forms) if isinstance(msg, str) else msg, clean)

    def warn(self, warning: str) -> None:
        super().warn(OutwardWall(self.no_log_values).text(warning))

    def exit_json(self, **kwargs: t.Any) -> None:
        super().exit_json(**self._outward(kwargs))

    def fail_json(self, msg: str, **kwargs: t.Any) -> None:
        self.hide_option_secrets()
        self.hide(misspelt_secrets(self.argument_spec, self.params))
        super().fail_json(**self._outward({"msg": msg, **kwargs}))

    def _outward(self, results: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return everything that the module returns, the options it was given included, as it may leave."""
        results.setdefault("invocation", {"module_args": _as_given(self.params)})
        return t.cast("dict[str, t.Any]", OutwardWall(self.no_log_values).value(results))

    def hide_option_secrets(self) -> None:
        """Mask what is secret in the options without being an option marked so, and of those that are, which Ansible
        masks as they are, the other forms: a log has them as Python writes them."""
        self.hide(option_secrets(self.params) | contents_of_paths(self.argument_spec, self.params) | self.no_log_values)

    def hide(self, values: t.Iterable[str]) -> None:
        """Mask the values and their derived forms in everything from now on."""
        self._hidden |= register_secrets(self, set(values) - self._hidden)


def run_module(spec: ArgumentSpec, work: t.Callable[[ModuleContext], Report]) -> None:
    """Run a module: ``work`` gets validated options and returns a report, or raises a CollectionError."""
    module = _Module(supports_check_mode=True, **spec.to_kwargs())
    module.hide_option_secrets()
    if module.unquoted:
        names = listed(module.unquoted)
        module.fail_json(
            msg=f"{names}: not a string; put it in quotes, because YAML reads 3.10 as 3.1, 017 as 15 and yes as true"
        )
    context = ModuleContext(module.params, module.check_mode, module)
    try:
        report = work(context)
    except CollectionError as exc:
        module.fail_json(msg=str(exc), **exc.results())
    except Exception as exc:
        module.fail_json(
            msg=f"Internal error of the module ({type(exc).__name__}), nothing more is known about what was done; "
            "please report it with the traceback.",
            exception=_places(exc),
        )
    finally:
        context.close()
    for warning in report.warnings:
        context.warn(warning)
    results: dict[str, t.Any] = {"changed": report.changed, **report.results}
    if module._diff:
        results["diff"] = [difference.as_diff() for difference in report.differences]
    if report.failure is not None:
        module.fail_json(msg=report.failure, **results)
    module.exit_json(**results)


def _as_given(params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the options without those inside of lists that nobody set.

    For thousands of entries Ansible's own work on these would take longer than the module's.
    """
    return {name: _set_only(value) if isinstance(value, list) else value for name, value in params.items()}


def _set_only(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {key: _set_only(inner) for key, inner in value.items() if inner is not None}
    return [_set_only(inner) for inner in value] if isinstance(value, list) else value


def _places(exc: BaseException) -> str:
    """Return a traceback of files, lines, code and exception types.

    The messages stay out, since they can hold any value.
    """
    parts: list[str] = []
    current: BaseException | None = exc
    while current is not None:
        parts.append("".join(traceback.format_tb(current.__traceback__)) + type(current).__name__)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "Traceback (most recent call last):\n" + "\n\nwhich came from\n\n".join(parts) + "\n"
