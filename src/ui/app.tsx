// The app as a whole: chooses the screen for the pool's state and the address.

import { useSignal, useSignalEffect, type ReadonlySignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { Palm } from '../runtime/api.ts';
import type { DownloadStore } from './download/download-store.ts';
import { DoctorDialog } from './dialogs/doctor-dialog.tsx';
import { Toasts } from './parts/toasts.tsx';
import { InstallOffer } from './parts/install-offer.tsx';
import { UpdateOffer } from './parts/update-offer.tsx';
import { parseRoute, type Route } from './route.ts';
import { guessDeviceName } from './text/device-name.ts';
import { explain } from './text/explain.ts';
import { shownName } from './text/file-name.ts';
import { JoiningScreen } from './welcome/joining-screen.tsx';
import { JoinScreen } from './welcome/join-screen.tsx';
import { UnlockScreen } from './welcome/unlock-screen.tsx';
import { WelcomeScreen } from './welcome/welcome-screen.tsx';
import type { Install } from './state/install.ts';
import type { AppUpdate } from './state/app-update.ts';
import type { ProbeRelay } from './state/relay-trouble.ts';
import { openPage, PageContext, useStatus, type Page } from './state/page.ts';
import { words } from './text/words.ts';

interface AppProps {
  /** Ready, or in a browser that has no device yet. */
  readonly palm: Palm;
  readonly downloadStore: DownloadStore;
  readonly probeRelay: ProbeRelay;
  /** Loaded by the time that `palm` is ready. */
  readonly poolScreen: ReadonlySignal<ComponentType | undefined>;
  /** Undefined until `palm` is ready. */
  readonly update: ReadonlySignal<AppUpdate | undefined>;
  readonly install: Install;
  /** How many other tabs ended whose work may go on in this one. */
  readonly endedTabs: ReadonlySignal<number>;
}

export function App(props: AppProps) {
  const { palm } = props;
  const isLocked = useSignal(palm.status().lock === 'locked');
  useEffect(() => {
    const look = (): void => {
      isLocked.value = palm.status().lock === 'locked';
    };
    look();
    return palm.subscribe(look);
  }, [palm, isLocked]);
  // What a page knows of its pool ends when the device is locked.
  return <OpenedApp key={isLocked.value ? 'locked' : 'open'} {...props} />;
}

function OpenedApp({ palm, downloadStore, probeRelay, poolScreen, update, install, endedTabs }: AppProps) {
  const page = useMemo(() => openPage(palm, downloadStore, probeRelay), [palm, downloadStore, probeRelay]);
  useEffect(() => () => page.close(), [page]);
  useSignalEffect(() => {
    if (endedTabs.value > 0) page.downloads.takeUp();
  });
  return (
    <PageContext.Provider value={page}>
      <Screen page={page} poolScreen={poolScreen} />
      <Doctor page={page} />
      <InstallOffer install={install} />
      {update.value === undefined ? null : <UpdateOffer update={update.value} />}
      <Toasts />
    </PageContext.Provider>
  );
}

function Doctor({ page: { palm, isDiagnosing } }: { readonly page: Page }) {
  if (!isDiagnosing.value) return null;
  return (
    <DoctorDialog
      diagnose={(options) => palm.diagnose(options)}
      onClose={() => (isDiagnosing.value = false)}
    />
  );
}

function Screen({ page, poolScreen }: { readonly page: Page } & Pick<AppProps, 'poolScreen'>) {
  const inPool = useStatus(({ pool }) => pool !== undefined);
  const { name } = useStatus(({ device }) => device);
  const route = useRoute(page, inPool);
  const deviceName = useSignal(name === '' ? guessDeviceName(navigator.userAgent) : name);
  const wanted = route.value;
  const isLocked = useStatus(({ lock }) => lock === 'locked');
  const joining = useStatus((status) => status.joining);
  useFocusOnHeading(isLocked ? 'locked' : inPool ? 'pool' : joining === undefined ? wanted.kind : 'joining');
  const PoolScreen = poolScreen.value;
  if (isLocked) return <UnlockScreen />;
  if (inPool) return PoolScreen === undefined ? null : <PoolScreen />;
  if (joining !== undefined) return <JoiningScreen joining={joining} />;
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

/** The route. It returns to home once the pool is open and any link has been used. */
function useRoute(page: Page, inPool: boolean) {
  const route = useSignal<Route>({ kind: 'home' });
  useEffect(() => {
    const arrive = (): void => {
      const arrived = parseRoute(location.href);
      const isMember = page.status.peek().pool !== undefined;
      if (isMember && arrived.kind === 'join') {
        forgetAddress();
        refuseSecondPool(page);
      } else if (arrived.kind === 'doctor') {
        forgetAddress();
        page.isDiagnosing.value = true;
      } else if (arrived.kind === 'unknown') {
        forgetAddress();
        page.alerts.raise(words.messages.noSuchPage(arrived.path));
      } else if (arrived.kind !== 'home') {
        route.value = arrived;
      }
    };
    arrive();
    window.addEventListener('hashchange', arrive);
    return () => window.removeEventListener('hashchange', arrive);
  }, [page, route]);

  const wanted = route.value;
  useEffect(() => {
    if (!inPool || wanted.kind === 'home') return;
    forgetAddress();
    route.value = { kind: 'home' };
    if (wanted.kind === 'invite') page.isInviting.value = true;
    if (wanted.kind === 'file') void openFileLink(page, wanted.link);
  }, [inPool, wanted, page, route]);
  return route;
}

/**
 * A new screen is announced, and focus moves to its heading, or to the one field that it is about; the first
 * one stays as the browser shows it.
 */
function useFocusOnHeading(screen: string): void {
  useEffect(() => {
    const isFirst = shownScreen === undefined;
    if (shownScreen === screen) return;
    shownScreen = screen;
    const field = document.querySelector<HTMLElement>('[autofocus]');
    if (field !== null) field.focus();
    else if (!isFirst) document.querySelector('h1')?.focus();
  }, [screen]);
}

/** Outlives the page's components, which begin anew when the device is locked or unlocked. */
let shownScreen: string | undefined;

/** Removes an invite or file link, and any path, from the address bar and this history entry. */
function forgetAddress(): void {
  const withSearch = `/${location.search}`;
  const { kind } = parseRoute(location.origin + withSearch);
  history.replaceState(null, '', kind === 'home' ? withSearch : '/');
}

/** Never rejects. */
async function openFileLink({ palm, alerts, said }: Page, link: string): Promise<void> {
  try {
    const { fileId } = await palm.openLink(link);
    const name = palm.status().files.find((file) => file.fileId === fileId)?.name ?? '';
    said.value = name === '' ? words.messages.openedPrivate : words.messages.opened(shownName(name));
  } catch (error) {
    alerts.raise(explain(error));
  }
}

function refuseSecondPool({ alerts }: Page): void {
  alerts.raise(words.messages.secondPool);
}
