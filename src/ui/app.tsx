// The app as a whole: which screen is shown for the pool's state and the address.

import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { Pool } from '../runtime/api.ts';
import type { DownloadStore } from './download/download-store.ts';
import { Toasts } from './parts/toasts.tsx';
import { UpdateOffer } from './parts/update-offer.tsx';
import { PoolScreen } from './pool/pool-screen.tsx';
import { parseRoute, type Route } from './route.ts';
import { guessDeviceName } from './text/device-name.ts';
import { explain } from './text/explain.ts';
import { shownName } from './text/file-name.ts';
import { JoinScreen } from './welcome/join-screen.tsx';
import { WelcomeScreen } from './welcome/welcome-screen.tsx';
import type { AppUpdate } from './state/app-update.ts';
import { openSession, SessionContext, useStatus, type Session } from './state/session.ts';

interface AppProps {
  /** Must be ready. */
  readonly pool: Pool;
  readonly downloadStore: DownloadStore;
  /** Absent where no service worker runs. */
  readonly update?: AppUpdate;
}

export function App({ pool, downloadStore, update }: AppProps) {
  const session = useMemo(() => openSession(pool, downloadStore), [pool, downloadStore]);
  useEffect(() => () => session.close(), [session]);
  return (
    <SessionContext.Provider value={session}>
      <Screen session={session} />
      {update === undefined ? null : <UpdateOffer update={update} />}
      <Toasts />
    </SessionContext.Provider>
  );
}

function Screen({ session }: { readonly session: Session }) {
  const inPool = useStatus(({ pool }) => pool !== undefined);
  const { name } = useStatus(({ device }) => device);
  const route = useRoute(session, inPool);
  const deviceName = useSignal(name === '' ? guessDeviceName(navigator.userAgent) : name);
  const wanted = route.value;
  useFocusOnHeading(inPool ? 'pool' : wanted.kind);
  if (inPool) return <PoolScreen />;
  if (wanted.kind === 'join') {
    return (
      <JoinScreen
        // Another invite is another question.
        key={wanted.invite}
        invite={wanted.invite}
        deviceName={deviceName}
        onTried={forgetAddress}
        onDecline={() => {
          forgetAddress();
          route.value = { kind: 'home' };
        }}
      />
    );
  }
  return (
    <WelcomeScreen
      deviceName={deviceName}
      fileLinkWaits={wanted.kind === 'file'}
      onInvite={(invite) => {
        route.value = { kind: 'join', invite };
      }}
    />
  );
}

/** The route, at home again as soon as the pool is open and the link, if there was one, has been used. */
function useRoute(session: Session, inPool: boolean) {
  const route = useSignal<Route>({ kind: 'home' });
  useEffect(() => {
    const arrive = (): void => {
      const arrived = parseRoute(location.href);
      const isMember = session.status.peek().pool !== undefined;
      if (isMember && arrived.kind === 'join') {
        forgetAddress();
        refuseSecondPool(session);
      } else if (arrived.kind !== 'home') {
        route.value = arrived;
      }
    };
    arrive();
    window.addEventListener('hashchange', arrive);
    return () => window.removeEventListener('hashchange', arrive);
  }, [session, route]);

  const wanted = route.value;
  useEffect(() => {
    if (!inPool || wanted.kind === 'home') return;
    forgetAddress();
    route.value = { kind: 'home' };
    if (wanted.kind === 'file') void openFileLink(session, wanted.link);
  }, [inPool, wanted, session, route]);
  return route;
}

/** A new screen is announced and worked from its heading; the first one is left as the browser shows it. */
function useFocusOnHeading(screen: string): void {
  const shown = useRef(screen);
  useEffect(() => {
    if (shown.current === screen) return;
    shown.current = screen;
    document.querySelector('h1')?.focus();
  }, [screen]);
}

/** Takes an invite or file link out of the address bar and this history entry. */
function forgetAddress(): void {
  if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search);
}

/** Never rejects. */
async function openFileLink({ pool, alerts, said }: Session, link: string): Promise<void> {
  try {
    const { fileId } = await pool.openLink(link);
    const name = pool.status().files.find((file) => file.fileId === fileId)?.name ?? '';
    said.value = name === '' ? 'The private file is open' : `“${shownName(name)}” is open on this page`;
  } catch (error) {
    alerts.raise(explain(error));
  }
}

function refuseSecondPool({ alerts }: Session): void {
  alerts.raise(
    'This browser is in a pool already, so the invite was not used. To join the other pool, leave this one first.',
  );
}
