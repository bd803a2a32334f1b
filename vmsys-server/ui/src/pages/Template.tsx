/** One template: all that it says, each part edited in place and checked by the API. */
import { type UseMutationResult, useMutation, useQuery } from '@tanstack/react-query';
import { type ReactNode, useId, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { api, ok, Refusal } from '../api/client';
import { librariesQuery, modulesQuery, sessionsQuery, stale, templateQuery } from '../api/queries';
import type { CapabilityKind, Isolation, StartupMode, TemplateDetail, UpdateTemplate } from '../api/schema';
import { cli, curl } from '../lib/curl';
import { dateTime, shortId } from '../lib/format';
import { Ago, CopyButton, Field, Loading, Problem, sayFailure, Status, useTitle } from '../ui/bits';
import { Confirm } from '../ui/Dialog';
import { Icon } from '../ui/Icon';
import { toast } from '../ui/toast';
import { NewSession } from './NewSession';
import { NewTemplate } from './NewTemplate';
import { NotFound } from './NotFound';
import { LIMITS, RUNTIME } from './settings';

export default function TemplatePage({ id }: { id: string }) {
  const query = useQuery(templateQuery(id));
  const [, navigate] = useLocation();
  const [open, setOpen] = useState<'session' | 'copy' | 'delete' | null>(null);
  const detail = query.data;
  useTitle(detail?.template.name ?? 'Template');

  const remove = useMutation({
    mutationFn: () => ok(api.DELETE('/api/v1/templates/{template_id}', { params: { path: { template_id: id } } })),
    onSuccess: () => navigate('/templates'),
    onError: sayFailure,
    onSettled: () => void stale('templates'),
  });
  const update = useMutation({
    mutationFn: (body: UpdateTemplate) =>
      ok(api.PATCH('/api/v1/templates/{template_id}', { params: { path: { template_id: id } }, body })),
    onSuccess: () => toast({ kind: 'info', text: 'Saved, for new sessions' }),
    onSettled: () => void stale('templates'),
  });

  if (query.error instanceof Refusal && (query.error.status === 404 || query.error.status === 400)) {
    return <NotFound what="template" />;
  }
  if (!detail) return query.error ? <Problem error={query.error} retry={() => void query.refetch()} /> : <Loading />;
  const { template, settings } = detail;

  return (
    <section className="page">
      <nav aria-label="Breadcrumb" className="crumbs">
        <Link href="/templates">Templates</Link>
      </nav>
      <header className="page-head">
        <h1>
          {template.name} <code className="faint">{shortId(id)}</code>
        </h1>
        {!template.is_active && <span className="status quiet">inactive</span>}
        <div className="grow" />
        <button type="button" className="quiet" onClick={() => setOpen('delete')}>
          <Icon name="trash" />
          Delete
        </button>
        <button type="button" className="quiet" onClick={() => setOpen('copy')}>
          <Icon name="copy" />
          Duplicate
        </button>
        <button type="button" className="primary" disabled={!template.is_active} onClick={() => setOpen('session')}>
          <Icon name="plus" />
          New session
        </button>
      </header>
      <p className="notice">
        What is changed here <strong>applies to new sessions</strong>: those that exist keep what they were created with.
      </p>

      <div className="cards">
        <Card title="Overview">
          <Overview detail={detail} update={update} />
        </Card>
        <Card title="Limits">
          {LIMITS.map(({ key, label, unit, about }) => (
            <Edited
              key={key}
              label={label}
              hint={`${unit}, ${about}`}
              value={String(settings.limits[key])}
              isNumber
              save={(value) => update.mutateAsync({ limits: { [key]: Number(value) } })}
            />
          ))}
        </Card>
        <Card title="Runtime">
          {RUNTIME.map(({ key, label, about }) => (
            <Switch
              key={key}
              label={label}
              about={about}
              isOn={settings.runtime[key]}
              isBusy={update.isPending}
              onChange={(isOn) => update.mutate({ runtime: { [key]: isOn } }, { onError: sayFailure })}
            />
          ))}
          <Field label="Isolation" hint="Where its sessions run">
            {(attributes) => (
              <select
                {...attributes}
                value={settings.runtime.isolation}
                onChange={(event) =>
                  update.mutate({ runtime: { isolation: event.target.value as Isolation } }, { onError: sayFailure })
                }
              >
                <option value="default">As the daemon is set</option>
                <option value="thread">A thread of the daemon</option>
                <option value="process">A process of its own</option>
              </select>
            )}
          </Field>
        </Card>
        <Card title="Resolver">
          <Edited
            label="Roots"
            hint="Directories of the worktree in which imports are looked for, one a line"
            value={settings.resolver.roots.join('\n')}
            isLong
            save={(value) => update.mutateAsync({ resolver: { roots: linesOf(value) } })}
          />
          <Edited
            label="Extensions"
            hint="Tried where a path has none, one a line"
            value={settings.resolver.extensions.join('\n')}
            isLong
            save={(value) => update.mutateAsync({ resolver: { extensions: linesOf(value) } })}
          />
          <Switch
            label="Absolute imports"
            about="Paths that begin with / are taken from the worktree"
            isOn={settings.resolver.allow_absolute_repo_imports}
            isBusy={update.isPending}
            onChange={(isOn) =>
              update.mutate({ resolver: { allow_absolute_repo_imports: isOn } }, { onError: sayFailure })
            }
          />
        </Card>
        <Card title="Modules">
          <Modules detail={detail} />
        </Card>
        <Card title="Libraries">
          <Libraries detail={detail} />
        </Card>
        <Card title="Capabilities" wide>
          <Capabilities detail={detail} />
        </Card>
        <Card title="Startup files">
          <StartupFiles detail={detail} />
        </Card>
        <Card title="Sessions made from it">
          <Derived id={id} />
        </Card>
        <Card title="From elsewhere" wide>
          <div className="command">
            <pre tabIndex={0}>{curl('GET', `/api/v1/templates/${id}`)}</pre>
            <CopyButton text={() => curlOf(detail)} what="curl command" label="Copy as curl (create one like it)" />
            <CopyButton text={() => cliOf(detail)} what="Commands" label="Copy as CLI (create one like it)" />
          </div>
        </Card>
      </div>

      {open === 'session' && <NewSession templateId={id} onClose={() => setOpen(null)} />}
      {open === 'copy' && <NewTemplate from={template} onClose={() => setOpen(null)} />}
      {open === 'delete' && (
        <Confirm
          title={`Delete ${template.name}?`}
          action="Yes, delete it"
          busy={remove.isPending}
          onConfirm={() => remove.mutate()}
          onClose={() => setOpen(null)}
        >
          <p>Its sessions and their history stay; nothing new can be made from it.</p>
        </Confirm>
      )}
    </section>
  );
}

type Update = UseMutationResult<TemplateDetail, Error, UpdateTemplate>;

function Card({ title, wide, children }: { title: string; wide?: boolean; children: ReactNode }) {
  const id = useId();
  return (
    <section className={wide ? 'card wide' : 'card'} aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}

function Overview({ detail: { template }, update }: { detail: TemplateDetail; update: Update }) {
  return (
    <>
      <Edited label="Name" value={template.name} save={(name) => update.mutateAsync({ name })} />
      <Switch
        label="Active"
        about="Sessions can be made from it"
        isOn={template.is_active}
        isBusy={update.isPending}
        onChange={(is_active) => update.mutate({ is_active }, { onError: sayFailure })}
      />
      <dl className="facts-list">
        <dt>Id</dt>
        <dd>
          <code>{template.id}</code>
        </dd>
        <dt>Engine</dt>
        <dd>{template.engine}</dd>
        <dt>Created</dt>
        <dd>{dateTime(template.created_at)}</dd>
        <dt>Changed</dt>
        <dd>{dateTime(template.updated_at)}</dd>
      </dl>
    </>
  );
}

/** A value that is edited where it stands: Enter saves it, Escape takes it back, and the API says what is wrong with it. */
function Edited(props: {
  label: string;
  hint?: string;
  value: string;
  isNumber?: boolean;
  isLong?: boolean;
  save: (value: string) => Promise<unknown>;
}) {
  const [text, setText] = useState<string | null>(null);
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const isChanged = text !== null && text !== props.value;
  const reset = () => {
    setText(null);
    setError(undefined);
  };
  const save = async () => {
    if (!isChanged || isBusy) return;
    setBusy(true);
    try {
      await props.save(text);
      reset();
    } catch (cause) {
      setError(cause instanceof Error ? `${cause.message}${requestOf(cause)}` : String(cause));
    } finally {
      setBusy(false);
    }
  };
  const attributes = {
    value: text ?? props.value,
    autoComplete: 'off',
    spellCheck: false,
    onChange: (event: { target: { value: string } }) => setText(event.target.value),
  };
  return (
    <form
      className="edited"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && isChanged) {
          event.stopPropagation();
          reset();
        }
      }}
    >
      <Field label={props.label} hint={props.hint} error={error}>
        {(field) =>
          props.isLong ? (
            <textarea {...field} {...attributes} rows={Math.max(2, attributes.value.split('\n').length)} />
          ) : (
            <input {...field} {...attributes} inputMode={props.isNumber ? 'numeric' : undefined} />
          )
        }
      </Field>
      {isChanged && (
        <div className="edit-actions">
          <button type="submit" className="primary" disabled={isBusy} aria-label={`Save ${props.label}`}>
            Save
          </button>
          <button type="button" className="quiet" onClick={reset} aria-label={`Undo ${props.label}`}>
            Undo
          </button>
        </div>
      )}
    </form>
  );
}

function requestOf(error: Error): string {
  return error instanceof Refusal && error.requestId ? ` (request ${error.requestId})` : '';
}

function Switch(props: { label: string; about: string; isOn: boolean; isBusy: boolean; onChange: (isOn: boolean) => void }) {
  return (
    <label className="switch">
      <input
        type="checkbox"
        checked={props.isOn}
        disabled={props.isBusy}
        onChange={(event) => props.onChange(event.target.checked)}
      />
      <span>
        {props.label}
        <span className="faint"> {props.about}</span>
      </span>
    </label>
  );
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function Modules({ detail: { template } }: { detail: TemplateDetail }) {
  const { data, error } = useQuery(modulesQuery());
  const params = { path: { template_id: template.id } };
  const set = useMutation<unknown, Error, { name: string; isOn: boolean }>({
    mutationFn: ({ name, isOn }) =>
      isOn
        ? ok(api.POST('/api/v1/templates/{template_id}/modules', { params, body: { name } }))
        : ok(api.DELETE('/api/v1/templates/{template_id}/modules/{name}', { params: { path: { ...params.path, name } } })),
    onError: sayFailure,
    onSettled: () => void stale('templates'),
  });
  if (error && !data) return <Problem error={error} />;
  // A module that is granted and not in the catalogue is an embedder's.
  const others = template.exposed_modules.filter((name) => !data?.some((module) => module.name === name));
  return (
    <>
      {data?.map((module) => (
        <Switch
          key={module.id}
          label={module.name}
          about={module.description}
          isOn={template.exposed_modules.includes(module.name)}
          isBusy={set.isPending}
          onChange={(isOn) => set.mutate({ name: module.name, isOn })}
        />
      ))}
      {others.map((name) => (
        <Switch
          key={name}
          label={name}
          about="not in the catalogue"
          isOn
          isBusy={set.isPending}
          onChange={(isOn) => set.mutate({ name, isOn })}
        />
      ))}
    </>
  );
}

function Libraries({ detail: { template } }: { detail: TemplateDetail }) {
  const { data, error } = useQuery(librariesQuery());
  const params = { path: { template_id: template.id } };
  const set = useMutation<unknown, Error, { name: string; isOn: boolean }>({
    mutationFn: ({ name, isOn }) =>
      isOn
        ? ok(api.POST('/api/v1/templates/{template_id}/libraries', { params, body: { name } }))
        : ok(api.DELETE('/api/v1/templates/{template_id}/libraries/{name}', { params: { path: { ...params.path, name } } })),
    onError: sayFailure,
    onSettled: () => void stale('templates'),
  });
  if (error && !data) return <Problem error={error} />;
  const isGiven = (id: string, name: string, version: string) =>
    template.libraries.find((given) => given === id || given === name || given === `${name}-${version}`);
  const known = data ?? [];
  const others = template.libraries.filter(
    (given) => !known.some(({ id, name, version }) => isGiven(id, name, version) === given),
  );
  return (
    <>
      {known.map(({ id, name, version, description, global, cached }) => {
        const given = isGiven(id, name, version);
        return (
          <div key={id} className="library">
            <Switch
              label={`${name} ${version}`}
              about={`${description}${global ? `, as ${global}` : ''}`}
              isOn={given !== undefined}
              isBusy={set.isPending}
              onChange={(isOn) => set.mutate({ name: given ?? id, isOn })}
            />
            <span className={cached ? 'status good' : 'status quiet'}>{cached ? 'cached' : 'not cached'}</span>
          </div>
        );
      })}
      {others.map((name) => (
        <Switch key={name} label={name} about="" isOn isBusy={set.isPending} onChange={(isOn) => set.mutate({ name, isOn })} />
      ))}
      {known.some((library) => !library.cached) && (
        <p className="faint">
          What is not cached is fetched by <code>vm-system libs download</code>; sessions that need it fail until then.
        </p>
      )}
    </>
  );
}

const KINDS: CapabilityKind[] = ['module', 'global', 'fs', 'net', 'env'];
const EXAMPLES: Record<CapabilityKind, string> = {
  module: '{"commands": ["git"]}',
  global: '{"value": 42}',
  fs: '{"read": ["."], "write": ["."]}',
  net: '{"hosts": ["api.example.com"]}',
  env: '{"value": "test"}',
};

function Capabilities({ detail: { template, capabilities } }: { detail: TemplateDetail }) {
  const params = { path: { template_id: template.id } };
  const [kind, setKind] = useState<CapabilityKind>('fs');
  const [name, setName] = useState('');
  const [config, setConfig] = useState('');
  const [isEnabled, setEnabled] = useState(true);
  const [wrong, setWrong] = useState<string>();

  const add = useMutation({
    mutationFn: (parsed: Record<string, unknown>) =>
      ok(
        api.POST('/api/v1/templates/{template_id}/capabilities', {
          params,
          body: { kind, name, enabled: isEnabled, config: parsed },
        }),
      ),
    onSuccess: () => {
      setName('');
      setConfig('');
    },
    onSettled: () => void stale('templates'),
  });
  const remove = useMutation({
    mutationFn: (capability_id: string) =>
      ok(
        api.DELETE('/api/v1/templates/{template_id}/capabilities/{capability_id}', {
          params: { path: { ...params.path, capability_id } },
        }),
      ),
    onError: sayFailure,
    onSettled: () => void stale('templates'),
  });
  return (
    <>
      {capabilities.length === 0 ? (
        <p className="faint">None: its code reaches nothing but its own values, and the modules that are granted.</p>
      ) : (
        <table>
          <caption className="visually-hidden">Capabilities</caption>
          <thead>
            <tr>
              <th scope="col">Kind</th>
              <th scope="col">Name</th>
              <th scope="col">Grants</th>
              <th scope="col">Configuration</th>
              <th scope="col">
                <span className="visually-hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {capabilities.map((capability) => (
              <tr key={capability.id}>
                <td>{capability.kind}</td>
                <th scope="row">{capability.name}</th>
                <td>
                  <span className={capability.enabled ? 'status good' : 'status bad'}>
                    {capability.enabled ? 'enabled' : 'takes away'}
                  </span>
                </td>
                <td>
                  <code>{JSON.stringify(capability.config)}</code>
                </td>
                <td className="row-actions">
                  <button
                    type="button"
                    className="quiet only-icon"
                    aria-label={`Remove ${capability.kind} ${capability.name}`}
                    onClick={() => remove.mutate(capability.id)}
                  >
                    <Icon name="trash" />
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <form
        className="inline-form"
        onSubmit={(event) => {
          event.preventDefault();
          setWrong(undefined);
          try {
            add.mutate(config.trim() === '' ? {} : JSON.parse(config));
          } catch (error) {
            setWrong(`Not JSON: ${(error as Error).message}`);
          }
        }}
      >
        <Field label="Kind">
          {(attributes) => (
            <select {...attributes} value={kind} onChange={(event) => setKind(event.target.value as CapabilityKind)}>
              {KINDS.map((known) => (
                <option key={known}>{known}</option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Capability name">
          {(attributes) => (
            <input {...attributes} required autoComplete="off" value={name} onChange={(event) => setName(event.target.value)} />
          )}
        </Field>
        <Field label="Configuration (JSON)" error={wrong}>
          {(attributes) => (
            <input
              {...attributes}
              autoComplete="off"
              spellCheck={false}
              className="mono"
              placeholder={EXAMPLES[kind]}
              value={config}
              onChange={(event) => setConfig(event.target.value)}
            />
          )}
        </Field>
        <label className="switch">
          <input type="checkbox" checked={isEnabled} onChange={(event) => setEnabled(event.target.checked)} />
          Enabled
        </label>
        <button type="submit" disabled={add.isPending}>
          Add capability
        </button>
      </form>
      {add.error && <Problem error={add.error} />}
    </>
  );
}

function StartupFiles({ detail: { template, startup_files } }: { detail: TemplateDetail }) {
  const params = { path: { template_id: template.id } };
  const [path, setPath] = useState('');
  const [mode, setMode] = useState<StartupMode>('eval');
  const add = useMutation({
    mutationFn: () => {
      const order_index = Math.max(-1, ...startup_files.map((file) => file.order_index)) + 1;
      return ok(api.POST('/api/v1/templates/{template_id}/startup-files', { params, body: { path, mode, order_index } }));
    },
    onSuccess: () => setPath(''),
    onSettled: () => void stale('templates'),
  });
  return (
    <>
      {startup_files.length === 0 ? (
        <p className="faint">None: sessions begin empty.</p>
      ) : (
        <ol className="startup">
          {startup_files.map((file) => (
            <li key={file.id}>
              <code>{file.path}</code> <span className="faint">{file.mode === 'import' ? 'imported' : 'evaluated'}</span>
            </li>
          ))}
        </ol>
      )}
      <form
        className="inline-form"
        onSubmit={(event) => {
          event.preventDefault();
          add.mutate();
        }}
      >
        <Field label="Startup file" error={add.error?.message}>
          {(attributes) => (
            <input
              {...attributes}
              required
              autoComplete="off"
              placeholder="setup.js"
              value={path}
              onChange={(event) => setPath(event.target.value)}
            />
          )}
        </Field>
        <Field label="How">
          {(attributes) => (
            <select {...attributes} value={mode} onChange={(event) => setMode(event.target.value as StartupMode)}>
              <option value="eval">evaluate</option>
              <option value="import">import</option>
            </select>
          )}
        </Field>
        <button type="submit" disabled={add.isPending}>
          Add file
        </button>
      </form>
    </>
  );
}

function Derived({ id }: { id: string }) {
  const { data } = useQuery(sessionsQuery({ template_id: id, limit: 20 }));
  if (!data) return <Loading />;
  if (data.length === 0) return <p className="faint">None yet.</p>;
  return (
    <ul className="derived">
      {data.map((session) => (
        <li key={session.id}>
          <Status status={session.status} />
          <Link href={`/sessions/${session.id}`}>
            {session.workspace_id} <code className="faint">{shortId(session.id)}</code>
          </Link>
          <span className="faint">
            <Ago time={session.created_at} />
          </span>
        </li>
      ))}
    </ul>
  );
}

/** A request that makes a template with the same settings. */
function curlOf({ template, settings: { limits, resolver, runtime } }: TemplateDetail): string {
  return curl('POST', '/api/v1/templates', { name: `${template.name} copy`, limits, resolver, runtime });
}

/** Commands that make a template like it. */
function cliOf({ template, settings, capabilities, startup_files }: TemplateDetail): string {
  const sets = Object.entries({ limits: settings.limits, resolver: settings.resolver, runtime: settings.runtime }).flatMap(
    ([group, values]) => Object.entries(values).flatMap(([key, value]) => ['--set', `${group}.${key}=${JSON.stringify(value)}`]),
  );
  const create = `template=$(${cli(['template', 'create', '--name', `${template.name} copy`, ...sets])} | sed 's/.*ID: \\(.*\\))/\\1/')`;
  const on = (words: string[]) => cli(['template', ...words]).replace("'$template'", '"$template"');
  return [
    create,
    ...template.exposed_modules.map((name) => on(['add-module', '$template', '--name', name])),
    ...template.libraries.map((name) => on(['add-library', '$template', '--name', name])),
    ...capabilities.map(({ kind, name, config, enabled }) =>
      on([
        'add-capability',
        '$template',
        ...['--kind', kind, '--name', name, '--config', JSON.stringify(config)],
        ...(enabled ? ['--enabled'] : []),
      ]),
    ),
    ...startup_files.map(({ path, mode, order_index }) =>
      on(['add-startup', '$template', '--path', path, '--mode', mode, '--order', String(order_index)]),
    ),
  ].join('\n');
}
