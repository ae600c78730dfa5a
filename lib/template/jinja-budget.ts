// Runs a parsed Jinja template with a bound on its work. A chat template is part of a downloaded
// file, so it is a stranger's program: it may loop, double strings or ask for a range of a billion.
// Time and memory are bounded by counting here, since a time limit of V8's needs a thread and a
// descriptor.
import * as jinja from "@huggingface/jinja";

/** A template did more work than its budget allows, or something whose work cannot be counted. */
export class TemplateBudgetError extends Error {}

/** Deepest nesting of blocks and expressions; real templates stay below 60. */
const MAX_DEPTH = 300;
/** Widest indentation that `tojson` and `indent` may be asked for. */
const MAX_INDENT = 64;

/** A value of the interpreter: its classes are not exported. */
interface Value {
  readonly type: string;
  readonly value: unknown;
  readonly builtins: Map<string, Value>;
}

type NativeFunction = (args: Value[], scope: unknown) => Value;

/** A node of the syntax tree, as far as it is looked at. */
interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** What is done with a node's value. */
type Use =
  "output" | "iterable" | "object" | "sliced" | "joined" | "compared" | "searched" | "assigned";

/** A template that was parsed and looked through. */
export interface Program {
  readonly tree: Node;
  readonly uses: ReadonlyMap<Node, Use>;
  /** Nodes below each macro and call block: the interpreter walks them when it meets one. */
  readonly weights: ReadonlyMap<Node, number>;
}

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && typeof (value as Node).type === "string";

const USE_OF_OPERATOR: Readonly<Record<string, Use>> = {
  "~": "joined",
  "+": "joined",
  "==": "compared",
  "!=": "compared",
  in: "searched",
  "not in": "searched",
};

/** Names of the fields that hold statements whose results are written out. */
const BLOCKS = ["body", "alternate", "defaultBlock"];

/**
 * Looks through a syntax tree once.
 *
 * @throws {TemplateBudgetError} when it is nested too deep.
 */
export function prepareProgram(tree: object): Program {
  const uses = new Map<Node, Use>();
  const weights = new Map<Node, number>();
  const use = (value: unknown, kind: Use): void => {
    if (isNode(value)) uses.set(value, kind);
  };
  const visit = (value: unknown, depth: number): number => {
    if (depth > MAX_DEPTH) throw new TemplateBudgetError(`it nests more than ${MAX_DEPTH} deep`);
    if (Array.isArray(value))
      return value.reduce<number>((sum, element) => sum + visit(element, depth), 0);
    if (value instanceof Map) return visit([...value.keys(), ...value.values()], depth);
    if (!isNode(value)) return 0;
    for (const block of BLOCKS)
      if (Array.isArray(value[block])) for (const node of value[block]) use(node, "output");
    if (value.type === "For") {
      const { iterable } = value;
      use(
        isNode(iterable) && iterable.type === "SelectExpression" ? iterable["lhs"] : iterable,
        "iterable",
      );
    } else if (value.type === "BinaryExpression") {
      const kind = USE_OF_OPERATOR[(value["operator"] as { value: string }).value];
      if (kind !== undefined) for (const side of ["left", "right"]) use(value[side], kind);
    } else if (value.type === "Set") use(value["value"], "assigned");
    else if (value.type === "MemberExpression") {
      const { property } = value;
      use(
        value["object"],
        isNode(property) && property.type === "SliceExpression" ? "sliced" : "object",
      );
    }
    let weight = 1;
    for (const key of Object.keys(value)) weight += visit(value[key], depth + 1);
    if (value.type === "Macro" || value.type === "CallStatement") weights.set(value, weight);
    return weight;
  };
  visit(tree, 0);
  return { tree: tree as Node, uses, weights };
}

/** Characters and elements of a value, each as often as writing it out would visit it. */
interface Extent {
  readonly size: number;
  readonly depth: number;
}

const isList = (value: Value): value is Value & { value: Value[] } => Array.isArray(value.value);
const isMapping = (value: Value): value is Value & { value: Map<string, Value> } =>
  value.value instanceof Map;
const textOf = (value: Value | undefined): string | undefined =>
  typeof value?.value === "string" ? value.value : undefined;

function lengthOf(value: Value): number {
  if (isList(value)) return value.value.length;
  if (isMapping(value)) return value.value.size;
  return textOf(value)?.length ?? 1;
}

/** The interpreter's own methods that are overridden; its types keep them private. */
interface Overridden {
  evaluate(statement: Node | undefined, environment: unknown): Value;
  applyFilter(operand: Value, filter: Node, environment: unknown): Value;
}

interface Scope {
  set(name: string, value: unknown): void;
}

// The package's index.d.ts imports its types without file extensions, which TypeScript's NodeNext
// cannot follow.
const { Interpreter, Environment, Template } = jinja as unknown as {
  readonly Interpreter: new (environment: Scope) => Overridden;
  readonly Environment: new () => Scope;
  readonly Template: new (source: string) => { render(values: object): string };
};

/** The interpreter, which counts. A unit of work is about one small expression. */
class BudgetedInterpreter extends Interpreter {
  readonly #program: Program;
  readonly #extents = new WeakMap<Value, Extent>();
  readonly #guarded = new WeakSet<Value>();
  /** What to look at once a node has its value. */
  readonly #checks = new Map<Node, (value: Value) => void>();
  #left: number;
  #depth = 0;

  constructor(environment: Scope, program: Program, budget: number) {
    super(environment);
    this.#program = program;
    this.#left = budget;
  }

  spend(units: number): void {
    this.#left -= units;
    if (!(this.#left >= 0))
      throw new TemplateBudgetError("it does more work than a chat template has to");
  }

  override evaluate(statement: Node | undefined, environment: unknown): Value {
    if (statement === undefined) return super.evaluate(statement, environment);
    if (++this.#depth > MAX_DEPTH)
      throw new TemplateBudgetError(`it nests more than ${MAX_DEPTH} deep`);
    try {
      // Before: the evaluation may come back to this node.
      const check = this.#checks.get(statement);
      const isJump = statement.type === "Break" || statement.type === "Continue";
      this.spend(isJump ? 30 : (this.#program.weights.get(statement) ?? 1));
      const value = super.evaluate(statement, environment);
      check?.(value);
      this.#charge(statement, value);
      return value;
    } finally {
      this.#depth--;
    }
  }

  override applyFilter(operand: Value, filter: Node, environment: unknown): Value {
    const { callee } = filter;
    const name = String(isNode(callee) ? callee["value"] : filter["value"]);
    const { size, depth } = this.#extent(operand);
    const perElement: Readonly<Record<string, number>> = {
      tojson: 0.3,
      string: 0.3,
      join: 0.3,
      sort: 8,
      unique: 1,
    };
    this.spend(
      2 + (perElement[name] === undefined ? lengthOf(operand) / 4 : size * perElement[name]),
    );
    if (filter.type === "CallExpression") {
      if (name === "replace") this.#guard(operand);
      for (const argument of filter["args"] as readonly Node[]) {
        if (/Spread/.test(argument.type) && (name === "tojson" || name === "indent"))
          throw new TemplateBudgetError(`it spreads arguments over \`${name}\``);
        const given = argument.type === "KeywordArgumentExpression" ? argument["value"] : argument;
        if (isNode(given))
          this.#checks.set(given, (value) =>
            this.#checkArgument(name, value, operand, size, depth),
          );
      }
    }
    return super.applyFilter(operand, filter, environment);
  }

  #checkArgument(filter: string, value: Value, operand: Value, size: number, depth: number): void {
    if (typeof value.value === "number" && (filter === "tojson" || filter === "indent")) {
      if (!(value.value <= MAX_INDENT))
        throw new TemplateBudgetError(`it indents by more than ${MAX_INDENT}`);
      this.spend((size * depth * Math.max(0, value.value)) / 8);
    } else this.spend((lengthOf(operand) * this.#extent(value).size) / 8);
  }

  #charge(statement: Node, value: Value): void {
    const kind = this.#program.uses.get(statement);
    const text = textOf(value);
    if (text !== undefined) {
      // Made here, or only handed on.
      const isMade = !/Literal$|^Identifier$/.test(statement.type);
      this.spend(text.length / (isMade ? 8 : 64));
      if (kind === "object") this.#guard(value);
      if (kind === "sliced") this.spend(text.length);
      return;
    }
    // A name that is not there costs the interpreter an Error, and each scope a step.
    if (statement.type === "Identifier")
      this.spend(value.type === "UndefinedValue" ? 20 + this.#depth : this.#depth / 16);
    if (!isList(value) && !isMapping(value)) return;
    // `{% set a = b %}` may name a namespace again, `{% set a.b = c %}` may not.
    if (statement.type !== "Identifier" && statement.type !== "MemberExpression")
      this.spend(lengthOf(value));
    if (value.type !== "NamespaceValue") this.#refuseNamespaces(value);
    else if (kind === "assigned" && statement.type !== "CallExpression")
      throw new TemplateBudgetError("it keeps a namespace inside other data");
    if (kind === "iterable") this.spend(8 * lengthOf(value));
    else if (kind === "sliced" || kind === "searched") this.spend(lengthOf(value) / 4);
    else if (kind === "joined" || kind === "output") this.spend(this.#extent(value).size / 4);
    else if (kind === "compared") this.spend(this.#extent(value).size / 16);
  }

  /**
   * A namespace is the one thing that changes, so the size of what holds one could not be known.
   */
  #refuseNamespaces(value: Value): void {
    if (this.#extents.has(value)) return;
    const held = isList(value) ? value.value : isMapping(value) ? [...value.value.values()] : [];
    if (held.some((element) => element.type === "NamespaceValue"))
      throw new TemplateBudgetError("it keeps a namespace inside other data");
    this.#extent(value);
  }

  #extent(value: Value): Extent {
    const text = textOf(value);
    if (text !== undefined) return { size: 1 + text.length, depth: 1 };
    if (!isList(value) && !isMapping(value)) return { size: 1, depth: 1 };
    const isFixed = value.type !== "NamespaceValue";
    const known = isFixed ? this.#extents.get(value) : undefined;
    if (known !== undefined) return known;
    let size = 1;
    let depth = 0;
    const add = (element: Value): void => {
      if (element.type === "NamespaceValue")
        throw new TemplateBudgetError("it keeps a namespace inside other data");
      const inner = this.#extent(element);
      size += inner.size;
      depth = Math.max(depth, inner.depth);
    };
    this.spend(lengthOf(value) / 8);
    if (isList(value)) value.value.forEach(add);
    else
      for (const [key, element] of value.value) {
        size += key.length;
        add(element);
      }
    const extent = { size, depth: depth + 1 };
    if (isFixed) this.#extents.set(value, extent);
    return extent;
  }

  /** Lets the methods of a string count. */
  #guard(string: Value): void {
    const text = textOf(string);
    if (text === undefined || this.#guarded.has(string)) return;
    this.#guarded.add(string);
    for (const [name, method] of string.builtins) {
      if (method.type !== "FunctionValue") continue;
      const inner = method.value as NativeFunction;
      const Function = method.constructor as new (work: NativeFunction) => Value;
      const guarded: NativeFunction = (args, scope) => {
        this.spend(1 + text.length / 4);
        const [old, made] = [textOf(args[0]), textOf(args[1])];
        if (name === "replace" && old !== undefined && made !== undefined) {
          const most = old.length === 0 ? text.length + 1 : text.length / old.length;
          this.spend((most * made.length) / 8);
        }
        for (const argument of args) this.spend(lengthOf(argument) / 8);
        return inner(args, scope);
      };
      string.builtins.set(name, new Function(guarded));
    }
  }
}

/**
 * What `setupGlobals` of the library declares; it is not exported. A test holds the two together.
 */
function declareGlobals(environment: Scope, spend: (units: number) => void): void {
  for (const name of ["true", "True"]) environment.set(name, true);
  for (const name of ["false", "False"]) environment.set(name, false);
  for (const name of ["none", "None"]) environment.set(name, null);
  environment.set("raise_exception", (message: unknown) => {
    throw new Error(typeof message === "string" ? message.slice(0, 1000) : "no reason given");
  });
  environment.set("range", (first: unknown, second?: unknown, third: unknown = 1) => {
    const [start, stop] = second === undefined ? [0, first] : [first, second];
    const step = third;
    if (
      typeof start !== "number" ||
      typeof stop !== "number" ||
      typeof step !== "number" ||
      step === 0
    )
      throw new Error("range() takes numbers, and a step that is not zero");
    const count = Math.max(0, Math.ceil((stop - start) / step));
    spend(2 * count);
    return Array.from({ length: count }, (_, i) => start + i * step);
  });
  environment.set("strftime_now", (format: unknown) => {
    if (typeof format !== "string") throw new Error("strftime_now() takes a format");
    spend(1000 + 50 * format.length);
    return new Template("{{ strftime_now(format) }}").render({ format });
  });
}

/**
 * Renders a prepared template.
 *
 * @param budget - Units of work; some million take a second.
 * @throws {TemplateBudgetError} when the budget is used up; what the template raises.
 */
export function renderProgram(
  program: Program,
  values: Readonly<Record<string, unknown>>,
  budget: number,
): string {
  const environment = new Environment();
  const interpreter = new BudgetedInterpreter(environment, program, budget);
  declareGlobals(environment, (units) => interpreter.spend(units));
  for (const [name, value] of Object.entries(values)) environment.set(name, value);
  return String(interpreter.evaluate(program.tree, environment).value);
}
