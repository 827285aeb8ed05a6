import { createRequire } from 'node:module';
import { Ajv2020 } from 'ajv/dist/2020.js';

/** A JSON Schema, as far as tests look into it. */
export interface JsonSchema {
  readonly $id?: string;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
}

const require = createRequire(import.meta.url);

/** A schema as those have it who installed the package. */
export function publishedSchema(name: 'options' | 'snapshot' | 'health'): JsonSchema {
  return require(`@offloop/core/${name}.schema.json`);
}

/**
 * Checks values against a schema, or one of its definitions. What the schema says of an object is all that may be in it: readers of a
 * published schema let newer fields pass, and here a field that nobody described must not.
 *
 * @returns Gives what is wrong, as text; '' where nothing is.
 */
export function strictCheck(schema: JsonSchema, definition?: string): (value: unknown) => string {
  const ajv = new Ajv2020({
    strict: false,
    allErrors: true,
    formats: { 'date-time': isTimestamp },
  });
  const closed = close(schema);
  ajv.addSchema(closed);
  const path = definition === undefined ? '' : `#/$defs/${definition}`;
  const validate = ajv.getSchema(`${schema.$id}${path}`);
  if (validate === undefined) throw new Error(`no schema ${schema.$id}${path}`);
  return (value) => (validate(value) ? '' : ajv.errorsText(validate.errors));
}

/** As `toISOString()` writes it, which is what RFC 3339 allows. */
function isTimestamp(text: string): boolean {
  const time = new Date(text);
  return !Number.isNaN(time.getTime()) && time.toISOString() === text;
}

function close(schema: JsonSchema): JsonSchema {
  const closed: Record<string, unknown> = { ...schema };
  for (const keyword of ['properties', '$defs'] as const) {
    const map = schema[keyword];
    if (map === undefined) continue;
    closed[keyword] = Object.fromEntries(
      Object.entries(map).map(([name, inner]) => [name, close(inner)]),
    );
  }
  if (schema.items !== undefined) closed['items'] = close(schema.items);
  if (schema.properties !== undefined) closed['additionalProperties'] ??= false;
  return closed;
}
