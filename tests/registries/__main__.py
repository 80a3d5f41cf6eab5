# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m registries``: serve the registries, push an image, move or remove a tag."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from .client import RegistryAddress, RegistryClient, RegistryRefused
from .content import load_contents
from .docker_registry import RegistryDidNotStart
from .fleet import ENGINES, EngineMissing, RegistryFleet
from .images import FORMATS
from .lifetime import DEFAULT_LIFETIME, wait_for_the_end

STATE_FILE = "registries.json"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0, or 1 with a sentence on stderr."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (RegistryRefused, RegistryDidNotStart, EngineMissing, ValueError, OSError) as error:
        print(f"registries {options.command}: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m registries", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    serve = commands.add_parser("serve", help="start private, plain, selfsigned and hub, and keep them running")
    serve.add_argument(
        "--state-dir", type=Path, required=True, help=f"for {STATE_FILE}, certificates, logs and storage"
    )
    serve.add_argument(
        "--data", type=Path, help="a file like the contract's registry.json; without it they start empty"
    )
    serve.add_argument("--engine", choices=ENGINES, default="auto")
    serve.add_argument("--port", action="append", default=[], metavar="NAME=PORT", help="wished port, taken when free")
    serve.add_argument("--owner", type=int, metavar="PID", help="end when this process ends")
    serve.add_argument("--lifetime", type=float, default=DEFAULT_LIFETIME, help="end after so many seconds")
    serve.set_defaults(run=_serve)

    push = commands.add_parser("push", help="build an image, push it, print its digest")
    _add_address(push)
    push.add_argument("--tag", required=True)
    push.add_argument("--platform", action="append", required=True, metavar="OS/ARCH[/VARIANT]")
    push.add_argument("--salt", required=True, help="another salt gives another digest")
    push.add_argument("--format", choices=FORMATS, default="docker")
    push.add_argument("--list", action="store_true", help="a list even for a single platform")
    push.set_defaults(run=_push)

    retag = commands.add_parser("retag", help="point a tag at what another reference is, print its digest")
    _add_address(retag)
    retag.add_argument("--tag", required=True)
    retag.add_argument("--to", required=True, help="a digest, or another tag of the same repository")
    retag.set_defaults(run=_retag)

    untag = commands.add_parser("untag", help="remove one tag")
    _add_address(untag)
    untag.add_argument("--tag", required=True)
    untag.set_defaults(run=_untag)
    return parser


def _add_address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--registry", required=True, metavar="HOST:PORT")
    parser.add_argument("--repository", required=True)
    parser.add_argument("--user", default="")
    parser.add_argument("--password-env", metavar="VARIABLE", help="the environment variable that holds the password")
    trust = parser.add_mutually_exclusive_group()
    trust.add_argument("--ca", type=Path, help="PEM file of the authority that signed the registry's certificate")
    trust.add_argument("--insecure", action="store_true", help="do not verify certificates, allow plain HTTP")


def _client(options: argparse.Namespace) -> RegistryClient:
    if options.ca is not None and not options.ca.is_file():
        raise ValueError(f"there is no file {options.ca}")
    password = ""
    if options.password_env:
        if options.password_env not in os.environ:
            raise ValueError(f"the environment has no variable {options.password_env}")
        password = os.environ[options.password_env]
    return RegistryClient(RegistryAddress(options.registry, options.user, password, options.ca, options.insecure))


def _push(options: argparse.Namespace) -> int:
    with _client(options) as client:
        digest = client.push_image(
            options.repository,
            options.tag,
            options.platform,
            salt=options.salt,
            image_format=options.format,
            as_list=True if options.list else None,
        )
    print(digest)
    return 0


def _retag(options: argparse.Namespace) -> int:
    with _client(options) as client:
        print(client.move_tag(options.repository, options.tag, options.to))
    return 0


def _untag(options: argparse.Namespace) -> int:
    with _client(options) as client:
        client.delete_tag(options.repository, options.tag)
    return 0


def _serve(options: argparse.Namespace) -> int:
    contents = load_contents(options.data) if options.data else None
    fleet = RegistryFleet(options.state_dir, contents, options.engine, _wished_ports(options.port))
    state_file = options.state_dir / STATE_FILE
    # a signal while starting has to end what was started already
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with fleet:
        fleet.write_state(state_file)
        try:
            wait_for_the_end(options.owner, options.lifetime)
        finally:
            state_file.unlink(missing_ok=True)
    return 0


def _wished_ports(texts: list[str]) -> dict[str, int]:
    ports = {}
    for text in texts:
        name, equals, port = text.partition("=")
        if not equals or not port.isdigit():
            raise ValueError(f"a port is written NAME=PORT, not {text!r}")
        ports[name] = int(port)
    return ports


if __name__ == "__main__":
    sys.exit(main())
