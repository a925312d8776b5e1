// Messages in two places: the pool's notices at the top of the page, and this page's own alerts at the bottom
// of the window, where they are visible wherever the person has scrolled.

import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import type { NoticeStatus } from '../../runtime/api.ts';
import { usePage, useStatus } from '../state/page.ts';
import { isAboutBug } from '../text/explain.ts';
import { CopyMessage } from './copy-message.tsx';
import { CloseIcon } from './icons.tsx';
import { words } from '../text/words.ts';

/** The newest matter most; older ones appear as these are dismissed. */
const MAX_NOTICES = 3;

export function Notices() {
  const { status } = usePage();
  const dismissed = useSignal<ReadonlySet<number>>(new Set());
  const all = useStatus(({ notices }) => notices);
  const notices = all.filter((notice) => !dismissed.value.has(notice.id)).slice(-MAX_NOTICES);
  return (
    <div class="messages">
      {notices.map((notice) => (
        <Message
          key={notice.id}
          level={notice.level}
          text={notice.text}
          onDismiss={() => {
            // Only ids that the pool still lists are worth remembering.
            const listed = status.peek().notices.map(({ id }) => id);
            const kept = listed.filter((id) => dismissed.value.has(id));
            dismissed.value = new Set([...kept, notice.id]);
          }}
        />
      ))}
    </div>
  );
}

export function AlertMessages() {
  const { alerts } = usePage();
  return (
    <div class="messages">
      {alerts.list.value.map((alert) => (
        <Message
          key={alert.id}
          level="error"
          text={alert.text}
          onDismiss={() => alerts.dismiss(alert.id)}
          {...(alert.retry === undefined ? {} : { onRetry: alert.retry })}
        />
      ))}
    </div>
  );
}

interface MessageProps {
  readonly level: NoticeStatus['level'];
  readonly text: string;
  readonly onDismiss: () => void;
  readonly onRetry?: () => void;
}

function Message({ level, text, onDismiss, onRetry }: MessageProps) {
  const textId = useId();
  return (
    <div class={`message ${level}`}>
      <p id={textId} role={level === 'info' ? 'status' : 'alert'}>
        {text}
      </p>
      <button
        type="button"
        class="button icon-only quiet"
        aria-label={words.common.dismiss}
        aria-describedby={textId}
        onClick={onDismiss}
      >
        <CloseIcon />
      </button>
      {isAboutBug(text) ? <CopyMessage text={text} textId={textId} /> : null}
      {onRetry === undefined ? null : (
        <button
          type="button"
          class="button"
          onClick={() => {
            onDismiss();
            onRetry();
          }}
        >
          {words.common.tryAgain}
        </button>
      )}
    </div>
  );
}
