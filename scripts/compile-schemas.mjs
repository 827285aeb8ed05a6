// Compiles the options' schema into a module of core that imports nothing: what each option must be, and the code that checks it.
// So offloop starts without compiling a schema, and works where code must not be made from strings.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { _, Ajv2020 } from 'ajv/dist/2020.js';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { readJson, root } from './workspace.mjs';

const SCHEMA = 'packages/core/schema/options.schema.json';
const MODULE = 'packages/core/src/config/compiled-schema.ts';

/** Keywords that say something to people, or to the rules; the compiled check is the same without them. */
const ANNOTATIONS = [
  'title',
  'description',
  'default',
  'x-unit',
  'x-environment',
  'x-fixedBy',
  'x-rule',
  'x-secret',
];

/** Writes the module, where it is not what the schema asks for already: the compiler goes by what has changed. */
export function compileSchemas() {
  const path = join(root, MODULE);
  const module = compiledModule(readJson(SCHEMA));
  if (!existsSync(path) || readFileSync(path, 'utf8') !== module) writeFileSync(path, module);
}

function compiledModule(schema) {
  const rules = rulesOf(schema.properties, schema);
  const routerRules = rulesOf(schema.$defs.router.properties, schema);
  return `// Made by scripts/compile-schemas.mjs from ${SCHEMA}, at each build.
// @ts-nocheck: the compiled checks have no types; what is exported has.
import type { OptionRule, SchemaViolation } from './option-rules.js';

/** What each option must be, by its path. */
export const optionRules = ${JSON.stringify(rules, null, 2)} as const satisfies Record<string, OptionRule>;

/** What each path of the router must be. */
export const routerRules = ${JSON.stringify(routerRules, null, 2)} as const satisfies Record<string, OptionRule>;

/** What the first wrong option breaks; empty where none is wrong. */
export const violationsOfOptions: (options: unknown) => readonly SchemaViolation[] = (options) =>
  checkOptions(options) ? [] : checkOptions.errors;

/** What the first wrong option of a router breaks; empty where none is wrong. */
export const violationsOfRouterOptions: (options: unknown) => readonly SchemaViolation[] = (options) =>
  checkRouterOptions(options) ? [] : checkRouterOptions.errors;

${compiledChecks(schema)}`;
}

function compiledChecks(schema) {
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    messages: false,
    // Counts UTF-16 units, for which the check needs no function of ajv's. Nothing here is longer or shorter for it.
    unicode: false,
    logger: false,
    inlineRefs: false,
    code: { source: true, esm: true, lines: true },
  });
  ajv.addKeyword({
    keyword: 'x-powerOfTwo',
    type: 'number',
    schemaType: 'boolean',
    code: (context) => context.pass(_`(${context.data} & (${context.data} - 1)) === 0`),
  });
  ajv.addKeyword({
    keyword: 'x-function',
    schemaType: 'boolean',
    code: (context) => context.pass(_`typeof ${context.data} === 'function'`),
  });
  ajv.addKeyword({
    keyword: 'x-logger',
    schemaType: 'boolean',
    code: (context) => {
      const { data } = context;
      context.pass(
        _`typeof ${data} === 'object' && ${data} !== null && typeof ${data}.warn === 'function' && typeof ${data}.error === 'function'`,
      );
    },
  });
  ajv.addKeyword({
    keyword: 'x-ascending',
    type: 'array',
    schemaType: 'boolean',
    code: (context) => {
      const { gen, data } = context;
      const ascends = gen.let('ascends', true);
      gen.forRange('index', 1, _`${data}.length`, (index) => {
        gen.if(_`!(${data}[${index}] > ${data}[${index} - 1])`, () => gen.assign(ascends, false));
      });
      context.pass(ascends);
    },
  });
  ajv.addSchema(inFunctions(withoutAnnotations(schema)));
  const code = standaloneCode(ajv, {
    checkOptions: schema.$id,
    checkRouterOptions: `${schema.$id}#/$defs/router`,
  });
  if (/\brequire\(|\bimport\b/.test(code)) throw new Error('The compiled checks import something');
  return code.replace('"use strict";', '');
}

/** Each option, or branch of them, in a function of its own: the engine compiles those that are called, and most starts give few. */
function inFunctions(schema) {
  const properties = {};
  const $defs = { ...schema.$defs };
  for (const [name, option] of Object.entries(schema.properties)) {
    $defs[`option-${name}`] = option;
    properties[name] = { $ref: `#/$defs/option-${name}` };
  }
  return { ...schema, properties, $defs };
}

/** Rules by path, `ring.capacityRecords`. */
function rulesOf(properties, schema, prefix = '') {
  const rules = {};
  for (const [name, option] of Object.entries(properties)) {
    if (option.properties !== undefined) {
      Object.assign(rules, rulesOf(option.properties, schema, `${prefix}${name}.`));
    } else {
      rules[prefix + name] = ruleOf(option, schema);
    }
  }
  return rules;
}

function ruleOf(option, schema) {
  const whole = { ...definitionOf(option.$ref, schema), ...option };
  return {
    // What has no default is a text, and empty where nobody gives it.
    default: whole.default ?? '',
    rule: whole['x-rule'] ?? inWords(whole),
    environment: whole['x-environment'],
    fixedBy: whole['x-fixedBy'],
    isSecret: whole['x-secret'],
    isMap: whole.additionalProperties === undefined ? undefined : true,
  };
}

function definitionOf(reference, schema) {
  return reference === undefined ? {} : schema.$defs[reference.replace('#/$defs/', '')];
}

/** The rule as error messages quote it: "must be …". */
function inWords(option) {
  const { type, minimum, maximum, items, minItems, maxItems } = option;
  if (option.enum !== undefined)
    return `one of ${option.enum.map((value) => JSON.stringify(value)).join(', ')}`;
  if (type === 'boolean') return 'true or false';
  if (type === 'integer') {
    return `a ${option['x-powerOfTwo'] ? 'power of two' : 'whole number'} in [${minimum}, ${maximum}]`;
  }
  if (type === 'array' && option['x-ascending']) {
    const { exclusiveMinimum, exclusiveMaximum } = items;
    const below = exclusiveMaximum === undefined ? '' : ` and below ${exclusiveMaximum}`;
    return `${minItems} to ${maxItems} numbers above ${exclusiveMinimum}${below}, each larger than the one before`;
  }
  throw new Error(`No words for the rule of "${option.title}": it needs an x-rule`);
}

function withoutAnnotations(schema) {
  const bare = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (ANNOTATIONS.includes(keyword)) continue;
    const isMap = keyword === 'properties' || keyword === '$defs';
    bare[keyword] = isMap
      ? Object.fromEntries(
          Object.entries(value).map(([name, inner]) => [name, withoutAnnotations(inner)]),
        )
      : value;
  }
  return bare;
}
