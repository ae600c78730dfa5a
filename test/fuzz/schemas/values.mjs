// Random JSON values, and random changes to schemas, for the fuzzer of schemas. Pure.

const WORDS = ["a", "b", "ab", "x", "", 'ü"\\\n', "é😀", "2020-02-30", "abc", "123", "constructor"];

export function randomValue(random, depth) {
  switch (random.below(depth > 0 ? 7 : 5)) {
    case 0:
      return random.pick([null, true, false]);
    case 1:
      return random.between(-130, 130);
    case 2:
      // Ajv computes multiples of large numbers in doubles.
      return random.pick([0.1, 2.5, -1e-7, 1e15, 0.30000000000000004, 7]);
    case 3:
    case 4:
      return random.pick(WORDS);
    case 5:
      return Array.from({ length: random.below(5) }, () => randomValue(random, depth - 1));
    default:
      return Object.fromEntries(
        Array.from({ length: random.below(5) }, () => [
          random.pick([...WORDS, "v", "left", "a b", "~/"]),
          randomValue(random, depth - 1),
        ]),
      );
  }
}

/** A value with one change somewhere in it. */
export function nearValue(value, random) {
  if (value === null || typeof value !== "object" || random.oneIn(4)) return randomValue(random, 2);
  if (Array.isArray(value)) {
    const copy = [...value];
    const at = random.below(copy.length + 1);
    if (random.oneIn(3) && at < copy.length) copy.splice(at, 1);
    else copy[at] = at < value.length ? nearValue(value[at], random) : randomValue(random, 2);
    return copy;
  }
  const names = Object.keys(value);
  const copy = { ...value };
  const name = random.oneIn(4) || names.length === 0 ? random.pick(WORDS) : random.pick(names);
  if (random.oneIn(3)) delete copy[name];
  else copy[name] = Object.hasOwn(value, name) ? nearValue(value[name], random) : 1;
  return copy;
}

/** Every schema inside a schema. */
function places(schema, found = []) {
  if (schema === null || typeof schema !== "object") return found;
  if (!Array.isArray(schema)) found.push(schema);
  for (const key of ["items", "additionalProperties", "not", "if", "then", "else", "contains"])
    if (!Array.isArray(schema[key])) places(schema[key], found);
  for (const key of ["anyOf", "oneOf", "allOf", "prefixItems"])
    if (Array.isArray(schema[key])) for (const each of schema[key]) places(each, found);
  for (const key of ["properties", "$defs"])
    for (const each of Object.values(schema[key] ?? {})) places(each, found);
  return found;
}

const small = (random) =>
  random.pick([
    { type: "null" },
    { type: "string" },
    { type: "integer", minimum: 0 },
    { required: ["a"] },
    { enum: ["a", 1, null, { a: 1 }] },
    { const: "x" },
    true,
    false,
    {},
    { type: ["object", "null"], properties: { a: { type: "integer" } } },
  ]);

const KEYWORDS = {
  not: small,
  if: small,
  then: small,
  else: small,
  contains: small,
  uniqueItems: () => true,
  minContains: (random) => random.below(3),
  patternProperties: (random) => ({ [random.pick(["^a", "b$", "^(a+)+$", "."])]: small(random) }),
  dependentRequired: () => ({ a: ["b"] }),
  dependentSchemas: (random) => ({ a: small(random) }),
  unevaluatedProperties: (random) => random.pick([false, { type: "integer" }]),
  unevaluatedItems: (random) => random.pick([false, { type: "integer" }]),
  multipleOf: (random) => random.pick([2, 7, 0.5, 10]),
  minProperties: (random) => random.below(3),
  maxProperties: (random) => random.below(4),
  propertyNames: (random) => random.pick([{ pattern: "^[a-z]+$" }, { maxLength: 2 }, false]),
  pattern: (random) =>
    random.pick(["^(a|a?)+$", "^(x+x+)+y$", "\\p{L}", "^.{0,300}$", "(?=a)", "[", "^é😀?$", "\\d"]),
  $async: () => true,
  $comment: () => "a comment",
  nullable: () => true,
  discriminator: () => ({ propertyName: "a" }),
  default: (random) => randomValue(random, 1),
  examples: () => [1, 2],
  readOnly: () => true,
  format: (random) => random.pick(["date", "email", "no-such-format"]),
  enum: (random) => Array.from({ length: random.pick([1, 3, 2000]) }, (_, i) => `v${i}`),
  anyOf: (random) => Array.from({ length: random.pick([1, 2, 60]) }, () => small(random)),
  oneOf: (random) =>
    Array.from({ length: random.pick([1, 2, 60]) }, (_, i) => ({
      type: "object",
      properties: { kind: { const: `k${i}` }, value: small(random) },
      required: ["kind"],
    })),
  allOf: (random) => [small(random), small(random)],
  minimum: (random) => random.pick([-1e308, 1e21, 0.1, 5, -0]),
  exclusiveMaximum: (random) => random.pick([1e-7, 1e300, 3]),
  maxLength: (random) => random.pick([0, 1, 2000, 2 ** 31]),
  minItems: (random) => random.pick([1, 100, 2 ** 31]),
  type: (random) => random.pick(["string", "object", "array", "number", ["string", "integer"]]),
  required: (random) => [random.pick(WORDS), "toString"],
};
/** What no schema says: values of the wrong kind under names that mean something. */
const WRONG = [
  "type",
  "properties",
  "items",
  "required",
  "enum",
  "$ref",
  "$id",
  "anyOf",
  "pattern",
];

/**
 * Changes a schema: mostly right, sometimes in a way that no draft allows. Returns the same object.
 */
export function alter(schema, random, isNewest) {
  const count = random.pick([0, 1, 1, 2, 4]);
  for (let i = 0; i < count; i++) {
    const at = random.pick(places(schema));
    const key = random.pick(Object.keys(KEYWORDS));
    // Before 2019 a reference hides what stands beside it, which Ajv does not follow.
    if (Object.hasOwn(at, "$ref")) continue;
    at[key] = KEYWORDS[key](random);
  }
  if (random.oneIn(12))
    random.pick(places(schema))[random.pick(WRONG)] = random.pick([7, null, "#/x", {}, [], [7]]);
  // Ajv does not see that a property "" is missing.
  for (const at of places(schema))
    if (Array.isArray(at.required)) at.required = at.required.filter((name) => name !== "");
  // Ajv does not ask an empty array for what it must contain where it has `prefixItems`.
  for (const at of places(schema)) if (Object.hasOwn(at, "prefixItems")) delete at.contains;
  if (!isNewest) for (const at of places(schema)) older(at);
  return schema;
}

/** Words that the older drafts lack, or read otherwise than Ajv, go. */
function older(at) {
  if (Object.hasOwn(at, "$ref"))
    for (const key of Object.keys(at)) if (key !== "$ref" && key !== "$defs") delete at[key];
  for (const key of Object.keys(at))
    if (/^(prefixItems|dependent|unevaluated|minContains)/.test(key)) delete at[key];
}
