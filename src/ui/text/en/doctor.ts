// English: the connection doctor. A finding says what was seen, and then the way round. Nothing here quotes
// what somebody else wrote, so that all of it can be passed on.

import type { Finding, FindingState, Reason, Subject } from '../../../core/model/finding.ts';
import type { FindingWords } from '../../../runtime/doctor/worded-diagnosis.ts';
import type { WordlessDiagnosis } from '../../../runtime/doctor/gathering.ts';
import { countOf, formatBytes, formatDuration } from './units.ts';

const TITLES: Record<Subject, string> = {
  relay: 'Relay',
  socket: 'WebSocket to the relay',
  trust: 'Certificate',
  worker: 'Opening offline',
  name: 'Address of this app',
  candidates: 'Addresses of this device',
  loopback: 'Direct connections',
  links: 'Other devices',
  vpn: 'VPN',
  'local-network': 'Local network permission',
  mac: 'Local network on this Mac',
  camera: 'Camera',
  storage: 'Storage',
  clock: 'Clock',
};

const STATES: Record<FindingState, string> = {
  works: 'Works',
  limited: 'With a limit',
  blocked: 'Blocked',
  untried: 'Not known',
};

const TRUST_WAY =
  'Open the relay’s http:// address in this browser: its page shows, for this system, how to trust the certificate.';
const SECURE_WAY =
  'Open the address that begins with https:// which the relay printed; on its own computer http://localhost works too.';
const APART_WAY =
  'Turn off client isolation (also called AP isolation) in the router, or leave the guest Wi-Fi: connect all devices to the main network. Turn VPNs off, and let Palm’s browser through the firewall. A cable or a phone’s hotspot works too. Or install coturn on the relay’s machine: such devices are then linked through the relay.';

/** What was found, and the way round; undefined where nothing need be done. */
function sentences(reason: Reason): readonly [text: string, way?: string] {
  switch (reason.kind) {
    case 'unable':
      return ['This cannot be tried here.'];
    case 'late':
      return ['It was tried, and nothing came of it in time.', 'Check again in a moment.'];
    case 'failed':
      return [
        reason.error === '' ? 'The try itself failed.' : `The try itself failed (${reason.error}).`,
        'Check again; if it stays so, reload or restart Palm.',
      ];
    case 'needs-relay':
      return ['Not known while the relay does not answer.', 'Look at the relay first.'];
    case 'relay-answers':
      return ['The relay answers.'];
    case 'relay-offline':
      return ['This device has no network.', 'Connect it to the Wi-Fi or cable of the others.'];
    case 'relay-silent':
      return [
        'Nothing answers at the relay’s address: its computer is off or asleep, or this device is on another network.',
        'Wake the relay’s computer, and connect this device to the same Wi-Fi. A guest Wi-Fi, mobile data or a VPN leads elsewhere.',
      ];
    case 'relay-refused':
      return reason.mayBeCertificate
        ? [
            'The connection fails at once: either no relay runs there, or this browser does not accept its certificate any more.',
            'Start the relay on its computer. If it runs, open its page in a new tab and accept the certificate there.',
          ]
        : [
            'The relay’s computer is there, but no relay runs on it.',
            'Start the relay there, at the same port as before.',
          ];
    case 'relay-not-palm':
      return [
        'Something else answers at the relay’s address. Sign-in pages of networks do that.',
        'Open any page in the browser to sign in to the network, or check the relay’s address and port.',
      ];
    case 'relay-other-name':
      return [
        'The relay answers, but not to the name by which it is asked here.',
        'Use an address that the relay printed. If a proxy stands before it, let the proxy keep the Host header.',
      ];
    case 'socket-works':
      return ['A WebSocket gets through, both ways.'];
    case 'socket-by-events':
      return [
        'WebSockets do not get through, so Palm uses plain requests (server-sent events) instead. That works, a little slower.',
        'A proxy or a filter stops WebSockets, or the certificate is not trusted yet. Nothing need be done.',
      ];
    case 'socket-refused':
      return [
        'The relay answers requests, but neither a WebSocket nor a stand-in for it gets through.',
        'Let WebSockets and long requests through in the proxy, filter or antivirus between this device and the relay.',
      ];
    case 'socket-closed':
      return [
        'The relay closed the connection: it has as many as it takes.',
        'Close other tabs of Palm, and check again in a minute.',
      ];
    case 'trust-own-machine':
      return ['The relay is on this computer: no certificate is needed.'];
    case 'trust-given':
      return ['This browser trusts the relay’s certificate.'];
    case 'trust-excepted':
      return [
        'The certificate was accepted, but is not trusted: Palm works in this tab, cannot be installed, and does not open offline.',
        TRUST_WAY,
      ];
    case 'trust-insecure':
      return ['This address is not secure: browsers give it no encryption, storage or camera.', SECURE_WAY];
    case 'trust-unseen':
      return [
        'Encrypted. Whether the certificate is trusted or only accepted cannot be seen here, since nothing works offline in this window.',
      ];
    case 'worker-controls':
      return ['Palm is kept on this device, and opens without the relay.'];
    case 'worker-next-time':
      return ['Palm is kept on this device, but this page was loaded before that.', 'Reload once.'];
    case 'worker-refused':
      return [
        'The browser keeps no copy of Palm: the certificate is not trusted. Without the relay Palm does not open here.',
        TRUST_WAY,
      ];
    case 'worker-insecure':
      return ['Browsers keep no copy of a page from an insecure address.', SECURE_WAY];
    case 'worker-unsupported':
      return [
        'This window keeps no copy of Palm. Private windows and browsers inside other apps do not.',
        'Open Palm in a normal window of the browser itself.',
      ];
    case 'name-resolves':
      return ['The relay’s .local name is found from here, and stays when its address changes.'];
    case 'name-not-found':
      return [
        'The relay’s .local name is not found from here.',
        'Use the relay’s address of numbers instead, or turn private DNS and VPNs off. On Linux, .local names need avahi or systemd-resolved.',
      ];
    case 'name-own':
      return ['The relay has a name of its own, which stays when its address changes.'];
    case 'name-own-machine':
      return [
        'This page is at localhost, which only this computer reaches. Other devices use the relay’s other address, and its storage there is separate.',
      ];
    case 'name-address':
      return addressSentences(reason.resolves);
    case 'candidates-plain':
      return [`This device offers ${countOf(reason.count, 'address', 'addresses')} to connect to.`];
    case 'candidates-masked':
      return [
        'This device offers addresses to connect to, hidden behind mDNS names, as browsers do until the camera was allowed once.',
        'If some devices do not connect, allow the camera here: then plain addresses are offered. Some phones and routers do not carry mDNS names.',
      ];
    case 'candidates-none':
      return [
        'No address to connect to is offered here. A policy, an extension or a VPN that hides addresses does that.',
        'Turn off “prevent WebRTC leaks” and the like in extensions and the VPN, or try another browser.',
      ];
    case 'loopback-works':
      return ['A data channel was opened here and brought its bytes back.'];
    case 'loopback-fails':
      return [
        'A data channel from this device to itself does not open: WebRTC is blocked here.',
        'Let the browser through the firewall, turn off extensions that block WebRTC, and turn the VPN off.',
      ];
    case 'links-work':
      return [`${countOf(reason.count, 'device is', 'devices are')} connected with this one.`];
    case 'links-some':
      return [
        `${countOf(reason.count, 'device is', 'devices are')} connected, but ${countOf(reason.blockedCount, 'device answers', 'devices answer')} at the relay and cannot be reached directly. That device may be in a guest Wi-Fi, or behind a firewall or VPN.`,
        APART_WAY,
      ];
    case 'links-relayed':
      return [
        `${countOf(reason.count, 'device is', 'devices are')} connected through the relay only: your devices reach the relay, but not each other, as with AP/client isolation or a guest Wi-Fi. All works, slower, and only while the relay runs.`,
        APART_WAY,
      ];
    case 'links-isolated':
      return [
        `Your devices reach the relay, but not each other: ${countOf(reason.blockedCount, 'device answers', 'devices answer')} there, and no direct connection opens. AP/client isolation or a guest Wi-Fi does that; so does a firewall or VPN on one of them.`,
        APART_WAY,
      ];
    case 'links-trying':
      return [
        `${countOf(reason.count, 'device answers', 'devices answer')}, and connecting is still being tried.`,
        'Check again in half a minute.',
      ];
    case 'links-quiet':
      return [
        'No other device of the pool answers now. They may be asleep, or Palm may be closed there.',
        'Open Palm on another device, at the same address, and check again.',
      ];
    case 'links-no-pool':
      return ['This device is in no pool, so there is nobody to connect to.'];
    case 'links-alone':
      return ['This is the only device of the pool.', 'Invite another one.'];
    case 'vpn-interface':
      return [
        `A network interface is up that is named like those of VPNs (${reason.names.join(', ')}). This rests on the name alone.`,
        'If devices do not connect, turn the VPN off, or let it leave the local network alone.',
      ];
    case 'vpn-suspected':
      return [
        'Perhaps one is on: there is a network here, but no address to connect to. This rests on that alone.',
        'If you use a VPN, turn it off and check again.',
      ];
    case 'vpn-no-interface':
      return ['No network interface is up that is named like those of VPNs.'];
    case 'vpn-unseen':
      return [
        'A page cannot see whether a VPN is on.',
        'If devices do not connect, turn VPNs off on both, and check again.',
      ];
    case 'lan-granted':
      return ['This browser lets the page reach the local network.'];
    case 'lan-denied':
      return [
        'This browser was told not to let the page reach the local network.',
        'Open the page’s site settings (beside the address), and allow “Local network access”.',
      ];
    case 'lan-would-ask':
      return [
        'This browser has not been asked. It does not ask for pages that come from the same network, as Palm does.',
      ];
    case 'lan-no-permission':
      return ['This browser has no such permission.'];
    case 'mac-lets':
      return ['macOS lets this browser find devices on the network.'];
    case 'mac-unseen':
      return [
        'macOS asks once whether this browser may find devices on the local network. A page cannot see the answer.',
        'If no device connects: System Settings, Privacy & Security, Local Network: turn this browser on, and restart it.',
      ];
    case 'camera-works':
      return ['The camera opens.'];
    case 'camera-there':
      return reason.isAllowed
        ? ['There is a camera, and Palm may use it. It was not opened.']
        : ['There is a camera. Palm was not yet allowed to use it, and did not ask.'];
    case 'camera-none':
      return ['No camera was found here.', 'Codes can be scanned by another device, and invites pasted.'];
    case 'camera-denied':
      return [
        'Palm may not use the camera.',
        'Open the page’s site settings (beside the address) and allow the camera; on phones and Macs, allow it for the browser in the system’s settings too.',
      ];
    case 'camera-busy':
      return ['The camera does not start.', 'Close other apps that use it, and try again.'];
    case 'camera-insecure':
      return ['Browsers give no camera to an insecure address.', SECURE_WAY];
    case 'storage-kept':
      return [`What is stored here is kept until it is deleted.${roomOf(reason.freeBytes)}`];
    case 'storage-evictable':
      return [
        `Storing works, but this browser may delete what is stored when space runs short.${roomOf(reason.freeBytes)}`,
        'Install Palm, or add it to the home screen or the bookmarks; some browsers ask once whether to keep the data.',
      ];
    case 'storage-little':
      return [
        `There is little room left: ${formatBytes(reason.freeBytes)}.`,
        'Make room on this device. What is stored stays.',
      ];
    case 'storage-no-files':
      return [
        'Storing works, but this window has no files that can be overwritten: a lock cannot be set, and deleted data may stay on the disk for a while.',
        'Open Palm in a normal window of an up-to-date browser.',
      ];
    case 'storage-insecure':
      return ['Browsers give an insecure address no storage that lasts.', SECURE_WAY];
    case 'storage-unwritable':
      return [
        'Palm cannot write to its storage here.',
        'Check that the disk is not full and that Palm may write to its folder; in a browser, use a normal window.',
      ];
    case 'clock-agrees':
      return [`This device’s clock and the relay’s agree to within ${formatDuration(reason.atMostMs)}.`];
    case 'clock-differs':
      return [
        `The relay’s clock is ${formatDuration(Math.abs(reason.aheadMs))} ${reason.aheadMs > 0 ? 'ahead of' : 'behind'} this device’s. Invites and certificates may count as ended, or not yet valid.`,
        'Set the date and time by the network on both.',
      ];
    case 'clock-same-machine':
      return ['The relay is on this computer, and has the same clock.'];
  }
}

function addressSentences(resolves: boolean | undefined): readonly [text: string, way?: string] {
  const separate =
    'This page is at an address of numbers. When the relay’s address changes, Palm opens empty there: what is stored belongs to one address.';
  switch (resolves) {
    case true:
      return [
        `${separate} The relay’s .local name is found from here.`,
        'Use the .local address that the relay printed instead, before you store anything here.',
      ];
    case false:
      return [
        `${separate} The relay’s .local name is not found from here, or its certificate is not trusted there. Android with a private DNS, and some Windows, do not find such names.`,
        'Turn private DNS off, or give the relay’s computer a fixed address in the router.',
      ];
    case undefined:
      return [separate, 'Give the relay’s computer a fixed address in the router.'];
  }
}

/** Nothing where it is not known. */
function roomOf(freeBytes: number): string {
  return freeBytes > 0 ? ` There is room for ${formatBytes(freeBytes)}.` : '';
}

export function findingText({ what, reason }: Finding): FindingWords {
  const [text, way] = sentences(reason);
  return { title: TITLES[what], text, ...(way === undefined ? {} : { way }) };
}

/** All findings as plain text, those that block first. */
export function doctorReport({ atMs, surroundings, findings }: WordlessDiagnosis): string {
  const { host, platform, program, address } = surroundings;
  const order: readonly FindingState[] = ['blocked', 'limited', 'untried', 'works'];
  const lines = order.flatMap((state) =>
    findings
      .filter((finding) => finding.state === state)
      .flatMap((finding) => {
        const { title, text, way } = findingText(finding);
        const head = `[${STATES[state]}] ${title}: ${text} (${finding.reason.kind})`;
        return way === undefined || state === 'works' ? [head] : [head, `    ${way}`];
      }),
  );
  const place = `${host}, ${platform}${program === '' ? '' : `, ${program}`}; relay by ${address}`;
  return [`Palm connection report, ${new Date(atMs).toISOString()}`, place, '', ...lines, ''].join('\n');
}

export const doctorTexts = {
  open: 'Connection doctor',
  tryAll: 'Try the connection',
  /** Beside a message about a relay or a link that fails. */
  openHere: 'Find out why',
  lead: 'It tries each thing that devices need to find and reach each other, and says what is in the way.',
  trying: 'Trying each thing. This takes up to fifteen seconds…',
  done: (blockedCount: number, limitedCount: number) =>
    blockedCount > 0
      ? `${countOf(blockedCount, 'thing is', 'things are')} blocked.`
      : limitedCount > 0
        ? `Nothing is blocked. ${countOf(limitedCount, 'thing has', 'things have')} a limit.`
        : 'Nothing is blocked.',
  failed: 'The doctor itself failed. Reload, and try again.',
  again: 'Check again',
  tryCamera: 'Try the camera',
  copyReport: 'Copy a report',
  reportHolds:
    'The report has no invites, keys, names or addresses: only what stands here, and which browser this is.',
  readReport: 'Read the report first',
  wayRound: 'What to do:',
  states: STATES,
};
