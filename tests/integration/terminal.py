"""A program on a terminal of its own, as `docker run -t` needs it."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import harness


class Terminal:
  """Starts `line` on a new terminal of 24 rows and 80 columns. Use as a context manager."""

  def __init__(self, line, environment=None, rows=24, columns=80):
    self._master, slave = pty.openpty()
    self._set_size(rows, columns)
    self.text = ""
    self.process = subprocess.Popen(line, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                    env=environment or harness.clean_environment(),
                                    preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(slave)

  def __enter__(self):
    return self

  def __exit__(self, *_):
    if self.process.poll() is None:
      self.process.kill()
    self.process.wait(timeout=harness.STOP_SECONDS)
    os.close(self._master)

  def _set_size(self, rows, columns):
    fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

  def resize(self, rows, columns):
    """Changes the size; the program gets SIGWINCH."""
    self._set_size(rows, columns)
    os.kill(self.process.pid, signal.SIGWINCH)

  def write(self, text):
    os.write(self._master, text.encode())

  def read_until(self, pattern, seconds=harness.COMMAND_SECONDS):
    """Reads until the text not yet consumed has `pattern` (a regular expression); returns what came up to its end."""
    deadline = time.monotonic() + seconds
    while True:
      found = re.search(pattern, self.text)
      if found:
        text, self.text = self.text[:found.end()], self.text[found.end():]
        return text
      if time.monotonic() > deadline:
        raise TimeoutError("no /%s/ on the terminal within %g s, only %r" % (pattern, seconds, self.text))
      if not self._read(0.1):
        raise RuntimeError("the program ended without /%s/ on the terminal, after %r" % (pattern, self.text))

  def _read(self, seconds):
    ready, _, _ = select.select([self._master], [], [], seconds)
    if not ready:
      return True
    try:
      data = os.read(self._master, 65536)
    except OSError:  # the terminal's other side is closed: the program ended
      return False
    self.text += data.decode(errors="replace")
    return bool(data)

  def finish(self, seconds=harness.COMMAND_SECONDS):
    """Reads to the end; returns (exit code, rest of the text). The code is None when it had to be killed."""
    deadline = time.monotonic() + seconds
    while self._read(0.1) and time.monotonic() < deadline:
      pass
    try:
      code = self.process.wait(timeout=max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
      code = None
    return code, self.text
