// Runs a parsed Jinja template with a limit on its work. A chat template is part of a downloaded
// file, so it is an untrusted program: it may loop, double strings or create a range of a billion.
// Time and memory are limited by counting, because a time limit in V8 needs a thread and a
// descriptor.
import * as jinja from "@huggingface/jinja";

/**
 * A template did more work than its budget allows, or used something whose work cannot be counted.
 */
export class TemplateBudgetError extends Error {}

/** Maximum nesting of blocks and expressions; real templates stay below 60. */
const MAX_DEPTH = 300;
/** Maximum indentation for `tojson` and `indent`. */
const MAX_INDENT = 64;

/** A value of the interpreter, whose classes are not exported. */
interface Value {
  readonly type: string;
  readonly value: unknown;
  readonly builtins: Map<string, Value>;
}

type NativeFunction = (args: Value[], scope: unknown) => Value;

/** A node of the syntax tree, with the fields that are used here. */
interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** How a node's value is used. */
type Use =
  "output" | "iterable" | "object" | "sliced" | "joined" | "compared" | "searched" | "assigned";

/** A template that was parsed and analysed. */
export interface Program {
  readonly tree: Node;
  readonly uses: ReadonlyMap<Node, Use>;
  /**
   * Number of nodes below each macro and call block: the interpreter walks them when it reaches
   * one.
   */
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

/** Names of the fields that hold statements whose results are output. */
const BLOCKS = ["body", "alternate", "defaultBlock"];

/**
 * Analyses a syntax tree once.
 *
 * @throws {TemplateBudgetError} when it is nested too deeply.
 */
export function prepareProgram(tree: object): Program {
  const uses = new Map<Node, Use>();
  const weights = new Map<Node, number>();
  const use = (value: unknown, kind: Use): void => {
    if (isNode(value)) uses.set(value, kind);
  };
  const visit = (value: unknown, depth: number): number => {
    if (depth > MAX_DEPTH)
      throw new TemplateBudgetError(`it nests more than ${MAX_DEPTH} levels deep`);
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

/**
 * Characters and elements of a value, each counted as often as writing the value would visit it.
 */
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

/** The interpreter's own methods that are overridden; its types declare them private. */
interface Overridden {
  evaluate(statement: Node | undefined, environment: unknown): Value;
  applyFilter(operand: Value, filter: Node, environment: unknown): Value;
}

interface Scope {
  set(name: string, value: unknown): void;
}

// The package's index.d.ts imports its types without file extensions, which TypeScript's NodeNext
// cannot resolve.
const { Interpreter, Environment, Template } = jinja as unknown as {
  readonly Interpreter: new (environment: Scope) => Overridden;
  readonly Environment: new () => Scope;
  readonly Template: new (source: string) => { render(values: object): string };
};

/** The interpreter with counting. A unit of work is about one small expression. */
class BudgetedInterpreter extends Interpreter {
  readonly #program: Program;
  readonly #extents = new WeakMap<Value, Extent>();
  readonly #guarded = new WeakSet<Value>();
  /** The check of each node's value. */
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
      throw new TemplateBudgetError("it does more work than a chat template needs");
  }

  override evaluate(statement: Node | undefined, environment: unknown): Value {
    if (statement === undefined) return super.evaluate(statement, environment);
    if (++this.#depth > MAX_DEPTH)
      throw new TemplateBudgetError(`it nests more than ${MAX_DEPTH} levels deep`);
    try {
      // Before the evaluation, which may return to this node.
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
      // Whether the value was created here or only passed on.
      const isMade = !/Literal$|^Identifier$/.test(statement.type);
      this.spend(text.length / (isMade ? 8 : 64));
      if (kind === "object") this.#guard(value);
      if (kind === "sliced") this.spend(text.length);
      return;
    }
    // An undefined name costs the interpreter an Error, and each scope a step.
    if (statement.type === "Identifier")
      this.spend(value.type === "UndefinedValue" ? 20 + this.#depth : this.#depth / 16);
    if (!isList(value) && !isMapping(value)) return;
    // `{% set a = b %}` may give a namespace another name, `{% set a.b = c %}` may not.
    if (statement.type !== "Identifier" && statement.type !== "MemberExpression")
      this.spend(lengthOf(value));
    if (value.type !== "NamespaceValue") this.#refuseNamespaces(value);
    else if (kind === "assigned" && statement.type !== "CallExpression")
      throw new TemplateBudgetError("it stores a namespace inside other data");
    if (kind === "iterable") this.spend(8 * lengthOf(value));
    else if (kind === "sliced" || kind === "searched") this.spend(lengthOf(value) / 4);
    else if (kind === "joined" || kind === "output") this.spend(this.#extent(value).size / 4);
    else if (kind === "compared") this.spend(this.#extent(value).size / 16);
  }

  /**
   * A namespace is the only mutable value, so the size of a value that contains one could not be
   * known.
   */
  #refuseNamespaces(value: Value): void {
    if (this.#extents.has(value)) return;
    const held = isList(value) ? value.value : isMapping(value) ? [...value.value.values()] : [];
    if (held.some((element) => element.type === "NamespaceValue"))
      throw new TemplateBudgetError("it stores a namespace inside other data");
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
        throw new TemplateBudgetError("it stores a namespace inside other data");
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

  /** Counts the work of the methods of a string. */
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
 * Does the same as `setupGlobals` of the library, which is not exported. A test compares the two.
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
      throw new Error("range() needs numbers, and a step that is not zero");
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
 * @param budget - Units of work; a few million take a second.
 * @throws {TemplateBudgetError} when the budget is used up; exceptions of the template.
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
