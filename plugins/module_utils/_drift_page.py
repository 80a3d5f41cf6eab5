# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page drift.html: the document in a template that escapes every value.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.quayside.openshift_images.plugins.module_utils._errors import InputError, MissingLibraryError


def render(document: t.Mapping[str, t.Any], template: str, title: str) -> str:
    """Return the page. Raises MissingLibraryError without Jinja2, which every machine that runs Ansible has."""
    try:
        import jinja2
    except ImportError as error:
        raise MissingLibraryError("The page needs the Python library jinja2, which is not installed where the module runs") from error
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    try:
        with open(template, encoding="utf-8") as file:
            source = file.read()
    except OSError as error:
        raise InputError(f"template: {template} cannot be read: {error.strerror}") from error
    return environment.from_string(source).render(document=document, title=title)
