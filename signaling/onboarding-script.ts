// What the page on the http port does in the visitor's browser: it finds out whether that browser knows the
// relay by its name, and goes on by itself as soon as the certificate is trusted. It is served as it stands,
// so it is written for the oldest browsers that Palm opens in.

export const ONBOARDING_SCRIPT = `
  const link = document.querySelector('a.open');
  const show = (id) => { const part = document.getElementById(id); if (part) part.hidden = false; };
  const answers = (url, mode) => {
    const control = new AbortController();
    const timer = setTimeout(() => control.abort(), 4000);
    return fetch(url, { mode, cache: 'no-store', signal: control.signal })
      .then((response) => mode === 'no-cors' || response.ok, () => false)
      .finally(() => clearTimeout(timer));
  };
  const choose = async () => {
    const { named, plain } = link.dataset;
    if (!named) return link.dataset.address;
    if (location.origin === plain || (await answers(plain + '/ping', 'cors'))) { show('by-name'); return named; }
    show('by-address');
    return link.dataset.address;
  };
  const goOn = async (origin) => {
    const target = origin + '/' + location.hash;
    link.href = target;
    // No certificate that is not trusted lets this through.
    if (await answers(origin + '/ping', 'no-cors')) location.replace(target);
    else setTimeout(() => goOn(origin), 2000);
  };
  // An iPad calls itself a Mac.
  const ipad = document.getElementById('on-ios');
  const mac = document.getElementById('on-macos');
  if (mac && mac.open && navigator.maxTouchPoints > 1) { mac.open = false; ipad.open = true; }
  show('goes-on');
  choose().then(goOn);
`;
