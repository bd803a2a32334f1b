/** Asks for a template's name, and makes it; a copy takes over all that can be set. */
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { api, ok, Refusal } from '../api/client';
import { stale } from '../api/queries';
import type { Template } from '../api/schema';
import { curl } from '../lib/curl';
import { CopyButton, Field, Problem } from '../ui/bits';
import { Dialog } from '../ui/Dialog';

export function NewTemplate({ from, onClose }: { from?: Template; onClose: () => void }) {
  const [, navigate] = useLocation();
  const [name, setName] = useState(from ? `${from.name} copy` : '');
  const create = useMutation({
    mutationFn: () => (from ? duplicate(from.id, name) : ok(api.POST('/api/v1/templates', { body: { name } }))),
    onSuccess: (template) => {
      onClose();
      navigate(`/templates/${template.id}`);
    },
    onSettled: () => void stale('templates'),
  });
  const refusal = create.error instanceof Refusal ? create.error : null;
  const isName = refusal !== null && (refusal.field === 'name' || refusal.code === 'ALREADY_EXISTS');
  return (
    <Dialog title={from ? `Duplicate ${from.name}` : 'New template'} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate();
        }}
      >
        <Field
          label="Name"
          hint={from ? 'Settings, modules, libraries, capabilities and startup files are taken over.' : 'All else can be set later.'}
          error={isName ? refusal.message : undefined}
        >
          {(attributes) => (
            <input
              {...attributes}
              required
              data-focus
              autoComplete="off"
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        {create.error && !isName && <Problem error={create.error} />}
        <div className="actions">
          {!from && <CopyButton text={() => curl('POST', '/api/v1/templates', { name })} what="curl command" label="Copy as curl" />}
          <div className="grow" />
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="primary" disabled={create.isPending}>
            {from ? 'Duplicate' : 'Create template'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Makes a template like another one, part by part: there is no single request for it. */
async function duplicate(template_id: string, name: string): Promise<Template> {
  const params = { path: { template_id } };
  const like = await ok(api.GET('/api/v1/templates/{template_id}', { params }));
  const { limits, resolver, runtime } = like.settings;
  const made = await ok(api.POST('/api/v1/templates', { body: { name, limits, resolver, runtime } }));
  const into = { path: { template_id: made.id } };
  try {
    for (const module of like.template.exposed_modules) {
      await ok(api.POST('/api/v1/templates/{template_id}/modules', { params: into, body: { name: module } }));
    }
    for (const library of like.template.libraries) {
      await ok(api.POST('/api/v1/templates/{template_id}/libraries', { params: into, body: { name: library } }));
    }
    for (const { kind, name: named, enabled, config } of like.capabilities) {
      await ok(api.POST('/api/v1/templates/{template_id}/capabilities', { params: into, body: { kind, name: named, enabled, config } }));
    }
    for (const { path, order_index, mode } of like.startup_files) {
      await ok(api.POST('/api/v1/templates/{template_id}/startup-files', { params: into, body: { path, order_index, mode } }));
    }
  } catch (error) {
    // Half a copy would be taken for a whole one.
    await api.DELETE('/api/v1/templates/{template_id}', { params: into });
    throw error;
  }
  return made;
}
