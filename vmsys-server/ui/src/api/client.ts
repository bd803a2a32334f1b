/** The client of the API: its types are those of the daemon's own document. */
import type { Client } from 'openapi-fetch';
import { answered, unanswered } from './connection';
import type { paths } from './schema';
import { authorization, token } from './token';

/** A refusal by the API, or no answer at all (`status` 0). */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: Record<string, unknown>;
  readonly requestId: string | null;

  constructor(status: number, code: string, message: string, details: Record<string, unknown>, requestId: string | null) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
    this.code = code;
    this.details = details;
    this.requestId = requestId;
  }

  /** The field that is wrong, where one is. */
  get field(): string | undefined {
    return typeof this.details.field === 'string' ? this.details.field : undefined;
  }
}

/** Sends a request, with the token, and notes whether anybody answered. */
export async function send(input: Request | string, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  const hadToken = token() !== null;
  for (const [name, value] of Object.entries(authorization())) request.headers.set(name, value);
  let response: Response;
  try {
    response = await fetch(request);
  } catch (error) {
    if (request.signal.aborted) throw error;
    unanswered();
    throw new Refusal(0, 'NO_ANSWER', 'The daemon does not answer', {}, null);
  }
  answered(response.status, hadToken);
  return response;
}

interface Init {
  params?: {
    path?: Record<string, string>;
    query?: Record<string, string | number | boolean | undefined>;
    header?: Record<string, string>;
  };
  body?: unknown;
  signal?: AbortSignal;
}

/** Calls an operation. A body is JSON, and so is every answer that is looked into. */
async function call(method: string, path: string, { params = {}, body, signal }: Init = {}): Promise<Answered<unknown>> {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params.path?.[name] ?? ''));
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params.query ?? {})) if (value !== undefined) query.set(name, String(value));
  const response = await send(query.size > 0 ? `${filled}?${query}` : filled, {
    method,
    headers: { ...params.header, ...(body !== undefined && { 'Content-Type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
  });
  const answer: unknown = await response.json().catch(() => undefined);
  return response.ok ? { data: answer, response } : { error: answer, response };
}

const operation = (method: string) => (path: string, init?: Init) => call(method, path, init);

/** The operations of the API, typed by openapi-fetch, of which no more than the types is needed. */
export const api = {
  GET: operation('GET'),
  POST: operation('POST'),
  PATCH: operation('PATCH'),
  DELETE: operation('DELETE'),
} as unknown as Pick<Client<paths>, 'GET' | 'POST' | 'PATCH' | 'DELETE'>;

interface Answered<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** What was answered, or a `Refusal`. */
export async function ok<T>(request: Promise<Answered<T>>): Promise<T> {
  const { data, error, response } = await request;
  if (response.ok && data !== undefined) return data;
  throw refusal(response, error);
}

/** Reads a refusal out of an answer's envelope. */
export function refusal(response: Response, envelope: unknown): Refusal {
  const body = (envelope as { error?: { code?: string; message?: string; details?: Record<string, unknown> } } | null)?.error;
  const id = response.headers.get('X-Request-Id');
  const message = body?.message ?? `The daemon answered ${response.status} ${response.statusText}`.trim();
  return new Refusal(response.status, body?.code ?? `HTTP_${response.status}`, message, body?.details ?? {}, id);
}
