/** What can be asked of a session without running anything in it. */
import { refusal, send } from './client';

export interface Global {
  name: string;
  kind: string;
  type: string;
  preview: string;
  changed_by?: string;
}

export interface Globals {
  globals: Global[];
  more?: number;
}

export interface Completion {
  label: string;
  kind: string;
  detail?: string;
}

export interface Completions {
  from: number;
  to: number;
  items: Completion[];
}

export interface Check {
  complete: boolean;
  error: { message: string; line: number; column: number } | null;
}

export interface HistoryEntry {
  execution_id: string;
  input: string;
  started_at: string;
}

async function ask<T>(path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const response = await send(`/api/v1/sessions/${path}`, {
    ...(body !== undefined && {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    }),
    ...(signal && { signal }),
  });
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok) throw refusal(response, answer);
  return answer as T;
}

export const globals = (id: string, signal?: AbortSignal) => ask<Globals>(`${id}/globals`, undefined, signal);
export const completions = (id: string, source: string, cursor: number) =>
  ask<Completions>(`${id}/completions`, { source, cursor });
export const check = (id: string, source: string) => ask<Check>(`${id}/check`, { source });
export const history = (id: string, limit: number, signal?: AbortSignal) =>
  ask<{ entries: HistoryEntry[] }>(`${id}/history?limit=${limit}`, undefined, signal);
