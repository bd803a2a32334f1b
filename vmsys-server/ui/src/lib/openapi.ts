/** What the reference shows of the daemon's OpenAPI document. */

interface Schema {
  $ref?: string;
  type?: string | string[];
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  enum?: unknown[];
  const?: unknown;
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  additionalProperties?: boolean | Schema;
  default?: unknown;
  examples?: unknown[];
}

interface Param {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  description?: string;
  schema?: Schema;
}

interface RawOperation {
  operationId?: string;
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: (Param | { $ref: string })[];
  requestBody?: { content?: Record<string, { schema?: Schema }> };
  responses?: Record<string, { description?: string; $ref?: string; content?: Record<string, { schema?: Schema }> }>;
}

export interface Document {
  info: { title: string; version: string; description?: string };
  tags?: { name: string; description?: string }[];
  paths: Record<string, Record<string, RawOperation>>;
  components?: { schemas?: Record<string, Schema>; parameters?: Record<string, Param> };
}

export interface Field {
  name: string;
  type: string;
  isRequired: boolean;
  about: string;
}

export interface Operation {
  id: string;
  method: string;
  path: string;
  summary: string;
  description: string;
  tag: string;
  params: Param[];
  body: Field[] | null;
  isStream: boolean;
  answers: { status: string; about: string; type: string }[];
}

const METHODS = ['get', 'post', 'patch', 'put', 'delete'];

export function operations(document: Document): Operation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const raw = item[method];
      if (raw === undefined) return [];
      const body = raw.requestBody?.content?.['application/json']?.schema;
      const answers = Object.entries(raw.responses ?? {}).map(([status, answer]) => {
        const [type, content] = Object.entries(answer.content ?? {})[0] ?? [];
        const schema = content?.schema ? typeOf(content.schema) : '';
        return { status, about: answer.description ?? '', type: type === 'application/json' ? schema : (type ?? '') };
      });
      return [
        {
          id: raw.operationId ?? `${method} ${path}`,
          method: method.toUpperCase(),
          path,
          summary: raw.summary ?? '',
          description: raw.description ?? '',
          tag: raw.tags?.[0] ?? '',
          params: (raw.parameters ?? []).map((param) => resolveParam(document, param)),
          body: body ? fields(document, body) : null,
          isStream: answers.some((answer) => answer.type === 'text/event-stream'),
          answers,
        },
      ];
    }),
  );
}

function resolveParam(document: Document, param: Param | { $ref: string }): Param {
  if (!('$ref' in param)) return param;
  return document.components?.parameters?.[nameOf(param.$ref)] ?? { name: nameOf(param.$ref), in: 'query' };
}

function nameOf(ref: string): string {
  return ref.split('/').at(-1) ?? ref;
}

function resolve(document: Document, schema: Schema): Schema {
  const found = schema.$ref === undefined ? schema : document.components?.schemas?.[nameOf(schema.$ref)];
  return found ?? schema;
}

function fields(document: Document, schema: Schema): Field[] {
  const { properties = {}, required = [] } = resolve(document, schema);
  return Object.entries(properties).map(([name, property]) => ({
    name,
    type: typeOf(property),
    isRequired: required.includes(name),
    about: property.description ?? resolve(document, property).description ?? '',
  }));
}

export function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return nameOf(schema.$ref);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const choices = schema.oneOf ?? schema.anyOf ?? schema.allOf;
  if (choices) return choices.map(typeOf).join(schema.allOf ? ' & ' : ' | ');
  if (schema.type === 'array') return `${schema.items ? typeOf(schema.items) : 'any'}[]`;
  if (Array.isArray(schema.type)) return schema.type.join(' | ');
  return schema.type ?? 'any';
}

/** A body to begin with: what is required, by type. */
export function sampleBody(body: readonly Field[]): string {
  const sample = body
    .filter((field) => field.isRequired)
    .map((field) => [field.name, field.type === 'boolean' ? false : field.type === 'integer' ? 0 : field.type.endsWith('[]') ? [] : '']);
  return JSON.stringify(Object.fromEntries(sample), null, 2);
}

/** Fills in a path and its query. */
export function fill(path: string, params: readonly Param[], values: Readonly<Record<string, string>>): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
  const query = new URLSearchParams();
  for (const param of params) {
    const value = values[param.name];
    if (param.in === 'query' && value) query.set(param.name, value);
  }
  const text = query.toString();
  return text === '' ? filled : `${filled}?${text}`;
}
