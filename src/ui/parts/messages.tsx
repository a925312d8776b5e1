// What went wrong or is worth knowing, at the top of every screen: this page's own alerts and the pool's notices.

import { useSignal } from '@preact/signals';
import type { Notice } from '../../runtime/api.ts';
import { useSession } from '../work/session.ts';
import { CloseIcon } from './icons.tsx';

/** The newest say what matters; older ones come into view as these are dismissed. */
const MAX_NOTICES = 3;

export function Messages() {
  const { alerts, status } = useSession();
  const dismissed = useSignal<ReadonlySet<number>>(new Set());
  const notices = status.value.notices
    .filter((notice) => !dismissed.value.has(notice.id))
    .slice(-MAX_NOTICES);
  return (
    <div class="messages">
      {alerts.list.value.map((alert) => (
        <Message
          key={`alert-${alert.id}`}
          level="error"
          text={alert.text}
          onDismiss={() => alerts.dismiss(alert.id)}
          {...(alert.retry === undefined ? {} : { onRetry: alert.retry })}
        />
      ))}
      {notices.map((notice) => (
        <Message
          key={`notice-${notice.id}`}
          level={notice.level}
          text={notice.text}
          onDismiss={() => {
            dismissed.value = new Set([...dismissed.value, notice.id]);
          }}
        />
      ))}
    </div>
  );
}

interface MessageProps {
  readonly level: Notice['level'];
  readonly text: string;
  readonly onDismiss: () => void;
  readonly onRetry?: () => void;
}

function Message({ level, text, onDismiss, onRetry }: MessageProps) {
  return (
    <div class={`message ${level}`}>
      <p role={level === 'info' ? 'status' : 'alert'}>{text}</p>
      <div class="message-actions">
        {onRetry === undefined ? null : (
          <button
            type="button"
            class="button"
            onClick={() => {
              onDismiss();
              onRetry();
            }}
          >
            Try again
          </button>
        )}
        <button type="button" class="button icon-only quiet" aria-label="Dismiss" onClick={onDismiss}>
          <CloseIcon />
        </button>
      </div>
    </div>
  );
}
