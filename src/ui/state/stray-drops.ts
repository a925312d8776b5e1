// Files that are dropped where no screen takes them. A browser would open them in place of the app.

/** Refuses them from now on, with the pointer that says so. A screen that takes files sets another effect. */
export function refuseStrayDrops(): void {
  for (const type of ['dragover', 'drop'] as const) {
    window.addEventListener(type, (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = 'none';
    });
  }
}

/** A drag of files, not of text or of a link. */
export function carriesFiles(event: DragEvent): event is DragEvent & { readonly dataTransfer: DataTransfer } {
  return event.dataTransfer?.types.includes('Files') === true;
}
