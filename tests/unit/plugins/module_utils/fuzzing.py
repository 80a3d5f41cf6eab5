# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long the property tests look for a counterexample: FUZZ_EXAMPLES examples each (``make fuzz`` asks for many).

Also for those that do not say so, as soon as this is imported by a conftest. Without the variable the examples are
the same in each run, so that a gate does not fail by chance.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

examples = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "100")),
    deadline=None,
    database=None,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("quayside", examples)
settings.load_profile("quayside")
