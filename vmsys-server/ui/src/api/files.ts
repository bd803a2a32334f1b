/** Files of a session's worktree. */
import { refusal, send } from './client';

export interface Found {
  path: string;
  kind: 'directory' | 'file';
  entries?: { name: string; kind: 'directory' | 'file' | 'other'; size?: number }[];
  more?: number;
  text?: string;
}

export async function look(sessionId: string, path: string, signal?: AbortSignal): Promise<Found> {
  const query = new URLSearchParams(path === '' ? {} : { path });
  const response = await send(`/api/v1/sessions/${sessionId}/files?${query}`, { ...(signal && { signal }) });
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok) throw refusal(response, answer);
  return answer as Found;
}
