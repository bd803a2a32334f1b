/** Asks for what a session needs, and makes it. */
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { api, ok, Refusal } from '../api/client';
import { sessionsQuery, stale, templatesQuery } from '../api/queries';
import { curl } from '../lib/curl';
import { CopyButton, Field, Problem } from '../ui/bits';
import { Dialog } from '../ui/Dialog';

interface Values {
  template_id: string;
  workspace_id: string;
  base_commit_oid: string;
  worktree_path: string;
}

export function NewSession({ templateId, like, onClose }: { templateId?: string; like?: string | null; onClose: () => void }) {
  const [, navigate] = useLocation();
  const { data: templates } = useQuery(templatesQuery());
  const { data: sessions } = useQuery(sessionsQuery({}));
  const [entered, setEntered] = useState<Partial<Values>>({});

  // Whoever has made a session is likely to want the next one in the same place; nothing is made of that until they ask.
  const model = sessions?.find((session) => session.id === like) ?? (like ? undefined : sessions?.[0]);
  const usable = templates?.filter((template) => template.is_active) ?? [];
  const values: Values = {
    template_id: templateId ?? model?.template_id ?? '',
    workspace_id: model?.workspace_id ?? 'default',
    base_commit_oid: model?.base_commit_oid ?? 'HEAD',
    worktree_path: model?.worktree_path ?? '',
    ...entered,
  };
  if (!usable.some((template) => template.id === values.template_id)) values.template_id = usable[0]?.id ?? '';

  const create = useMutation({
    mutationFn: () => ok(api.POST('/api/v1/sessions', { body: values })),
    onSuccess: (session) => {
      onClose();
      navigate(`/sessions/${session.id}`);
    },
    onSettled: () => void stale('sessions'),
  });
  const refusal = create.error instanceof Refusal ? create.error : null;
  const named = refusal?.field ?? (refusal?.code === 'INVALID_PATH' ? 'worktree_path' : undefined);
  const text = (name: keyof Values) => ({
    value: values[name],
    required: true,
    autoComplete: 'off',
    spellCheck: false,
    onChange: (event: { target: { value: string } }) => setEntered({ ...entered, [name]: event.target.value }),
  });
  const wrong = (name: keyof Values) => (named === name ? refusal?.message : undefined);
  const failed = typeof refusal?.details.session_id === 'string' ? refusal.details.session_id : null;

  return (
    <Dialog title="New session" onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate();
        }}
      >
        <Field label="Template" error={wrong('template_id')}>
          {(attributes) => (
            <select
              {...attributes}
              required
              value={values.template_id}
              onChange={(event) => setEntered({ ...entered, template_id: event.target.value })}
            >
              {usable.map((template) => (
                <option key={template.id} value={template.id}>
                  {template.name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field
          label="Worktree path"
          hint="An absolute path of a directory on the daemon's machine; the session's code may run its files."
          error={wrong('worktree_path')}
        >
          {(attributes) => <input {...attributes} {...text('worktree_path')} placeholder="/path/of/a/directory" data-focus />}
        </Field>
        <div className="pair-fields">
          <Field label="Workspace" hint="Your name for it" error={wrong('workspace_id')}>
            {(attributes) => <input {...attributes} {...text('workspace_id')} />}
          </Field>
          <Field label="Base commit" hint="Your name for its state" error={wrong('base_commit_oid')}>
            {(attributes) => <input {...attributes} {...text('base_commit_oid')} />}
          </Field>
        </div>
        {create.error && !named && <Problem error={create.error} />}
        {failed && (
          <p>
            The session is kept as crashed, with what its startup did: <a href={`/sessions/${failed}`}>look at it</a>.
          </p>
        )}
        <div className="actions">
          <CopyButton text={() => curl('POST', '/api/v1/sessions', values)} what="curl command" label="Copy as curl" />
          <div className="grow" />
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="primary" disabled={create.isPending || values.template_id === ''}>
            {create.isPending ? 'Starting…' : 'Create session'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
