# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An emulator of the part of the OpenShift API that the collection uses; everything listens on loopback.

``python -m emulator --help`` runs it as a program; ``server.EmulatorThread`` and ``server.Emulator`` within Python.
"""

from __future__ import annotations
