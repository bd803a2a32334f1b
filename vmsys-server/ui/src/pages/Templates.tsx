/** All templates. */
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import { api, ok } from '../api/client';
import { stale, templatesQuery } from '../api/queries';
import type { Template } from '../api/schema';
import { shortId } from '../lib/format';
import { matches } from '../lib/match';
import { Ago, Empty, Loading, Problem, sayFailure, useTitle } from '../ui/bits';
import { Confirm } from '../ui/Dialog';
import { Icon } from '../ui/Icon';
import { NewSession } from './NewSession';
import { NewTemplate } from './NewTemplate';

type Open = { what: 'copy' | 'delete' | 'session'; template: Template };

export default function Templates() {
  useTitle('Templates');
  const [params, setParams] = useSearchParams();
  const search = params.get('q') ?? '';
  const isNew = params.get('new') === '1';
  const [open, setOpen] = useState<Open | null>(null);
  const { data, error, refetch } = useQuery(templatesQuery());

  const change = (name: string, value: string) =>
    setParams(
      (before) => {
        const next = new URLSearchParams(before);
        if (value === '') next.delete(name);
        else next.set(name, value);
        return next;
      },
      { replace: true },
    );
  const remove = useMutation({
    mutationFn: (template_id: string) => ok(api.DELETE('/api/v1/templates/{template_id}', { params: { path: { template_id } } })),
    onError: sayFailure,
    onSettled: () => {
      setOpen(null);
      void stale('templates');
    },
  });
  const found = data?.filter((template) => matches(`${template.name} ${template.id}`, search)) ?? [];

  return (
    <section className="page">
      <header className="page-head">
        <h1>Templates</h1>
        <div className="grow" />
        {data && data.length > 0 && (
          <button type="button" className="primary" onClick={() => change('new', '1')}>
            <Icon name="plus" />
            New template
          </button>
        )}
      </header>
      {error && !data && <Problem error={error} retry={() => void refetch()} />}
      {!data && !error && <Loading />}
      {data?.length === 0 && (
        <Empty title="No templates yet">
          <p>A template says what code may use and how far it may go. Sessions are made from it.</p>
          <button type="button" className="primary" onClick={() => change('new', '1')}>
            <Icon name="plus" />
            New template
          </button>
        </Empty>
      )}
      {data && data.length > 0 && (
        <>
          <div className="filters">
            <input
              type="search"
              aria-label="Search templates"
              placeholder="Name or id…"
              value={search}
              onChange={(event) => change('q', event.target.value)}
            />
          </div>
          {found.length === 0 && <p className="faint">No template has that in its name.</p>}
          <table hidden={found.length === 0}>
            <caption className="visually-hidden">Templates, newest first</caption>
            <thead>
              <tr>
                <th scope="col">Template</th>
                <th scope="col">Modules</th>
                <th scope="col">Libraries</th>
                <th scope="col" className="number">
                  Changed
                </th>
                <th scope="col">
                  <span className="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {found.map((template) => (
                <tr key={template.id}>
                  <th scope="row">
                    <Link href={`/templates/${template.id}`}>
                      {template.name} <code className="faint">{shortId(template.id)}</code>
                    </Link>
                    {!template.is_active && <span className="status quiet">inactive</span>}
                  </th>
                  <td>{template.exposed_modules.join(', ') || <span className="faint">none</span>}</td>
                  <td>{template.libraries.join(', ') || <span className="faint">none</span>}</td>
                  <td className="number">
                    <Ago time={template.updated_at} />
                  </td>
                  <td className="row-actions">
                    <button
                      type="button"
                      disabled={!template.is_active}
                      onClick={() => setOpen({ what: 'session', template })}
                      aria-label={`New session from ${template.name}`}
                    >
                      New session
                    </button>
                    <button
                      type="button"
                      className="quiet"
                      onClick={() => setOpen({ what: 'copy', template })}
                      aria-label={`Duplicate ${template.name}`}
                    >
                      Duplicate
                    </button>
                    <button
                      type="button"
                      className="quiet only-icon"
                      onClick={() => setOpen({ what: 'delete', template })}
                      aria-label={`Delete ${template.name}`}
                      title="Delete"
                    >
                      <Icon name="trash" />
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
      {isNew && <NewTemplate onClose={() => change('new', '')} />}
      {open?.what === 'copy' && <NewTemplate from={open.template} onClose={() => setOpen(null)} />}
      {open?.what === 'session' && <NewSession templateId={open.template.id} onClose={() => setOpen(null)} />}
      {open?.what === 'delete' && (
        <Confirm
          title={`Delete ${open.template.name}?`}
          action="Yes, delete it"
          busy={remove.isPending}
          onConfirm={() => remove.mutate(open.template.id)}
          onClose={() => setOpen(null)}
        >
          <p>Its sessions and their history stay; nothing new can be made from it.</p>
        </Confirm>
      )}
    </section>
  );
}
