# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site's configuration, for Sphinx. tools/docsite.py brings the pages together and says where they are."""

project = "quayside.openshift_images"
author = "Contributors to the quayside.openshift_images project"
copyright = author  # noqa: A001
title = "Images on OpenShift, declared"
html_title = f"{project}: {title}"
html_short_title = project

# Nothing is fetched while the site is built: what the generated pages refer to outside of it stands in its own pages.
extensions = ["myst_parser", "sphinx_antsibull_ext"]
myst_enable_extensions = ["colon_fence"]
# Headings can be linked to in the way that git's web pages number them.
myst_heading_anchors = 3

html_theme = "sphinx_ansible_theme"
html_theme_options = {"topbar_links": {}, "show_rtd_ethical_ads": False, "show_extranav": False}
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_use_index = False
pygments_style = "ansible"
highlight_language = "yaml"
smartquotes = False
# An index that antsibull-docs always writes and that would be empty: environment variables stand with their options.
exclude_patterns = ["reference/environment_variables.rst"]
nitpicky = True


def setup(app):
    """Make the theme's way home the first page, from wherever one is: it is an address."""
    app.connect(
        "html-page-context",
        lambda _app, _page, _template, context, _doctree: context.update(
            theme_documentation_home_url=context["pathto"]("index")
        ),
    )
