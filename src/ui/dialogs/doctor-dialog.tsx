// The connection doctor: tries everything when it opens, and shows what was found, what is in the way first.

import { useSignal } from '@preact/signals';
import { useEffect, useId, useRef } from 'preact/hooks';
import type { DiagnoseOptions, Diagnosis, FindingStatus } from '../../runtime/doctor-api.ts';
import { copyOrSelect } from '../parts/copying.ts';
import { Dialog } from '../parts/dialog.tsx';
import { CameraIcon, CloseIcon, CopyIcon, ExposedIcon, ListIcon, ShieldIcon } from '../parts/icons.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { words } from '../text/words.ts';

/** With or without a pool. */
export type Diagnose = (options: DiagnoseOptions) => Promise<Diagnosis>;

interface DoctorDialogProps {
  readonly diagnose: Diagnose;
  readonly onClose: () => void;
}

type State = FindingStatus['state'];

const ORDER: readonly State[] = ['blocked', 'limited', 'untried', 'works'];
const ICONS = { blocked: CloseIcon, limited: ExposedIcon, untried: ListIcon, works: ShieldIcon };

export function DoctorDialog({ diagnose, onClose }: DoctorDialogProps) {
  const found = useSignal<Diagnosis | undefined>(undefined);
  const trouble = useSignal('');
  const isTrying = useSignal(false);
  const leaving = useRef(new AbortController()).current;
  const look = async (camera: boolean): Promise<void> => {
    isTrying.value = true;
    trouble.value = '';
    try {
      found.value = await diagnose({ camera, signal: leaving.signal });
    } catch {
      if (!leaving.signal.aborted) trouble.value = words.doctor.failed;
    }
    isTrying.value = false;
  };
  useEffect(() => {
    void look(false);
    return () => leaving.abort();
  }, []);
  const findings = found.value?.findings ?? [];
  return (
    <Dialog title={words.doctor.open} onClose={onClose} wide>
      <p>{words.doctor.lead}</p>
      <p class="doctor-sum" role="status">
        {isTrying.value ? words.doctor.trying : found.value === undefined ? '' : summary(findings)}
      </p>
      <Trouble text={trouble.value} />
      {ORDER.map((state) => (
        <Findings key={state} state={state} findings={findings} />
      ))}
      <div class="dialog-actions">
        <button type="button" class="button" disabled={isTrying.value} onClick={() => void look(false)}>
          {words.doctor.again}
        </button>
        {findings.some(({ reason }) => reason === 'camera-there') ? (
          <button type="button" class="button" disabled={isTrying.value} onClick={() => void look(true)}>
            <CameraIcon />
            {words.doctor.tryCamera}
          </button>
        ) : null}
      </div>
      {found.value === undefined ? null : <Report text={found.value.report} />}
    </Dialog>
  );
}

function summary(findings: readonly FindingStatus[]): string {
  const count = (state: State): number => findings.filter((finding) => finding.state === state).length;
  return words.doctor.done(count('blocked'), count('limited'));
}

function Findings({ state, findings }: { readonly state: State; readonly findings: Diagnosis['findings'] }) {
  const headingId = useId();
  const shown = findings.filter((finding) => finding.state === state);
  const StateIcon = ICONS[state];
  if (shown.length === 0) return null;
  return (
    <section class={`findings ${state}`} aria-labelledby={headingId}>
      <h3 id={headingId}>
        <StateIcon />
        {words.doctor.states[state]}
      </h3>
      <ul role="list">
        {shown.map(({ what, title, text, way }) => (
          <li key={what}>
            <strong>{title}</strong>
            <p>{text}</p>
            {way === undefined || state === 'works' ? null : (
              <p class="way">
                <b>{words.doctor.wayRound}</b> {way}
              </p>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** All of it can be read before it is passed on. */
function Report({ text }: { readonly text: string }) {
  const report = useRef<HTMLPreElement>(null);
  const whole = useRef<HTMLDetailsElement>(null);
  const feedback = useSignal('');
  const select = (): void => {
    if (whole.current !== null) whole.current.open = true;
    if (report.current !== null) getSelection()?.selectAllChildren(report.current);
  };
  const copy = async (): Promise<void> => {
    feedback.value = '';
    feedback.value = await copyOrSelect(text, select);
  };
  return (
    <section class="report">
      <div class="dialog-actions">
        <button type="button" class="button" onClick={() => void copy()}>
          <CopyIcon />
          {words.doctor.copyReport}
        </button>
      </div>
      <p class="hint" role="status">
        {feedback.value}
      </p>
      <p class="hint">{words.doctor.reportHolds}</p>
      <details ref={whole}>
        <summary>{words.doctor.readReport}</summary>
        <pre ref={report} tabIndex={0}>
          {text}
        </pre>
      </details>
    </section>
  );
}
