// Checks the architecture: imports of lib/ and includes of native/ only go down the layers, the
// contract stays with its owners, no circles, no barrels, no file over 400 lines. Run it with `node
// scripts/check-layers.mjs [ROOT]`; it is part of `npm run lint`. test/scripts/layers.slow.test.ts
// shows that it can fail.
import { readFileSync } from "node:fs";
import { dirname, join, posix, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { filesBelow } from "./build/files.mjs";

/**
 * The rooms of lib/ as in docs/architecture.md, from the bottom up. A file may import from its own
 * room (a folder of lib/ with all folders below it) and from rooms in lower rows.
 */
const ROWS = [
  ["base"],
  ["binding"],
  ["machine", "hub", "template", "reasoning", "grammar", "sampling"],
  ["gguf", "rpc"],
  ["isolation"],
  ["weights"],
  ["engine", "plan", "quantize", "doctor"],
  ["model"],
  ["server", "batch", "ai-sdk"],
  ["queue"],
  ["cli"],
];
const LAYERS = Object.fromEntries(ROWS.flatMap((rooms, row) => rooms.map((room) => [room, row])));

/**
 * Rooms that use the library like a user: they may import only public entries (the files directly
 * in lib/), base/ and their own room.
 */
const PROGRAMS = ["server", "batch", "queue", "ai-sdk", "cli"];

/** Programs that are built on another one: a queue spreads the rows of a batch. */
const BUILT_ON = { queue: ["batch"] };

/** Rooms that may use the addon; sampling/ may import only its types. */
const BINDING_USERS = [
  /^(binding|machine|isolation|weights|engine|quantize|model)\//,
  /^rpc\/server-/,
  /^gguf\/(copy-range|check\/[\w-]+)\.ts$/,
];
const BINDING_TYPE_USERS = [...BINDING_USERS, /^sampling\//];

const LONGEST = 400;
const COUNTED = ["lib", "native", "test", "scripts", "bench", "examples"];
/** What benchmarks and tests leave in these folders; git ignores it too. */
const LEFT_BEHIND = /^bench\/(?:out|peers)\/|\/\.cache\//;

/**
 * Every module that a source file imports, exports from, or imports at run time; `typeOnly` if the
 * import disappears when compiled.
 */
function importsOf(path, text) {
  const found = [];
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const isTypeOnly = (node) => {
    if (ts.isExportDeclaration(node)) return node.isTypeOnly;
    const clause = node.importClause;
    if (clause === undefined) return false;
    if (clause.isTypeOnly) return true;
    const names = clause.namedBindings;
    return (
      clause.name === undefined &&
      names !== undefined &&
      ts.isNamedImports(names) &&
      names.elements.length > 0 &&
      names.elements.every((name) => name.isTypeOnly)
    );
  };
  const visit = (node) => {
    if (
      (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
      node.moduleSpecifier !== undefined
    ) {
      found.push({
        specifier: node.moduleSpecifier.text,
        typeOnly: isTypeOnly(node),
        line: lineOf(node),
      });
    } else if (
      ts.isCallExpression(node) &&
      node.expression.kind === ts.SyntaxKind.ImportKeyword &&
      node.arguments[0] !== undefined &&
      ts.isStringLiteral(node.arguments[0])
    ) {
      found.push({ specifier: node.arguments[0].text, typeOnly: false, line: lineOf(node) });
    } else if (
      ts.isImportTypeNode(node) &&
      ts.isLiteralTypeNode(node.argument) &&
      ts.isStringLiteral(node.argument.literal)
    ) {
      found.push({ specifier: node.argument.literal.text, typeOnly: true, line: lineOf(node) });
    }
    ts.forEachChild(node, visit);
  };
  const lineOf = (node) => source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
  visit(source);
  return found;
}

/** Describes what is wrong with one import of `lib/FILE`; undefined if nothing is. */
function wrongImport(file, { specifier, typeOnly }) {
  if (!specifier.startsWith(".")) return undefined;
  const target = targetOf(file, specifier);
  if (target.startsWith("..")) return `imports ${specifier}, which lies outside lib/`;
  const [from, to] = [file, target].map((path) => (path.includes("/") ? path.split("/")[0] : ""));
  // A file directly in lib/ is a public entry: it may export from everywhere.
  if (from === "") return to === "" ? `imports ${target}, another public entry` : undefined;
  if (to === "")
    return PROGRAMS.includes(from)
      ? undefined
      : `imports ${target}, a public entry, which only ${PROGRAMS.join("/, ")}/ may use`;
  if (!(to in LAYERS)) return `imports ${target}, whose folder is in no layer`;
  if (to === "binding" && from !== "binding") {
    const allowed = typeOnly ? BINDING_TYPE_USERS : BINDING_USERS;
    return allowed.some((user) => user.test(file))
      ? undefined
      : `imports ${target}: only machine/, isolation/, weights/, engine/, quantize/, model/, rpc/server-*, gguf/check/ and gguf/copy-range may know the addon`;
  }
  const own = [from, "base", ...(BUILT_ON[from] ?? [])];
  if (PROGRAMS.includes(from) && !own.includes(to))
    return `imports ${target}: ${from}/ uses public entries and ${own.slice(1).join("/ and ")}/ only`;
  if (from === to || LAYERS[to] < LAYERS[from]) return undefined;
  return `imports ${target}: ${from}/ (layer ${LAYERS[from]}) may import only below it, and ${to}/ is in layer ${LAYERS[to]}`;
}

/** Returns the file below lib/ that an import of `lib/FILE` names. */
const targetOf = (file, specifier) =>
  posix.normalize(posix.join(posix.dirname(file), specifier)).replace(/\.js$/, ".ts");

/** Whether a source file consists only of `export { ... } from "..."`. */
function isOnlyExports(path, text) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  return source.statements.every(
    (statement) => ts.isExportDeclaration(statement) && statement.moduleSpecifier !== undefined,
  );
}

function checkFile(root, path) {
  const file = path.slice(join(root, "lib").length + 1).replaceAll("\\", "/");
  const text = readFileSync(path, "utf8");
  const folder = file.includes("/") ? file.split("/")[0] : undefined;
  const wrong = [];
  if (folder === undefined && !isOnlyExports(path, text))
    wrong.push(`lib/${file}: a public entry holds exports from other files and nothing else`);
  if (folder !== undefined && !(folder in LAYERS))
    wrong.push(`lib/${file}: its folder is in no layer`);
  if (folder !== undefined && posix.basename(file) === "index.ts")
    wrong.push(`lib/${file}: a room has no index; import from the file that has it`);
  for (const one of importsOf(path, text)) {
    const problem = wrongImport(file, one);
    if (problem !== undefined) wrong.push(`lib/${file}:${one.line}: ${problem}`);
  }
  return wrong;
}

/**
 * Finds files of lib/ that import each other in a circle. Type imports count, because a reader
 * follows them too.
 */
function checkCircles(root) {
  const imports = new Map();
  for (const path of filesBelow(join(root, "lib"), /\.ts$/)) {
    const file = path.slice(join(root, "lib").length + 1).replaceAll("\\", "/");
    const targets = importsOf(path, readFileSync(path, "utf8"))
      .filter(({ specifier }) => specifier.startsWith("."))
      .map(({ specifier }) => targetOf(file, specifier));
    imports.set(file, targets);
  }
  const wrong = [];
  const done = new Set();
  const visit = (file, trail) => {
    const at = trail.indexOf(file);
    if (at >= 0) wrong.push(`lib/${file}: a circle: ${[...trail.slice(at), file].join(" -> ")}`);
    if (at >= 0 || done.has(file)) return;
    for (const target of imports.get(file) ?? []) visit(target, [...trail, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return wrong;
}

/**
 * Native-side layers: what each folder may include, by quotes and by angle brackets. No Node-API
 * below napi/, no llama.cpp above core/.
 */
const NATIVE_LAYERS = {
  "": { own: /^(wrap|napi)\//, forbidden: /^(llama|ggml|gguf)/ },
  wrap: { own: /^(wrap|napi|core)\//, forbidden: /^(llama|ggml|gguf)/ },
  napi: { own: /^(napi\/|core\/(failure\.h$|platform\/))/, forbidden: /^(llama|ggml|gguf)/ },
  core: { own: /^core\//, forbidden: /^(napi\.h|node_api|js_native_api|node\.h|uv\.h)/ },
  test: { own: /^(core|test)\//, forbidden: /^(napi\.h|node_api|js_native_api|node\.h|uv\.h)/ },
};

/**
 * The rooms of native/core, from the bottom up. A file includes from its own room, from rooms below
 * it, and what lies in no room (failure.h, handles.h).
 */
const CORE_ROOMS = ["platform", "text", "sampling", "backend", "files", "speculation", "engine"];

/**
 * Describes what is wrong with including `name` from `file` of native/core; undefined if nothing
 * is.
 */
function coreBreach(file, name) {
  const room = (path) => path.split("/").slice(1, -1)[0] ?? "";
  const [own, other] = [room(file), room(name)];
  if (other === "" || own === other) return undefined;
  if (!CORE_ROOMS.includes(other)) return `${name}, whose room is in no row`;
  return CORE_ROOMS.indexOf(other) < CORE_ROOMS.indexOf(own)
    ? undefined
    : `${name}, which is not below core/${own}`;
}

function checkNative(root) {
  return filesBelow(join(root, "native"), /\.(cpp|h)$/).flatMap((path) => {
    const file = path.slice(join(root, "native").length + 1).replaceAll("\\", "/");
    const folder = file.includes("/") ? file.split("/")[0] : "";
    const rule = NATIVE_LAYERS[folder];
    if (rule === undefined) return [`native/${file}: its folder is in no layer`];
    const includes = readFileSync(path, "utf8").matchAll(
      /^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]/gm,
    );
    const from = folder === "" ? "addon.cpp" : `${folder}/`;
    return [...includes].flatMap(([, kind, name]) => {
      if (kind === '"' ? !rule.own.test(name) : rule.forbidden.test(name))
        return [`native/${file}: includes ${name}, which native/${from} may not`];
      const breach = folder === "core" && kind === '"' ? coreBreach(file, name) : undefined;
      return breach === undefined ? [] : [`native/${file}: includes ${breach}`];
    });
  });
}

function checkLengths(root) {
  return COUNTED.flatMap((folder) =>
    filesBelow(join(root, folder), /\.(ts|mts|mjs|cjs|js|cpp|cc|h)$/),
  ).flatMap((path) => {
    const name = path.slice(root.length + 1);
    if (LEFT_BEHIND.test(name)) return [];
    const lines = readFileSync(path, "utf8").trimEnd().split("\n").length;
    return lines > LONGEST
      ? [`${name}: ${lines} lines, and ${LONGEST} is the most; split it by what makes it change`]
      : [];
  });
}

/** Returns every breach of the architecture below `root`, one per line. */
export function checkLayers(root) {
  return [
    ...filesBelow(join(root, "lib"), /\.ts$/).flatMap((path) => checkFile(root, path)),
    ...checkCircles(root),
    ...checkNative(root),
    ...checkLengths(root),
  ];
}

const self = fileURLToPath(import.meta.url);
if (process.argv[1] !== undefined && resolve(process.argv[1]) === self) {
  const wrong = checkLayers(resolve(process.argv[2] ?? join(dirname(self), "..")));
  for (const line of wrong) console.error(line);
  if (wrong.length > 0) process.exitCode = 1;
}
