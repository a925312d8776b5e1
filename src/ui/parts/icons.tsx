// The app's icons: 24-unit line drawings in the current text colour. All only decorate words, so none is
// announced.

import type { ComponentChildren } from 'preact';

function Icon({ children }: { readonly children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

export function PlusIcon() {
  return (
    <Icon>
      <path d="M12 5v14M5 12h14" />
    </Icon>
  );
}

export function AnchorIcon() {
  return (
    <Icon>
      <path d="M12 8.5v12M12 3.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5M8.5 11.5h7M4.5 13.5c0 4 3.4 7 7.5 7s7.5-3 7.5-7" />
    </Icon>
  );
}

export function FolderIcon() {
  return (
    <Icon>
      <path d="M3.5 7.5a2 2 0 0 1 2-2h4l2 2.5h7a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2z" />
    </Icon>
  );
}

export function DownloadIcon() {
  return (
    <Icon>
      <path d="M12 4v11m0 0 4.5-4.5M12 15l-4.5-4.5M5 19.5h14" />
    </Icon>
  );
}

export function RemoveIcon() {
  return (
    <Icon>
      <path d="M4.5 7h15M9.5 7V4.5h5V7m3 0-.8 12a1.5 1.5 0 0 1-1.5 1.4H8.8A1.5 1.5 0 0 1 7.3 19L6.5 7m3.7 4v5.5m3.6-5.5v5.5" />
    </Icon>
  );
}

export function InviteIcon() {
  return (
    <Icon>
      <path d="M4 4.5h6v6H4zM14 4.5h6v6h-6zM4 14.5h6v6H4zM14 14.5h2.5V17M20 14.5v3M14 20.5h2.5M20 20.5v0" />
    </Icon>
  );
}

export function CameraIcon() {
  return (
    <Icon>
      <path d="M4 8V5.5A1.5 1.5 0 0 1 5.5 4H8m8 0h2.5A1.5 1.5 0 0 1 20 5.5V8m0 8v2.5a1.5 1.5 0 0 1-1.5 1.5H16m-8 0H5.5A1.5 1.5 0 0 1 4 18.5V16M8.5 8.5h7v7h-7z" />
    </Icon>
  );
}

export function CloseIcon() {
  return (
    <Icon>
      <path d="m6 6 12 12M18 6 6 18" />
    </Icon>
  );
}

export function CopyIcon() {
  return (
    <Icon>
      <path d="M9 8.5h10v11.5H9zM5 15.5V4h10" />
    </Icon>
  );
}

export function LockIcon() {
  return (
    <Icon>
      <path d="M6 10.5h12v9.5H6zM8.5 10.5V8a3.5 3.5 0 0 1 7 0v2.5M12 14.5v2" />
    </Icon>
  );
}

export function PencilIcon() {
  return (
    <Icon>
      <path d="m5 19 .8-3.8L15.6 5.4a1.6 1.6 0 0 1 2.3 0l.7.7a1.6 1.6 0 0 1 0 2.3L8.8 18.2z" />
    </Icon>
  );
}

export function LeaveIcon() {
  return (
    <Icon>
      <path d="M13 4.5H6.5A1.5 1.5 0 0 0 5 6v12a1.5 1.5 0 0 0 1.5 1.5H13M10.5 12H20m0 0-3.5-3.5M20 12l-3.5 3.5" />
    </Icon>
  );
}

export function ListIcon() {
  return (
    <Icon>
      <path d="M9 6.5h10.5M9 12h10.5M9 17.5h10.5M4.8 6.5h.1M4.8 12h.1M4.8 17.5h.1" />
    </Icon>
  );
}

export function ShieldIcon() {
  return (
    <Icon>
      <path d="M12 3.5 5 6v5.5c0 4.2 2.8 7.4 7 9 4.2-1.6 7-4.8 7-9V6zM9 12l2.2 2.2L15.2 10" />
    </Icon>
  );
}

export function ExposedIcon() {
  return (
    <Icon>
      <path d="M12 4 3.5 19h17zM12 10v4.2M12 16.6v.1" />
    </Icon>
  );
}

export function ClosedIcon() {
  return (
    <Icon>
      <path d="M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM12 7.5V12l3 2.5" />
    </Icon>
  );
}

export function LinkIcon() {
  return (
    <Icon>
      <path d="M10 13.5a4 4 0 0 0 5.7 0l2.8-2.8a4 4 0 0 0-5.7-5.7l-1 1M14 10.5a4 4 0 0 0-5.7 0l-2.8 2.8a4 4 0 0 0 5.7 5.7l1-1" />
    </Icon>
  );
}

export function SettingsIcon() {
  return (
    <Icon>
      <path d="M4 7h9m5 0h2M4 17h2m5 0h9M15.5 4.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zm-7 10a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5z" />
    </Icon>
  );
}
