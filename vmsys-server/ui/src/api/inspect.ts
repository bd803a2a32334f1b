/** What can be asked of a session without running anything in it. */
import { api, ok } from './client';
import type { Completions, Globals, History, InputCheck, WorktreeView } from './schema';

const params = (session_id: string) => ({ path: { session_id } });

export const globals = (id: string, signal: AbortSignal): Promise<Globals> =>
  ok(api.GET('/api/v1/sessions/{session_id}/globals', { params: params(id), signal }));

export const completions = (id: string, source: string, cursor: number): Promise<Completions> =>
  ok(api.POST('/api/v1/sessions/{session_id}/completions', { params: params(id), body: { source, cursor } }));

export const check = (id: string, source: string): Promise<InputCheck> =>
  ok(api.POST('/api/v1/sessions/{session_id}/check', { params: params(id), body: { source } }));

export const history = (id: string, limit: number, signal: AbortSignal): Promise<History> =>
  ok(api.GET('/api/v1/sessions/{session_id}/history', { params: { ...params(id), query: { limit } }, signal }));

/** What stands at a path of its worktree. */
export const look = (id: string, path: string, signal: AbortSignal): Promise<WorktreeView> =>
  ok(api.GET('/api/v1/sessions/{session_id}/files', { params: { ...params(id), query: path === '' ? {} : { path } }, signal }));
