"""The reference of a Python package, from its source: signatures and docstrings of what it makes public."""
import ast


def signature(node):
  """A function's line without its body, wrapped as it is written by ast."""
  kind = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
  returns = " -> %s" % ast.unparse(node.returns) if node.returns else ""
  return "%s %s(%s)%s" % (kind, node.name, ast.unparse(node.args), returns)


def is_public(name):
  return not name.startswith("_") or name in ("__init__", "__enter__", "__iter__", "__aiter__")


def is_property(node):
  return any(ast.unparse(mark).split(".")[-1] in ("property", "cached_property") for mark in node.decorator_list)


def documented(node, name, faults):
  text = ast.get_docstring(node) or ""
  if not text:
    faults.append("%s has no docstring" % name)
  return shown(text)


def shown(text):
  """A docstring as it is written, where its indentation says something."""
  if any(line.startswith(" ") for line in text.splitlines()):
    return "```text\n%s\n```" % text
  return text.replace("*", "\\*").replace("_", "\\_") if "`" not in text else text


def function_text(node, owner, faults):
  name = "%s.%s" % (owner, node.name)
  lines = ["#### `%s`" % name, "", "```python", *decorated(node), signature(node), "```", ""]
  return lines + [documented(node, name, faults), ""]


def decorated(node):
  return ["@" + ast.unparse(mark) for mark in node.decorator_list if ast.unparse(mark) in ("property", "staticmethod",
                                                                                         "classmethod")]


def class_text(node, owner, faults):
  name = "%s.%s" % (owner, node.name)
  bases = ", ".join(ast.unparse(base) for base in node.bases)
  lines = ["### `%s`" % name, "", "```python", "class %s%s" % (node.name, "(%s)" % bases if bases else ""), "```", "",
           documented(node, name, faults), ""]
  for member, following in zip(node.body, [*node.body[1:], None]):
    if isinstance(member, (ast.FunctionDef, ast.AsyncFunctionDef)) and is_public(member.name):
      if member.name.startswith("__"):  # their class says what they do, unless they do
        text = ast.get_docstring(member)
        if member.name == "__init__" or text:
          lines += ["```python", signature(member), "```", "", shown(text or ""), ""]
      else:
        lines += function_text(member, name, faults)
    elif isinstance(member, ast.AnnAssign) and is_public(member.target.id):
      said = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
      lines += ["- `%s`%s" % (ast.unparse(member), ": " + following.value.value if said else ""), ""]
  return lines


def public_names(tree):
  """What __all__ names, or None."""
  for node in tree.body:
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
      return [ast.literal_eval(item) for item in node.value.elts]
  return None


def definitions(package, tree):
  """{name: node} of a module, imports from its own package followed one step."""
  found = {}
  for node in tree.body:
    if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
      path = package / (node.module.replace(".", "/") + ".py")
      if path.exists():
        inner = definitions(package, ast.parse(path.read_text()))
        found.update((alias.asname or alias.name, inner[alias.name]) for alias in node.names if alias.name in inner)
    elif isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
      found[node.name] = node
  return found


def module_text(package, path, faults):
  tree = ast.parse(path.read_text())
  owner = package.name if path.name == "__init__.py" else "%s.%s" % (package.name, path.stem)
  lines = ["## %s" % owner, "", documented(tree, owner, faults), ""]
  found, names = definitions(package, tree), public_names(tree)
  for name in names if names is not None else [name for name in found if is_public(name)]:
    node = found.get(name)
    if isinstance(node, ast.ClassDef):
      lines += class_text(node, owner, faults)
    elif node is not None:
      lines += function_text(node, owner, faults)
  return lines


def page(package, faults):
  """The Markdown of the package in the folder `package`."""
  lines = ["# Python", ""]
  paths = [package / "__init__.py"] + sorted(path for path in package.glob("*.py") if not path.name.startswith("_"))
  for path in paths:
    lines += module_text(package, path, faults)
  return "\n".join(lines)
