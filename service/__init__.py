"""What asks melon from elsewhere: an HTTP service with a page, and tools for agents.

FastAPI, uvicorn and the agents' protocol are imported where they are used: they are extras.
"""

from melon.service.address import is_loopback, listen
from melon.service.start import Plan, serve

__all__ = ["Plan", "is_loopback", "listen", "serve"]
