"""The threads that pyswarm makes in Python."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable


def start(target: Callable[[], None], name: str) -> threading.Thread:
  """Starts a daemon thread on which every signal is blocked: signals are for the program's own threads, which may wait
  for them by sigwait()."""
  thread = threading.Thread(target=target, name=name, daemon=True)
  before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
  try:
    thread.start()
  finally:
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
  return thread
