"""What asks melon from elsewhere: an HTTP service with a page, and tools for agents.

FastAPI, uvicorn and the agents' protocol are imported where they are used: they are extras.
"""

from melon.service.address import is_loopback, listen
from melon.service.source import Source
from melon.service.start import Plan, serve, serve_tools, usual_workers

__all__ = ["Plan", "Source", "is_loopback", "listen", "serve", "serve_tools", "usual_workers"]
