/** What pages ask for, each under a key, and what becomes stale when something is done. */
import { QueryClient, queryOptions } from '@tanstack/react-query';
import { api, ok, Refusal } from './client';
import type { SessionStatus } from './schema';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 1000,
      // What was refused is refused again. A daemon that is away is looked for by its health, and then all is asked anew.
      retry: (failures, error) => !(error instanceof Refusal) && failures < 2,
      refetchOnReconnect: false,
    },
    mutations: { retry: false },
  },
});

/** How often lists that live are asked for, while somebody looks at them. */
const LIVE_MS = 2000;

export const templatesQuery = () =>
  queryOptions({
    queryKey: ['templates'],
    queryFn: ({ signal }) => ok(api.GET('/api/v1/templates', { params: { query: { limit: 1000 } }, signal })),
  });

export const templateQuery = (template_id: string) =>
  queryOptions({
    queryKey: ['templates', template_id],
    queryFn: ({ signal }) => ok(api.GET('/api/v1/templates/{template_id}', { params: { path: { template_id } }, signal })),
  });

export const sessionsQuery = (filter: { status?: SessionStatus; template_id?: string; limit?: number }) =>
  queryOptions({
    queryKey: ['sessions', 'list', filter],
    queryFn: ({ signal }) => ok(api.GET('/api/v1/sessions', { params: { query: { limit: 200, ...filter } }, signal })),
    refetchInterval: LIVE_MS,
    placeholderData: (previous: unknown) => previous as never,
  });

export const sessionQuery = (session_id: string) =>
  queryOptions({
    queryKey: ['sessions', session_id],
    queryFn: ({ signal }) => ok(api.GET('/api/v1/sessions/{session_id}', { params: { path: { session_id } }, signal })),
  });

export const executionsQuery = (session_id: string, limit: number) =>
  queryOptions({
    queryKey: ['executions', 'of', session_id, limit],
    queryFn: ({ signal }) => ok(api.GET('/api/v1/executions', { params: { query: { session_id, limit } }, signal })),
    refetchInterval: LIVE_MS,
    placeholderData: (previous: unknown) => previous as never,
  });

export const executionQuery = (execution_id: string) =>
  queryOptions({
    queryKey: ['executions', execution_id],
    queryFn: ({ signal }) => ok(api.GET('/api/v1/executions/{execution_id}', { params: { path: { execution_id } }, signal })),
    refetchInterval: (query) => (query.state.data?.status === 'running' ? 500 : false),
  });

export const modulesQuery = () =>
  queryOptions({
    queryKey: ['catalog', 'modules'],
    queryFn: ({ signal }) => ok(api.GET('/api/v1/catalog/modules', { signal })),
  });

export const librariesQuery = () =>
  queryOptions({
    queryKey: ['catalog', 'libraries'],
    queryFn: ({ signal }) => ok(api.GET('/api/v1/catalog/libraries', { signal })),
  });

export const statsQuery = () =>
  queryOptions({
    queryKey: ['stats'],
    queryFn: ({ signal }) => ok(api.GET('/api/v1/runtime/stats', { signal })),
    refetchInterval: LIVE_MS,
  });

export const documentQuery = () =>
  queryOptions({
    queryKey: ['openapi'],
    queryFn: ({ signal }) => ok(api.GET('/api/v1/openapi.json', { signal })) as Promise<unknown>,
    staleTime: Number.POSITIVE_INFINITY,
  });

export function stale(...key: string[]): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: key });
}
