# Reads a Python program from standard input without running it, and writes what it consists of as
# JSON: imports, names, calls, assignments, conditions, texts and colours. Exit code 3: it does not
# parse; the reason is on standard error.
import ast
import json
import sys


def text(node):
    return ast.unparse(node)


def colour(node):
    if not isinstance(node, (ast.Tuple, ast.List)) or len(node.elts) not in (3, 4):
        return None
    values = [e.value for e in node.elts if isinstance(e, ast.Constant)]
    whole = all(type(v) is int and 0 <= v <= 255 for v in values)
    return values[:3] if whole and len(values) == len(node.elts) else None


def facts(tree):
    found = {
        "imports": [],
        "names": [],
        "calls": [],
        "assignments": [],
        "additions": [],
        "conditions": [],
        "texts": [],
        "colours": [],
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found["imports"] += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found["imports"].append(node.module or "")
        elif isinstance(node, (ast.Name, ast.Attribute)):
            found["names"].append(text(node))
        elif isinstance(node, ast.Call):
            found["calls"].append({"name": text(node.func), "text": text(node)})
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                found["assignments"].append({"target": text(target), "value": text(node.value)})
        elif isinstance(node, ast.AugAssign):
            found["additions"].append({"target": text(node.target), "text": text(node)})
        elif isinstance(node, ast.If):
            body = "\n".join(text(each) for each in node.body)
            found["conditions"].append({"test": text(node.test), "body": body})
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found["texts"].append(node.value)
        value = colour(node)
        if value is not None:
            found["colours"].append(value)
    return found


try:
    program = ast.parse(sys.stdin.read())
except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
    sys.exit(3)
json.dump(facts(program), sys.stdout)
