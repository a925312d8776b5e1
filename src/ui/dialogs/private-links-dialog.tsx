// The links of private files that were just stored. Palm keeps no copy, so only the person can close this.

import { CopyField } from '../parts/copy-field.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { shownName } from '../text/file-name.ts';
import { usePage } from '../state/page.ts';

export function PrivateLinksDialog() {
  const { privateLinks } = usePage();
  const links = privateLinks.value;
  if (links.length === 0) return null;
  const several = links.length > 1;
  const close = (): void => {
    privateLinks.value = [];
  };
  return (
    <Dialog title={several ? 'Keep these links' : 'Keep this link'} onClose={close} insistent>
      <p>
        <strong>Palm does not keep {several ? 'them' : 'it'}.</strong> Without its link nobody can open a
        private file, not even this device once the page is closed. Copy {several ? 'each one' : 'it'} to a
        safe place now.
      </p>
      {links.map(({ name, link }) => (
        <CopyField key={link} label={`Link to “${shownName(name)}”`} text={link} />
      ))}
      <div class="dialog-actions">
        <button type="button" class="button primary" onClick={close}>
          {several ? 'I have kept them' : 'I have kept it'}
        </button>
      </div>
    </Dialog>
  );
}
