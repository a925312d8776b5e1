// A machine for which there is no WebRTC. The command line has the sentence for people.

export class NoWebRtc extends Error {
  /** Such as "linux arm". */
  readonly machine: string;

  constructor(machine: string, cause: unknown) {
    super(`no WebRTC for ${machine}`, { cause });
    this.name = 'NoWebRtc';
    this.machine = machine;
  }
}
