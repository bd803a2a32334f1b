/** The frame around every page: where one is, where one can go, and whether the daemon is there. */
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { Link, Redirect, Route, Switch, useLocation } from 'wouter';
import { reach, watchHealth } from './api/connection';
import { queryClient } from './api/queries';
import { ErrorBoundary } from './ui/ErrorBoundary';
import { Banner, Light } from './ui/Light';
import { NotFound } from './pages/NotFound';
import { isTyping } from './lib/keys';
import { Loading } from './ui/bits';
import { Toasts } from './ui/toast';
import { Icon } from './ui/Icon';

const Templates = lazy(() => import('./pages/Templates'));
const TemplatePage = lazy(() => import('./pages/Template'));
const Sessions = lazy(() => import('./pages/Sessions'));
const SessionPage = lazy(() => import('./pages/Session'));
const ExecutionPage = lazy(() => import('./pages/Execution'));
const System = lazy(() => import('./pages/System'));
const Reference = lazy(() => import('./pages/Reference'));
const loadPalette = () => import('./ui/Palette');
const Palette = lazy(loadPalette);
const Keys = lazy(() => import('./ui/Keys'));
const TokenDialog = lazy(() => import('./ui/TokenDialog'));

const PAGES = [
  ['/sessions', 'Sessions'],
  ['/templates', 'Templates'],
  ['/system', 'System'],
  ['/reference', 'Reference'],
] as const;

export function App() {
  const [path] = useLocation();
  const [open, setOpen] = useState<'palette' | 'keys' | null>(null);

  useEffect(watchHealth, []);

  // It is a key away, and who presses that key types on.
  useEffect(() => {
    const timer = setTimeout(() => void loadPalette(), 500);
    return () => clearTimeout(timer);
  }, []);

  // Whatever was shown while the daemon was away is asked for again when it is back.
  useEffect(() => {
    let was = reach.get().state;
    return reach.subscribe(() => {
      const is = reach.get().state;
      if (is === 'up' && was !== 'unknown') void queryClient.invalidateQueries();
      was = is;
    });
  }, []);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        setOpen((was) => (was === 'palette' ? null : 'palette'));
      } else if (event.key === '?' && !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event)) {
        event.preventDefault();
        setOpen('keys');
      }
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);

  // A new page begins at its heading, for those who do not see that it is new.
  const main = useRef<HTMLElement>(null);
  const shown = useRef(path);
  useEffect(() => {
    const before = shown.current.split('/').slice(0, 3).join('/');
    shown.current = path;
    if (before === path.split('/').slice(0, 3).join('/')) return;
    if (!main.current?.contains(document.activeElement)) main.current?.focus({ preventScroll: true });
  }, [path]);

  return (
    <>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className="top">
        <Link href="/sessions" className="brand">
          <span aria-hidden="true">❯_</span> vm-system
        </Link>
        <nav aria-label="Pages">
          {PAGES.map(([href, label]) => (
            <Link key={href} href={href} aria-current={path === href || path.startsWith(`${href}/`) ? 'page' : undefined}>
              {label}
            </Link>
          ))}
        </nav>
        <div className="grow" />
        <button type="button" className="quiet" onClick={() => setOpen('palette')} aria-keyshortcuts="Control+K">
          <Icon name="search" />
          <span className="wide-only">Go to…</span> <kbd className="wide-only">Ctrl K</kbd>
        </button>
        <button type="button" className="quiet only-icon" onClick={() => setOpen('keys')} aria-label="Keys" title="Keys (?)">
          ?
        </button>
        <Light />
      </header>
      <Banner />
      <main id="main" ref={main} tabIndex={-1}>
        <ErrorBoundary key={path}>
          <Suspense fallback={<Loading />}>
            <Switch>
              <Route path="/">
                <Redirect to="/sessions" replace />
              </Route>
              <Route path="/templates" component={Templates} />
              <Route path="/templates/:id">{({ id }) => <TemplatePage key={id} id={id} />}</Route>
              <Route path="/sessions" component={Sessions} />
              <Route path="/sessions/:id/executions/:eid">
                {({ id, eid }) => <ExecutionPage key={eid} sessionId={id} id={eid} />}
              </Route>
              <Route path="/sessions/:id/:tab?">{({ id, tab }) => <SessionPage key={id} id={id} tab={tab} />}</Route>
              <Route path="/system" component={System} />
              <Route path="/reference" component={Reference} />
              <Route>
                <NotFound what="page" />
              </Route>
            </Switch>
          </Suspense>
        </ErrorBoundary>
      </main>
      <Suspense fallback={null}>
        {open === 'palette' && <Palette onClose={() => setOpen(null)} onKeys={() => setOpen('keys')} />}
        {open === 'keys' && <Keys onClose={() => setOpen(null)} />}
        <TokenGate />
      </Suspense>
      <Toasts />
    </>
  );
}

function TokenGate() {
  const denied = useDenied();
  return denied ? <TokenDialog /> : null;
}

function useDenied(): boolean {
  const [denied, setDenied] = useState(reach.get().state === 'denied');
  useEffect(() => reach.subscribe(() => setDenied(reach.get().state === 'denied')), []);
  return denied;
}
