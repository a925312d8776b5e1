// The links of private files that were just stored. Palm keeps no copy, so only the person can close this.

import { CopyField } from '../parts/copy-field.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { shownName } from '../text/file-name.ts';
import { usePage } from '../state/page.ts';
import { words } from '../text/words.ts';

export function PrivateLinksDialog() {
  const { privateLinks } = usePage();
  const links = privateLinks.value;
  if (links.length === 0) return null;
  const count = links.length;
  const close = (): void => {
    privateLinks.value = [];
  };
  return (
    <Dialog title={words.privateLinks.title(count)} onClose={close} insistent>
      <p>
        {words.privateLinks.warning(count, (text) => (
          <strong>{text}</strong>
        ))}
      </p>
      {links.map(({ name, link }) => (
        <CopyField key={link} label={words.privateLinks.linkTo(shownName(name))} text={link} />
      ))}
      <div class="dialog-actions">
        <button type="button" class="button primary" onClick={close}>
          {words.privateLinks.kept(count)}
        </button>
      </div>
    </Dialog>
  );
}
