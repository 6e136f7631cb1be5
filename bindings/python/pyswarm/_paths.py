"""Paths and queries of Docker's API."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Optional, Union
from urllib.parse import quote, urlencode

# {"label": "app=web", "status": ["running", "paused"]}
Filters = Mapping[str, Union[str, Sequence[str]]]


def path(*parts: str, **query: Any) -> str:
  """"/containers/web/start?t=5": parts are quoted; values of None are left out, bool become 1 and 0."""
  target = "/" + "/".join(quote(part, safe="") for part in parts)
  words = {
    name: int(value) if isinstance(value, bool) else value
    for name, value in query.items()
    if value is not None
  }
  return target + ("?" + urlencode(words) if words else "")


def filters_text(filters: Optional[Filters]) -> Optional[str]:
  """Filters as the API takes them."""
  if not filters:
    return None
  return json.dumps(
    {name: [value] if isinstance(value, str) else list(value) for name, value in filters.items()}
  )
