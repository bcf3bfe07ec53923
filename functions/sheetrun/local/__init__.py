"""The embedded run: an AWS-compatible server on this machine, with the template deployed to it as it is.

``up`` starts it, ``deploy`` puts the same stack on any endpoint.
"""

from __future__ import annotations

from sheetrun.local.deploying import Deployed, deploy
from sheetrun.local.errors import LocalError
from sheetrun.local.running import Running, up

__all__ = ["Deployed", "LocalError", "Running", "deploy", "up"]
