// Reads a JSON Schema of any draft from 04 to 2020-12 into one form: the keywords of 2020-12, with
// references resolved, and without annotations and unknown words.
import { children, draftOf, isStated, readKeyword, type Draft } from "./keywords.js";
import { failSchema, isObject, type Schema, type SchemaObject } from "./types.js";

/** A schema with its own identifier, or the whole document. */
export interface Resource {
  readonly uri: string;
  readonly root: unknown;
  readonly pointer: string;
  readonly draft: Draft;
  /** Whether it names its draft. */
  readonly isStated: boolean;
  readonly anchors: Map<string, unknown>;
  readonly dynamicAnchors: Map<string, unknown>;
  isRecursive: boolean;
}

/** The location of a schema in the original document. */
interface Place {
  readonly resource: Resource;
  readonly pointer: string;
}

/** The target of a reference. */
export interface Target {
  readonly schema: Schema;
  /** JSON pointer in the document. */
  readonly pointer: string;
}

/** Maximum nesting of schemas. */
const MAX_DEPTH = 500;

/**
 * A schema document that has been read. Its schemas are plain objects with the keywords of 2020-12;
 * their `$ref` is a key for {@link target}, and their `$dynamicRef` one for {@link dynamicTarget}.
 */
export class SchemaDocument {
  readonly root: Schema;
  /** Whether the target of a reference may depend on the referring schema. */
  isDynamic = false;
  /** Whether it uses unevaluatedItems or unevaluatedProperties anywhere. */
  usesUnevaluated = false;
  /** The original schema. */
  readonly source: unknown;
  private readonly resources = new Map<string, Resource>();
  private readonly places = new Map<unknown, Place>();
  private readonly made = new Map<unknown, Schema>();
  /** Equal schemas share one object, so that work on them is done once. */
  private readonly equal = new Map<string, SchemaObject>();
  private readonly identities = new Map<Schema, number>();
  private readonly pointers = new Map<Schema, string>();
  private readonly owners = new Map<Schema, Resource>();
  private readonly referred: { raw: unknown; dynamic: string | undefined }[] = [];
  private readonly referredKeys = new Map<unknown, string>();

  /**
   * @throws {R1Error} `SCHEMA_UNSUPPORTED` with the location of a part that is not a schema or
   * refers to another document.
   */
  constructor(
    source: unknown,
    private readonly path: string,
  ) {
    if (typeof source !== "boolean" && !isObject(source))
      failSchema(path, "must be a JSON Schema: an object, true or false");
    this.source = source;
    const draft = draftOf(source, path);
    const document = this.addResource("json-schema:///", source, "", draft, isStated(source));
    this.index(source, document, "", 0);
    this.isDynamic = this.resources.size > 1 && this.hasDynamic();
    this.root = this.read(source, 0);
    // References are read when they are used, so that unused parts may contain anything.
    if (this.isDynamic)
      for (const { dynamicAnchors, isRecursive, root } of this.resources.values()) {
        for (const anchored of dynamicAnchors.values()) this.read(anchored, 0);
        if (isRecursive) this.read(root, 0);
      }
    for (let i = 0; i < this.referred.length; i++) this.read(this.referred[i]?.raw, 0);
  }

  /**
   * JSON pointer of a schema in the original document; undefined for one that was combined from
   * others.
   */
  pointerOf(schema: Schema): string | undefined {
    return this.pointers.get(schema);
  }

  /** Calls `visit` for every schema of the document that is an object. */
  eachSchema(visit: (schema: SchemaObject, pointer: string) => void): void {
    for (const [schema, pointer] of this.pointers)
      if (typeof schema !== "boolean") visit(schema, pointer);
  }

  /** The resource that a schema belongs to, for dynamic references. */
  resourceOf(schema: Schema): Resource | undefined {
    return this.owners.get(schema);
  }

  /** The target of a `$ref`. */
  target(key: unknown): Target {
    const { raw } = this.referred[Number(key)] ?? {};
    return { schema: this.made.get(raw) ?? true, pointer: this.places.get(raw)?.pointer ?? "" };
  }

  /** The target of a `$dynamicRef`, given the resources that were entered, outermost first. */
  dynamicTarget(key: unknown, entered: readonly Resource[]): Schema {
    const { raw, dynamic } = this.referred[Number(key)] ?? {};
    for (const { dynamicAnchors, isRecursive, root } of entered) {
      const found =
        dynamic === "" ? (isRecursive ? root : undefined) : dynamicAnchors.get(dynamic ?? "");
      const schema = found === undefined ? undefined : this.made.get(found);
      if (schema !== undefined) return schema;
    }
    return this.made.get(raw) ?? true;
  }

  private hasDynamic(): boolean {
    for (const { dynamicAnchors, isRecursive } of this.resources.values())
      if (dynamicAnchors.size > 0 || isRecursive) return true;
    return false;
  }

  private addResource(
    uri: string,
    root: unknown,
    pointer: string,
    draft: Draft,
    isStated: boolean,
  ): Resource {
    const made: Resource = {
      uri,
      root,
      pointer,
      draft,
      isStated,
      anchors: new Map(),
      dynamicAnchors: new Map(),
      isRecursive: false,
    };
    this.resources.set(uri, made);
    return made;
  }

  /** Records the location and the names of each schema. */
  private index(raw: unknown, outer: Resource, pointer: string, depth: number): void {
    if (depth > MAX_DEPTH)
      failSchema(this.path + pointer, `is nested more than ${MAX_DEPTH} levels deep`);
    if (!isObject(raw) || this.places.has(raw)) return;
    const resource = this.identify(raw, outer, pointer);
    this.places.set(raw, { resource, pointer });
    for (const [part, child] of children(raw, resource.draft))
      this.index(child, resource, `${pointer}/${part}`, depth + 1);
  }

  private identify(raw: SchemaObject, outer: Resource, pointer: string): Resource {
    const { draft } = outer;
    const isShadowed = draft <= 7 && typeof raw["$ref"] === "string";
    const id = raw[draft === 4 ? "id" : "$id"];
    let resource = outer;
    if (typeof id === "string" && id !== "" && !isShadowed) {
      const at = id.indexOf("#");
      const [name, fragment] = at < 0 ? [id, ""] : [id.slice(0, at), id.slice(at + 1)];
      if (name !== "") {
        const uri = this.absolute(name, outer.uri, pointer);
        const inner = isStated(raw) ? draftOf(raw, this.path + pointer) : draft;
        const stated = isStated(raw) || outer.isStated;
        if (pointer === "") {
          this.resources.clear();
          resource = this.addResource(uri, raw, "", inner, stated);
        } else if (this.resources.has(uri))
          failSchema(`${this.path}${pointer}`, `is the second one named ${JSON.stringify(uri)}`);
        else resource = this.addResource(uri, raw, pointer, inner, stated);
      }
      if (fragment !== "" && draft <= 7) resource.anchors.set(fragment, raw);
    }
    if (draft >= 2019) {
      if (typeof raw["$anchor"] === "string") resource.anchors.set(raw["$anchor"], raw);
      if (typeof raw["$dynamicAnchor"] === "string" && draft >= 2020) {
        resource.anchors.set(raw["$dynamicAnchor"], raw);
        resource.dynamicAnchors.set(raw["$dynamicAnchor"], raw);
      }
      if (raw["$recursiveAnchor"] === true && draft === 2019 && resource.root === raw)
        resource.isRecursive = true;
    }
    return resource;
  }

  private absolute(name: string, base: string, pointer: string): string {
    try {
      return new URL(name, base).href;
    } catch {
      return failSchema(
        this.path + pointer,
        `has the identifier ${JSON.stringify(name)}, which is not a URI`,
      );
    }
  }

  /** Resolves a reference, relative to the schema that contains it. */
  private find(reference: unknown, from: Place): { raw: unknown; anchor: string } {
    const at = `${this.path}${from.pointer}/$ref`;
    if (typeof reference !== "string") return failSchema(at, "must be a string");
    const split = reference.indexOf("#");
    const name = split < 0 ? reference : reference.slice(0, split);
    let fragment: string;
    try {
      fragment = split < 0 ? "" : decodeURIComponent(reference.slice(split + 1));
    } catch {
      return failSchema(at, `refers to ${JSON.stringify(reference)}, which is not a reference`);
    }
    let uri: string;
    try {
      uri = name === "" ? from.resource.uri : new URL(name, from.resource.uri).href;
    } catch {
      return failSchema(at, `refers to ${JSON.stringify(reference)}, which is not a reference`);
    }
    const resource = this.resources.get(uri);
    if (resource === undefined)
      return failSchema(
        at,
        `refers to ${JSON.stringify(reference)}; only references within the schema, such as ` +
          '"#/$defs/name", are supported',
      );
    if (fragment === "") return { raw: resource.root, anchor: "" };
    if (!fragment.startsWith("/")) {
      const raw = resource.anchors.get(fragment);
      if (raw === undefined)
        return failSchema(at, `refers to ${JSON.stringify(reference)}, which does not exist`);
      return { raw, anchor: fragment };
    }
    return { raw: this.point(resource, fragment, reference, at), anchor: "" };
  }

  /** Follows a JSON pointer; schemas on the path may change the resource. */
  private point(resource: Resource, fragment: string, reference: string, at: string): unknown {
    let found: unknown = resource.root;
    let nearest = resource;
    let { pointer } = resource;
    for (const part of fragment.split("/").slice(1)) {
      const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
      nearest = this.places.get(found)?.resource ?? nearest;
      pointer += `/${part}`;
      found =
        typeof found === "object" && found !== null && Object.hasOwn(found, key)
          ? (found as Record<string, unknown>)[key]
          : undefined;
    }
    if (typeof found !== "boolean" && !isObject(found))
      failSchema(at, `refers to ${JSON.stringify(reference)}, which does not exist`);
    // A schema below a word that is not a keyword, such as OpenAPI's components, is first found
    // here.
    this.index(found, nearest, pointer, 0);
    return found;
  }

  private refer(raw: unknown, dynamic?: string): string {
    // Booleans have no identity: each is a separate target.
    const known = isObject(raw) ? this.referredKeys.get(raw) : undefined;
    if (known !== undefined && dynamic === undefined) return known;
    const key = String(this.referred.push({ raw, dynamic }) - 1);
    if (dynamic === undefined) this.referredKeys.set(raw, key);
    if (typeof raw === "boolean") this.made.set(raw, raw);
    return key;
  }

  private read(raw: unknown, depth: number): Schema {
    if (typeof raw === "boolean") return raw;
    const known = this.made.get(raw);
    if (known !== undefined) return known;
    const place = this.places.get(raw);
    if (!isObject(raw) || place === undefined)
      return failSchema(this.path, "has a part that is not a schema");
    const { resource, pointer } = place;
    const { draft } = resource;
    const made: Record<string, unknown> = {};
    const also: Schema[] = [];
    const inner = (child: unknown): Schema => this.read(child, depth + 1);
    const at = this.path + pointer;
    const hasRef = raw["$ref"] !== undefined;
    if (hasRef) made["$ref"] = this.refer(this.find(raw["$ref"], place).raw);
    if (draft === 2020 && raw["$dynamicRef"] !== undefined) {
      const { raw: found, anchor } = this.find(raw["$dynamicRef"], place);
      const owner = this.places.get(found)?.resource;
      const isDynamic = this.isDynamic && owner?.dynamicAnchors.get(anchor) === found;
      if (isDynamic) made["$dynamicRef"] = this.refer(found, anchor);
      else if (hasRef) also.push({ $ref: this.refer(found) });
      else made["$ref"] = this.refer(found);
    }
    if (draft === 2019 && raw["$recursiveRef"] !== undefined) {
      const { raw: found } = this.find(raw["$recursiveRef"], place);
      const isDynamic = this.isDynamic && this.places.get(found)?.resource.isRecursive === true;
      if (isDynamic) made["$dynamicRef"] = this.refer(found, "");
      else if (hasRef) also.push({ $ref: this.refer(found) });
      else made["$ref"] = this.refer(found);
    }
    // Before 2019-09 a reference is used alone: words beside it are ignored.
    if (draft >= 2019 || !hasRef)
      for (const [key, value] of Object.entries(raw))
        if (value !== undefined)
          readKeyword(key, value, {
            raw,
            draft,
            isStated: resource.isStated,
            at,
            made,
            read: inner,
          });
    if (made["unevaluatedProperties"] !== undefined || made["unevaluatedItems"] !== undefined)
      this.usesUnevaluated = true;
    if (also.length > 0)
      made["allOf"] = [...((made["allOf"] as Schema[] | undefined) ?? []), ...also];
    const schema = this.unify(made, draft);
    this.made.set(raw, schema);
    if (!this.pointers.has(schema)) this.pointers.set(schema, pointer);
    if (!this.owners.has(schema)) this.owners.set(schema, resource);
    return schema;
  }

  /** Returns the one object for all equal schemas. */
  private unify(made: Record<string, unknown>, draft: Draft): SchemaObject {
    const name = (value: unknown): unknown => {
      const id = this.identities.get(value as Schema);
      if (id !== undefined) return { "\0": id };
      if (Array.isArray(value)) return value.map(name);
      if (isObject(value))
        return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, name(each)]));
      return value;
    };
    // Contained items count as evaluated only since 2020-12.
    if (draft === 2019 && made["contains"] !== undefined) made["$uncounted"] = true;
    const key = JSON.stringify(name(made));
    const known = this.isDynamic ? undefined : this.equal.get(key);
    if (known !== undefined) return known;
    this.equal.set(key, made);
    this.identities.set(made, this.identities.size);
    return made;
  }
}
