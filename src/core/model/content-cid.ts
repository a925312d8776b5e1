// The IPFS CID of a file's bytes, as who gave the file its name says. It is kept as a parameter of the file's
// type (FORMATS.md, manifest): records have exactly their fields, and devices of earlier versions refuse one
// with another. They show the parameter as a part of the type, and lose nothing.

import { CID } from 'multiformats/cid';

/** Longer than the CIDs of all hashes that are in use, characters. */
const MAX_CID_CHARS = 64;
const PARAMETER = /^(.*);ipfs-cid=([0-9A-Za-z]{1,64})$/u;
const DAG_PB_CODE = 0x70;
const RAW_CODE = 0x55;
const SHA2_256_CODE = 0x12;

/** What is known of a file's type. */
export interface TypeWithCid {
  readonly mime: string;
  /** As it was written: of version 0, or of version 1 in base32. */
  readonly cid?: string;
}

/** A type that carries a CID. */
export function withCid(mime: string, cid: string): string {
  return `${splitCid(mime).mime};ipfs-cid=${cid}`;
}

/** The parts of a type; one whose parameter is no CID has none. */
export function splitCid(written: string): TypeWithCid {
  const [, mime = '', cid = ''] = PARAMETER.exec(written) ?? [];
  return sameCid(cid) === undefined ? { mime: written } : { mime, cid };
}

/**
 * The one text of all texts for the CID of a UnixFS file: its version 1 in base32. Undefined for what is no
 * such CID.
 */
export function sameCid(text: string): string | undefined {
  if (text.length === 0 || text.length > MAX_CID_CHARS) return undefined;
  try {
    const cid = CID.parse(text);
    const isFile = cid.code === DAG_PB_CODE || cid.code === RAW_CODE;
    const isHashed = cid.multihash.code === SHA2_256_CODE && cid.multihash.size === 32;
    return isFile && isHashed && cid.toString() === text ? cid.toV1().toString() : undefined;
  } catch {
    return undefined;
  }
}
